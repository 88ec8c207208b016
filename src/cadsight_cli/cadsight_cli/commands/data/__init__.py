"""`cadsight data`: data sets that the cell did not make, and those that it did; a module an action."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_cli.commands.data import annotate, augment, check, convert, distance, frames, show

    parser = subparsers.add_parser(
        "data",
        help="check, convert, compare, augment and show data sets, annotate from masks, take frames out of videos",
        description="Data sets in any known format: our manifest, YOLO, COCO, VIA, LabelMe, Label Studio, Pascal VOC, "
        "CVAT, the regression file, or a folder of images. The format is recognised.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action in (check, convert, frames, show, augment, annotate, distance):
        action.add_parser(actions)
