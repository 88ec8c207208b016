"""`cadsight synthesize`: pictures from CAD with exact labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cadsight_cli.arguments.types import COUNT, SEED

_USAGE = """
  cadsight synthesize RECIPE.yaml --count N --out DIR [--engine cycles|raster] [--workers N] [--cluster ADDRESS]
                      [--seed N] [--split SPLIT] [--formats LIST]
  cadsight synthesize preview RECIPE.yaml [--count N] [--engine cycles|raster] [--seed N] [--out PAGE.html]
  cadsight synthesize check DIR [--count N] [--seed N] [--out PAGE.html] [--json FILE]"""

_FORMATS = "yolo,coco,via,regression"
# What only some of them take.
_IDLE = {
    "make": ("--json",),
    "preview": ("--workers", "--cluster", "--split", "--formats", "--json"),
    "check": ("--engine", "--workers", "--cluster", "--split", "--formats"),
}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "synthesize",
        help="make pictures with exact labels from CAD models",
        usage=_USAGE,
        description="Make a data set of a recipe (config/recipes/ has one for each kind), look at nine pictures of it "
        "first, or check a set that is there against its meshes. A set that is there is continued, with the same "
        "pictures as if it had never stopped.",
    )
    parser.add_argument(
        "words", nargs="+", metavar="[preview|check] RECIPE.yaml|DIR", help="a recipe, or what to do with what"
    )
    parser.add_argument("--count", type=COUNT, metavar="N", help="pictures in the end; of a preview: 9; to check: 30")
    parser.add_argument("--out", metavar="PATH", help="folder of the set, or the page to write")
    parser.add_argument(
        "--engine",
        choices=("cycles", "raster"),
        help="cycles follows light, raster draws fast (cycles; preview: raster)",
    )
    parser.add_argument("--workers", type=COUNT, metavar="N", help="processes on this machine (1)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="Dask scheduler whose workers do it, tcp://host:8786")
    parser.add_argument("--seed", type=SEED, metavar="N", help="instead of the recipe's; to check: of the choice (0)")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="instead of the recipe's")
    parser.add_argument(
        "--formats", metavar="LIST", help=f"formats to write beside the samples, or none ({_FORMATS})",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="write what the check found there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.errors import CadsightError

    from cadsight_cli.arguments.idle import refuse_idle

    action, words = "make", args.words
    if words[0] in ("preview", "check"):
        action, words = words[0], words[1:]
    if len(words) != 1:
        what = "data set" if action == "check" else "recipe"
        raise CadsightError(f"`cadsight synthesize` was given {' '.join(args.words)!r}, expected one {what}")
    where = f"with `cadsight synthesize {action}`" if action != "make" else "where pictures are made"
    refuse_idle(where, {flag: getattr(args, flag.removeprefix("--")) for flag in _IDLE[action]})
    return {"make": _make, "preview": _preview, "check": _check}[action](words[0], args)


def _make(path: str, args: argparse.Namespace) -> int:
    import signal

    from cadsight_core.errors import CadsightError
    from cadsight_core.parallel import threads_each
    from cadsight_core.watching import watched_by
    from cadsight_synthesis.datasets.export import FORMATS, export
    from cadsight_synthesis.datasets.rendered import pictures_of, write_set

    from cadsight_cli.arguments.idle import workers_of
    from cadsight_cli.progress import counted, picture_bar

    for name in ("count", "out"):
        if getattr(args, name) is None:
            raise CadsightError(f"`cadsight synthesize {path}` lacks --{name}, expected {_NEEDED[name]}")
    asked = args.formats or _FORMATS
    formats: Any = [] if asked == "none" else [f for f in asked.split(",") if f]
    unknown = next((f for f in formats if f not in FORMATS), None)
    if unknown is not None:
        raise CadsightError(f"--formats has {unknown!r}, expected some of {', '.join(FORMATS)}, or none")
    # Whoever stops it finds the data set whole and no process left.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.default_int_handler)
    workers = workers_of(args)
    threads = 0 if args.cluster else threads_each(workers)
    pictures = pictures_of(_recipe(path, args), args.engine or "cycles", threads)
    with watched_by(counted):
        dataset = write_set(
            pictures, args.count, args.out, workers=workers, cluster=args.cluster, progress=picture_bar
        )  # fmt: skip
    for folder in export(dataset, formats):
        print(folder)
    print(f"{len(dataset)} pictures")
    print(dataset.folder)
    return 0


_NEEDED = {"count": "the number of pictures", "out": "the folder of the data set"}


def _preview(path: str, args: argparse.Namespace) -> int:
    from cadsight_core.output_file import is_page, refuse_foreign_file
    from cadsight_core.watching import watched_by
    from cadsight_synthesis.datasets.page import write_page
    from cadsight_synthesis.datasets.preview import COUNT, preview

    from cadsight_cli.progress import counted, picture_bar

    page = args.out or f"{Path(path).stem}-preview.html"
    refuse_foreign_file(page, is_page)
    recipe = _recipe(path, args)
    engine: Any = args.engine or "raster"
    count = args.count or COUNT
    with watched_by(counted):
        figures = list(picture_bar(preview(recipe, engine, count), count, "preview"))
    facts = {"Recipe": path, "Kind": recipe.kind, "Engine": engine, "Seed": str(recipe.seed)}
    print(write_page(page, f"Preview of {recipe.name}", facts, figures))
    return 0


def _check(path: str, args: argparse.Namespace) -> int:
    from cadsight_core.output_file import is_page, refuse_foreign_file
    from cadsight_synthesis.datasets.check import check
    from cadsight_synthesis.datasets.page import write_page

    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import picture_bar

    output = JsonOutput(args.json, "folder", "limits", "problems")
    place = args.out or Path(path) / "check.html"
    refuse_foreign_file(place, is_page)
    report = check(path, args.count or 30, args.seed or 0, progress=picture_bar)
    page = write_page(place, f"Check of {path}", report.facts, report.figures)
    for name, value in report.facts.items():
        print(f"{name}: {value}")
    for sentence in report.problems:
        print(sentence)
    output.write(report.to_json())
    print(page)
    return 1 if report.problems else 0


def _recipe(path: str, args: argparse.Namespace) -> Any:
    from dataclasses import replace

    from cadsight_synthesis.recipes.composed import ComposedRecipe
    from cadsight_synthesis.recipes.reader import read_recipe

    from cadsight_cli.arguments.idle import refuse_idle

    recipe: Any = read_recipe(path)
    if isinstance(recipe, ComposedRecipe):
        refuse_idle("for a composed recipe, which nothing renders", {"--engine": args.engine})
    if args.seed is not None:
        recipe = replace(recipe, seed=args.seed)
    return replace(recipe, split=args.split) if args.split else recipe
