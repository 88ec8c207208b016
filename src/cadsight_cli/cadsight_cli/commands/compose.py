"""`cadsight compose`: pictures of several parts out of pictures of one."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "compose",
        help="paste one to four captured parts onto the captured background",
        description="Cut the parts out of a labelled data set and paste them onto a background, labels following.",
    )
    parser.add_argument("--from", dest="source", required=True, metavar="DATASET", help="labelled data set with masks")
    parser.add_argument("--background", required=True, metavar="PNG", help="picture of the empty scene")
    parser.add_argument("--count", type=int, required=True, metavar="N", help="number of pictures")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--split", default="train", choices=("train", "valid", "test"), help="split of the pictures")
    parser.add_argument("--parameters", metavar="YAML", help="file with parameters of the composition")
    parser.add_argument("--seed", type=int, help="seed of the set (0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.images import read_image
    from cadsight_core.parameters import from_mapping
    from cadsight_synthesis.composed_set import write_composed_set
    from cadsight_synthesis.composition import CompositionParameters
    from tqdm import tqdm

    from cadsight_cli.yaml_file import read_mapping

    mapping = read_mapping(args.parameters) if args.parameters else {}
    if args.seed is not None:
        mapping["seed"] = args.seed
    parameters = from_mapping(CompositionParameters, mapping, args.parameters or "the command line")
    dataset = write_composed_set(
        args.source,
        read_image(args.background),
        args.count,
        args.out,
        parameters,
        args.split,
        progress=lambda items, total, what: tqdm(items, total=total, desc=what, unit="image"),
    )
    print(dataset.folder)
    return 0
