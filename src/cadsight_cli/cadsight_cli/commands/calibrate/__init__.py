"""`cadsight calibrate`: a board to print, a camera's intrinsics, where the camera is, and whether it still is there."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_cli.commands.calibrate import board, camera, check, hand_eye

    parser = subparsers.add_parser(
        "calibrate",
        help="draw a board, find a camera's intrinsics, and where the camera is on or beside the arm",
        description="Calibrate from images of a board; docs/calibration.md shows the files.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action in (board, camera, hand_eye, check):
        action.add_parser(actions)
