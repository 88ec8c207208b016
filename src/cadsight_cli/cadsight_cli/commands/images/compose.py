"""`cadsight compose`: images of several parts out of images of one."""

import argparse

from cadsight_cli.arguments.types import COUNT, SEED


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "compose",
        help="paste one to four captured parts onto the captured background",
        description="Cut the parts out of a labelled data set and paste them onto a background, labels following.",
    )
    parser.add_argument("--from", dest="source", required=True, metavar="DATASET", help="labelled data set with masks")
    parser.add_argument("--background", required=True, metavar="PNG", help="image of the empty scene")
    parser.add_argument("--count", type=COUNT, required=True, metavar="N", help="number of images")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--split", default="train", choices=("train", "valid", "test"), help="split of the images")
    parser.add_argument("--parameters", metavar="YAML", help="file with parameters of the composition")
    parser.add_argument("--seed", type=SEED, help="seed of the set (0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace
    from pathlib import Path

    from cadsight_core.config.parameters import from_mapping
    from cadsight_core.running.progress import progress_to
    from cadsight_synthesis.datasets.composed import ComposedImages
    from cadsight_synthesis.datasets.rendered import write_set
    from cadsight_synthesis.image_ops.composition import CompositionParameters
    from cadsight_synthesis.recipes.composed import ComposedRecipe

    from cadsight_cli.progress import counted, image_bar
    from cadsight_cli.yaml_file import read_mapping

    mapping = read_mapping(args.parameters) if args.parameters else {}
    parameters = from_mapping(CompositionParameters, mapping, args.parameters or "the command line")
    seed = parameters.seed if args.seed is None else args.seed
    source, background = Path(args.source).resolve(), Path(args.background).resolve()
    recipe = ComposedRecipe("composed", seed, args.split, "composed", source, background, replace(parameters, seed=0))
    with progress_to(counted):
        print(write_set(ComposedImages(recipe), args.count, args.out, progress=image_bar).folder)
    return 0
