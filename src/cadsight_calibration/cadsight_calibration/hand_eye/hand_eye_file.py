"""The file that a hand-eye calibration ends in: where the camera is, how well it is known, what later checks need."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import json_with, write_output

from cadsight_calibration.data.description import Setup

FORMAT = "cadsight-hand-eye-1"
_BASE_LINK_FROM_BASE = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class HandEye:
    """A hand-eye calibration.

    Attributes:
        setup: ``eye_to_hand`` or ``eye_in_hand``.
        parent_frame: the base or the tool; parent_from_camera: the camera's optical frame in it.
        camera: the intrinsics it was made with, whose frame is the optical one; serial: empty where it is not known.
        holder_from_board: the board in the tool (eye to hand) or in the base.
        covariance: (12, 12) of camera and board, and noise_px of a corner, as
            :class:`cadsight_calibration.hand_eye.evaluation.Evaluation` has them.
        views: number of views that it was made from.
        figures, faults: for people.
    """

    setup: Setup
    parent_frame: str
    parent_from_camera: Pose
    camera: Camera
    serial: str
    holder_from_board: Pose
    covariance: Array
    noise_px: float
    views: int
    figures: dict[str, Any]
    faults: tuple[str, ...]


def write_hand_eye(path: str | Path, hand_eye: HandEye) -> Path:
    """Write the file, new or in the place of an earlier one of ours.

    Raises:
        CadsightError: for a file of others in the way, and when the disk refuses the bytes.
    """
    data = {
        "format": FORMAT,
        "setup": hand_eye.setup,
        "parent_frame": hand_eye.parent_frame,
        "parent_from_camera": hand_eye.parent_from_camera.to_json(),
        "camera": hand_eye.camera.to_json(),
        "serial": hand_eye.serial,
        "holder_from_board": hand_eye.holder_from_board.to_json(),
        "covariance": hand_eye.covariance.tolist(),
        "noise_px": hand_eye.noise_px,
        "views": hand_eye.views,
        "figures": hand_eye.figures,
        "faults": list(hand_eye.faults),
    }
    return write_output(path, figures_text(data, indent=1) + "\n", json_with(form=FORMAT))


def read_hand_eye(path: str | Path) -> HandEye:
    """The calibration in a file.

    Raises:
        CadsightError: when it cannot be read, is of another format, or a value in it cannot be used.
    """
    data = read_document(path, FORMAT, "hand-eye calibration")
    with taken_from(f"the hand-eye file {path}", "one that `cadsight calibrate hand-eye` wrote"):
        hand_eye = HandEye(
            data["setup"],
            str(data["parent_frame"]),
            Pose.from_json(data["parent_from_camera"]),
            Camera.from_json(data["camera"]),
            str(data["serial"]),
            Pose.from_json(data["holder_from_board"]),
            np.array(data["covariance"], float).reshape(12, 12),
            float(data["noise_px"]),
            int(data["views"]),
            dict(data["figures"]),
            tuple(data["faults"]),
        )
    pose = hand_eye.parent_from_camera
    if hand_eye.setup not in ("eye_to_hand", "eye_in_hand"):
        raise CadsightError(
            f"the hand-eye file {path} has the setup {hand_eye.setup!r}, expected eye_to_hand or eye_in_hand"
        )
    if not (np.isfinite(pose.rotation).all() and np.isfinite(pose.translation).all()):
        raise CadsightError(f"the hand-eye file {path} has a pose that is not finite, expected one of numbers")
    return hand_eye


def parent_from_link(hand_eye: HandEye, link_from_optical: Pose) -> tuple[str, Pose]:
    """The frame and the pose that a camera's link is published with.

    The driver says where the optical frame is in the link. A camera that was found in a UR's ``base`` is published in
    ``base_link``, which is turned against it by pi about z.
    """
    pose = hand_eye.parent_from_camera @ link_from_optical.inverse()
    if hand_eye.parent_frame != "base":
        return hand_eye.parent_frame, pose
    return "base_link", Pose(_BASE_LINK_FROM_BASE, np.zeros(3)) @ pose


def digest(path: str | Path) -> str:
    """SHA-256 of the file, in hex digits, as records of sessions keep it."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise CadsightError(f"the hand-eye file {path} could not be read: {error.strerror}") from error
