"""`cadsight calibrate camera`: intrinsics from images of a board."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "camera",
        help="find a camera's intrinsics from images of a board",
        description="Fit focal lengths, principal point and lens to images of a board. The result is the YAML of "
        "ROS's camera_calibration, which camera nodes load as camera_info_url.",
    )
    parser.add_argument("images", metavar="DIR", help="folder of the images")
    parser.add_argument("--board", required=True, metavar="YAML", help="kind and sizes of the board")
    parser.add_argument("--name", default="camera", help="name of the camera, such as its serial number (camera)")
    parser.add_argument("--no-k3", action="store_true", help="fit no third radial coefficient, for a narrow lens")
    parser.add_argument("--out", required=True, metavar="FILE", help="YAML to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_calibration.boards.board import load_board
    from cadsight_calibration.boards.looking import look_for
    from cadsight_calibration.camera.intrinsics import IntrinsicsParameters, calibrate_intrinsics
    from cadsight_core.errors import CadsightError
    from cadsight_core.imaging.camera_file import write_camera_file
    from cadsight_core.imaging.images import SUFFIXES
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.output_file import noted, refuse_foreign_file
    from cadsight_ros.resources import resolve

    from cadsight_cli.progress import counted

    refuse_foreign_file(args.out, noted(args.out))
    board = load_board(resolve(args.board))
    folder = Path(args.images)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not paths:
        raise CadsightError(f"the folder {folder} holds no images, expected some of {board.words}")
    names = [path.name for path in paths]
    with progress_to(counted):
        looked = look_for(board, paths, names)
    for fault in looked.faults:
        print(f"  {fault.sentence}")
    found = calibrate_intrinsics(
        [names[i] for i in looked.rows],
        looked.found,
        looked.size,
        "camera_color_optical_frame",
        IntrinsicsParameters(k3=not args.no_k3),
    )
    for fault in found.faults:
        print(f"  {fault.sentence}")
    camera, spread = found.camera, found.deviations
    print(f"{len(found.used)} of {len(paths)} images of {camera.size.width} x {camera.size.height} pixels used")
    print(f"focal lengths {camera.fx:.1f} +- {spread[0]:.1f}, {camera.fy:.1f} +- {spread[1]:.1f} px")
    print(f"principal point {camera.cx:.1f} +- {spread[2]:.1f}, {camera.cy:.1f} +- {spread[3]:.1f} px")
    print(f"a corner misses by {found.fitted_px:.2f} px, in images left out of the fit by {found.left_out_px:.2f} px")
    print(write_camera_file(args.out, camera, args.name))
    return 0
