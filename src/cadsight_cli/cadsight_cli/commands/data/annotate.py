"""`cadsight data annotate`."""

import argparse

from cadsight_cli.arguments.augmentation import add_augmentation, augmentation_of
from cadsight_cli.arguments.types import whole


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "annotate",
        help="turn images of masks into contour points for VIA",
        description="Write VIA's JSON of a folder of mask images, exact to the pixel. A mask belongs to the image "
        "with whose name its own begins; its class is the name of its folder in MASKS, its colour's, or --class.",
    )
    parser.add_argument("masks", metavar="MASKS", help="folder of mask images, black where nothing is")
    parser.add_argument("--images", required=True, metavar="DIR", help="folder of the images that they are of")
    parser.add_argument("--out", required=True, metavar="JSON", help="file to write; images go to images/ beside it")
    parser.add_argument(
        "--objects", choices=("colours", "files"), default="colours", help="what is an object (each colour)"
    )
    parser.add_argument("--class", dest="class_name", default="object", metavar="NAME", help="class (object)")
    parser.add_argument(
        "--colour",
        action="append",
        default=[],
        metavar="COLOUR=CLASS",
        help="class of a colour such as ff0000, or of a grey or indexed value; no class passes it over (repeatable)",
    )
    parser.add_argument("--copies", type=whole(0), default=0, metavar="N", help="changed copies of each image (0)")
    parser.add_argument("--suffix", choices=(".jpg", ".png"), help="format of the copies (.jpg)")
    add_augmentation(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.config.parameters import from_mapping
    from cadsight_synthesis.annotation.masks_to_via import MaskParameters, annotate

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted

    if not args.copies:
        changed = {"--suffix": args.suffix, "--parameters": args.parameters, "--seed": args.seed}
        refuse_idle("without --copies", changed)
    if args.objects == "files":
        refuse_idle("with --objects files", {"--colour": args.colour})
    given = {"objects": args.objects, "class_name": args.class_name}
    if args.suffix:
        given["suffix"] = args.suffix
    done = annotate(
        args.masks,
        args.images,
        args.out,
        from_mapping(MaskParameters, given, "the command line"),
        colours=_colours(args.colour),
        copies=args.copies,
        augmentation=augmentation_of(args),
        workers=args.workers,
        progress=counted,
    )
    counts = ", ".join(f"{count} {name}" for name, count in done.objects.items()) or "no objects"
    print(f"{done.images} images: {counts}; {done.copies} copies")
    if done.unmasked or done.empty:
        print(f"without regions: {done.unmasked} without a mask, {done.empty} with an empty one")
    print(done.file)
    return 0


def _colours(words: "list[str]") -> dict[str, str]:
    from cadsight_core.errors import CadsightError

    colours = {}
    for word in words:
        colour, equals, name = word.partition("=")
        if not equals or not colour:
            raise CadsightError(f"--colour is {word!r}, expected a colour and its class such as ff0000=bracket")
        colours[colour.lower().lstrip("#")] = name
    return colours
