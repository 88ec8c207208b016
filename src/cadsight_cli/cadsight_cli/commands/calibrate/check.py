"""`cadsight calibrate check`: whether a camera is still where its calibration says."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "check",
        help="say from a few images whether the camera has moved since it was calibrated",
        description="Compare a camera's place in a few new images, five are enough, with its calibration. Status 1 "
        "says that it has moved.",
    )
    parser.add_argument("--hand-eye", required=True, metavar="JSON", help="the calibration")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the new images and poses")
    parser.add_argument("--set", metavar="YAML", help="what lies where in it (hand-eye.yaml in DIR)")
    parser.add_argument("--camera", metavar="NAME", help="which camera of the set, where it has several")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_calibration.data.description import NAME, load_description
    from cadsight_calibration.data.loading import load_poses, look
    from cadsight_calibration.hand_eye.drift import check_place
    from cadsight_calibration.hand_eye.hand_eye_file import read_hand_eye
    from cadsight_core.errors import CadsightError
    from cadsight_core.running.progress import progress_to

    from cadsight_cli.progress import counted

    hand_eye, folder = read_hand_eye(args.hand_eye), Path(args.data)
    description = load_description(args.set or folder / NAME)
    cameras = [camera for camera in description.cameras if args.camera in (None, camera.name)]
    if len(cameras) != 1:
        there = ", ".join(camera.name for camera in description.cameras)
        raise CadsightError(f"--camera is {args.camera}, expected one of the set's cameras: {there}")
    (camera,) = cameras
    if hand_eye.serial and camera.serial and hand_eye.serial != camera.serial:
        raise CadsightError(
            f"{args.hand_eye} is of the camera {hand_eye.serial} and the images of {camera.serial}, expected the same"
        )
    poses = load_poses(description, folder)
    with progress_to(counted):
        images = look(camera, poses, description.board, folder, hand_eye.camera)
    for fault in images.faults:
        print(f"  {fault.sentence}")
    found = check_place(hand_eye, images, poses)
    print(f"{len(images.images)} images miss by {found.before_px:.2f} px at the calibration, p = {found.p_value:.2g}")
    if not found.moved:
        print("the camera is where its calibration says, as far as these images tell")
        return 0
    print(f"the camera has moved: it seems {found.mm:.1f} mm and {found.deg:.2f} degrees from its calibration")
    print(f"at the place found they miss by {found.after_px:.2f} px; calibrate again before more labels are made")
    return 1
