"""`cadsight calibrate board`: a board drawn to scale."""

import argparse

from cadsight_cli.arguments.types import COUNT


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "board",
        help="draw a board to scale",
        description="Draw a board as PDF, SVG or PNG to print at 100 %%. A line below it says how long it must be.",
    )
    parser.add_argument(
        "--board",
        default="package://cadsight/config/board.yaml",
        metavar="YAML",
        help="kind and sizes of the board (config/board.yaml, a ChArUco board for A4)",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="file to write: .pdf, .svg or .png")
    parser.add_argument("--dpi", type=COUNT, default=300, metavar="N", help="dots per inch of a PNG (300)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_calibration.boards.board import load_board
    from cadsight_calibration.boards.drawing import write_board
    from cadsight_ros.resources import resolve

    board = load_board(resolve(args.board))
    path = write_board(board, args.out, args.dpi)
    page = board.printed()
    print(f"{board.words}, {page.width_mm:g} x {page.height_mm:g} mm without its margin")
    print(path)
    return 0
