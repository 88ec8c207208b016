"""`cadsight calibrate hand-eye`: where the camera is on or beside the arm."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_cli.arguments.types import SEED, number

if TYPE_CHECKING:
    from cadsight_calibration.calibrating import Calibrated
    from cadsight_calibration.data.description import Setup


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "hand-eye",
        help="find where the camera is on or beside the arm",
        description="Find where a camera is from images of a board and the arm's poses. A YAML says what lies where in "
        "the set and in which units. What does not fit is named and left out.",
    )
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the set")
    parser.add_argument("--set", metavar="YAML", help="what lies where in it (hand-eye.yaml in DIR)")
    parser.add_argument("--camera", metavar="NAME", help="only this camera of the set")
    parser.add_argument(
        "--intrinsics", metavar="INTRINSICS", help="camera_info YAML in place of the set's, for one camera"
    )
    parser.add_argument("--refine-intrinsics", action="store_true", help="fit the intrinsics too")
    parser.add_argument("--refine-joints", action="store_true", help="fit an offset of each joint too")
    parser.add_argument("--refine-links", action="store_true", help="fit the arm's link lengths too")
    parser.add_argument(
        "--limit-px",
        type=number(above=0),
        default=2.0,
        metavar="PX",
        help="warn where a label's box is off by more (2)",
    )
    parser.add_argument(
        "--limit-deg",
        type=number(above=0),
        default=0.5,
        metavar="DEG",
        help="warn where a label's normal is turned by more (0.5)",
    )
    parser.add_argument("--seed", type=SEED, default=0, metavar="N", help="seed of what is chosen at random (0)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder that hand-eye-NAME.json is written to")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_calibration.calibrating import CalibrationParameters, calibrate_camera_of
    from cadsight_calibration.data.description import NAME, load_description
    from cadsight_calibration.data.loading import load_poses
    from cadsight_calibration.fitting.problem import Refinement
    from cadsight_calibration.hand_eye.evaluation import EvaluationParameters
    from cadsight_calibration.hand_eye.hand_eye_file import FORMAT, write_hand_eye
    from cadsight_calibration.hand_eye.solving import SolveParameters
    from cadsight_core.errors import CadsightError
    from cadsight_core.imaging.camera_file import read_camera_file
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.files import make_folder
    from cadsight_core.storage.output_file import json_with, refuse_foreign_file

    from cadsight_cli.progress import counted

    folder = Path(args.data)
    description = load_description(args.set or folder / NAME)
    cameras = [camera for camera in description.cameras if args.camera in (None, camera.name)]
    if not cameras:
        there = ", ".join(camera.name for camera in description.cameras)
        raise CadsightError(f"the set has no camera {args.camera!r}, expected one of {there}")
    if args.intrinsics and len(cameras) > 1:
        raise CadsightError("--intrinsics is of one camera and the set has several, expected --camera NAME too")
    given = read_camera_file(args.intrinsics, cameras[0].frame) if args.intrinsics else None
    outputs = {camera.name: Path(args.out) / f"hand-eye-{camera.name}.json" for camera in cameras}
    for path in outputs.values():
        refuse_foreign_file(path, json_with(form=FORMAT))
    poses = load_poses(description, folder)
    refinement = Refinement(args.refine_intrinsics, args.refine_joints, args.refine_links)
    parameters = CalibrationParameters(
        SolveParameters(args.seed, refinement=refinement),
        EvaluationParameters(limit_px=args.limit_px, limit_deg=args.limit_deg, seed=args.seed),
    )
    make_folder(Path(args.out))
    for camera in cameras:
        with progress_to(counted):
            found = calibrate_camera_of(camera, description, poses, folder, parameters, given)
        _tell(found, description.setup)
        print(write_hand_eye(outputs[camera.name], found.hand_eye))
    return 0


def _tell(found: Calibrated, setup: Setup) -> None:
    figures, pose = found.evaluation, found.hand_eye.parent_from_camera
    print(f"{found.name}: {found.kept} of {found.images} images in the fit")
    for sentence in found.hand_eye.faults:
        print(f"  {sentence}")
    x, y, z = pose.translation * 1e3
    quaternion = ", ".join(f"{v:.5f}" for v in pose.quaternion)
    print(f"  camera in {found.hand_eye.parent_frame}: {x:.1f}, {y:.1f}, {z:.1f} mm, quaternion {quaternion}")
    print(f"  known to {figures.position_mm:.2f} mm and {figures.turn_deg:.3f} degrees (one standard deviation)")
    print(f"  views in the fit miss by {figures.fitted_px} px; the median, and 95 % of what it may be")
    print(
        f"  views left out of it by {figures.left_out_px} px, {figures.left_out_mm} mm, {figures.left_out_deg} degrees"
    )
    print(
        f"  a label as large as the board: box to {figures.label_px:.2f} px, normal to {figures.label_deg:.3f} degrees"
    )
    for warning in figures.warnings:
        print(f"  warning: {warning}")
