"""`cadsight data distance`."""

import argparse
from pathlib import Path

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT, whole

_ON_SHEET = 24


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = actions.add_parser(
        "distance",
        help="say how far two sets of images are apart",
        description="Compare the images of two data sets: earth mover's distance of their colours, Fréchet and "
        "kernel distance (FID, KID) of the features of a network that is named, and of each image of SECOND the most "
        "alike one of FIRST.",
    )
    parser.add_argument("first", metavar="FIRST", help="data set such as the training images, or a folder of images")
    parser.add_argument("second", metavar="SECOND", help="data set such as the test images, or a folder of images")
    parser.add_argument("--most", type=whole(2), default=500, metavar="N", help="most of each, evenly taken (500)")
    parser.add_argument("--model", metavar="M", help="a detector whose features count: its folder, or name in --models")
    parser.add_argument("--models", metavar="DIR", help=f"registry folder ({MODELS_FOLDER})")
    parser.add_argument("--sheet", metavar="PNG", help="draw the least alike images of SECOND beside their nearest")
    parser.add_argument("--count", type=COUNT, metavar="N", help=f"images on the sheet ({_ON_SHEET})")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.formats import load
    from cadsight_core.imaging.images import encode_image
    from cadsight_core.running.progress import progress_to, step
    from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted
    from cadsight_learning.options import MODELS_FOLDER
    from cadsight_learning.similarity.compare import between, sheet, some
    from cadsight_learning.similarity.extractors import DetectorFeatures, ImageFeatures

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    if not args.sheet:
        refuse_idle("without --sheet", {"--count": args.count})
    if not args.model:
        refuse_idle("without --model", {"--models": args.models})
    output = JsonOutput(args.json, "first", "second", "neighbours")
    if args.sheet:
        refuse_foreign_file(args.sheet, noted(args.sheet))
    reading = reading_of(args)
    with progress_to(counted):
        with step("sets read"):
            first, second = (some(load(source, reading)[0], args.most) for source in (args.first, args.second))
        with step("network loaded"):
            extractor = DetectorFeatures(args.model, args.models or MODELS_FOLDER) if args.model else ImageFeatures()
        found, neighbours = between(first, second, extractor)
    features, nearest = found["features"], found["nearest"]
    print(f"{len(first)} images of {args.first}, {len(second)} of {args.second}")
    print("colours, earth mover's distance: " + ", ".join(f"{k} {v:.2f}" for k, v in found["colours"].items()))
    print(f"features: {features['extractor']}")
    few = " (too large: fewer images than features)" if features["fid_biased"] else ""
    print(f"Fréchet distance (FID) {features['fid']:.3f}{few}")
    print(
        f"kernel distance {features['kid']:.5f}; sets of one kind stay under {features['level']:.5f} in 95 % of cases,"
    )
    print(f"  and reach it with a probability of {features['chance']:.3f}")
    if features["inception_score"]:
        print("inception score {:.2f} and {:.2f}".format(*features["inception_score"]))
    print(f"nearest: median {nearest['median']:.4f}, largest {nearest['largest']:.4f}, {nearest['copies']} are copies")
    if args.sheet:
        image = encode_image(sheet(neighbours.farthest_first(args.count or _ON_SHEET)), Path(args.sheet))
        write_noted(args.sheet, image)
        print(args.sheet)
    sets = {"first": str(args.first), "second": str(args.second)}
    output.write({**sets, **found, "neighbours": neighbours.to_json()})
    return 0
