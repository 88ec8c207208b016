"""`cadsight labels export`."""

import argparse
from pathlib import Path

from cadsight_learning.options import MODELS_FOLDER

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import FRACTION


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the actions of `cadsight labels`."""
    parser = actions.add_parser(
        "export",
        help="write what a labelling tool imports",
        description="Write a folder that a labelling tool imports: a file of the images with a first guess, the tool's "
        "list of classes, copies of the images, and export.json, by which `cadsight labels import` knows them again.",
    )
    parser.add_argument("source", metavar="SRC", help="folder of a batch of `cadsight select`, or a data set")
    parser.add_argument("--to", required=True, choices=("label-studio", "cvat"), help="the tool: %(choices)s")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write; an earlier export is replaced")
    parser.add_argument(
        "--model",
        metavar="M",
        help="detector that makes the first guess: a folder, or a name in --models (else what a batch keeps of the "
        "model that chose it, or the labels that a data set has)",
    )
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument("--min-score", type=FRACTION, metavar="P", help="lowest score of a guess (0.25)")
    parser.add_argument("--classes", nargs="+", metavar="NAME", help="classes to choose from, where no model has any")
    parser.add_argument(
        "--url",
        metavar="TEXT",
        help="what stands before the names of images to make them addresses for Label Studio "
        "(/data/local-files/?d=DIR/images/)",
    )
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from cadsight_active.labelling import MIN_SCORE, guessed_by, is_batch, tasks_of_batch, tasks_of_samples
    from cadsight_core.formats.labelling_tools import TOOLS, write_export
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.output_folder import refuse_foreign
    from cadsight_learning.models import load_detector
    from cadsight_learning.registry.model_folder import WEIGHTS
    from cadsight_learning.registry.store import find
    from cadsight_learning.runtime.exports import sha256

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted
    from cadsight_core import formats

    refuse_foreign(args.out)
    batch = is_batch(args.source)
    if batch:
        refuse_idle("for a batch", {"--images": args.images, "--class-attribute": args.class_attribute})
    elif args.model is None:
        refuse_idle("for a data set without --model", {"--min-score": args.min_score})
    if args.to != "label-studio":
        refuse_idle(f"with --to {args.to}", {"--url": args.url})
    least = MIN_SCORE if args.min_score is None else args.min_score
    with progress_to(counted):
        tasks = tasks_of_batch(args.source, least) if batch else None
        if tasks is None:
            tasks = tasks_of_samples(*formats.load(args.source, reading_of(args)))
        if args.model is not None:
            folder = find(args.model, args.models)
            name = f"{folder.name} {sha256(folder / WEIGHTS)[:16]}"
            tasks = guessed_by(load_detector(folder, device=args.device), tasks, name, least)
        if tasks.classes:
            refuse_idle(f"where the classes are {', '.join(tasks.classes)}", {"--classes": args.classes})
        else:
            tasks = replace(tasks, classes=tuple(args.classes or ()))
        written = write_export(tasks, TOOLS[args.to], args.out, args.url)
    guesses = sum(len(task.guesses) for task in tasks.each)
    print(f"{len(tasks.each)} images, {guesses} first guesses, {len(tasks.classes)} classes")
    for path in sorted(p for p in Path(written).iterdir() if not p.name.startswith(".")):
        print(path)
    return 0
