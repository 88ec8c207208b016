"""`cadsight data augment`."""

import argparse

from cadsight_cli.arguments.augmentation import add_augmentation, augmentation_of
from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "augment",
        help="add changed copies of the images, labels following",
        description="Write the images and changed copies of them: flipped, turned, zoomed, shifted, cropped, in "
        "other light and colours, blurred, noisy. Boxes, masks, contours, normals and points follow. A run that was "
        "stopped goes on where it was.",
    )
    parser.add_argument("source", metavar="DIR", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--copies", type=COUNT, default=1, metavar="N", help="copies of each image (1)")
    parser.add_argument("--copies-only", action="store_true", help="leave the images themselves out")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="only the images of this split")
    add_augmentation(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.running.progress import progress_to
    from cadsight_synthesis.datasets.augmented import write_augmented_set

    from cadsight_cli.progress import counted

    with progress_to(counted):
        dataset = write_augmented_set(
            args.source,
            args.out,
            args.copies,
            augmentation_of(args),
            originals=not args.copies_only,
            split=args.split,
            reading=reading_of(args),
            workers=args.workers,
            progress=counted,
        )
    print(f"{len(dataset)} images")
    print(dataset.folder)
    return 0
