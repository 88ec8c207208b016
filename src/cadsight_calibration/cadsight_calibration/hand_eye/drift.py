"""Whether a camera is still where its hand-eye calibration says, from a few images."""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from scipy.stats import f as f_distribution

from cadsight_calibration.camera.projection import numbers_of
from cadsight_calibration.data.loading import ArmPoses, CameraImages
from cadsight_calibration.fitting.problem import Problem, Refinement, Solution, transforms
from cadsight_calibration.fitting.views import Views
from cadsight_calibration.hand_eye.hand_eye_file import HandEye

# A place that is this improbable where nothing moved is told as moved.
_ALARM = 0.001
_FREEDOM_TAKEN = 6


@dataclass(frozen=True, eq=False)
class Drift:
    """What some images say of the camera's place.

    Attributes:
        moved: whether they speak against the calibration.
        p_value: how often images as these would come where nothing had moved.
        mm, deg: how far the camera seems to be from where the calibration has it; uncertain where nothing moved.
        before_px, after_px: median over views of the root mean square of a corner, at the calibration and at the place
            that is found.
        parent_from_camera: that place.
    """

    moved: bool
    p_value: float
    mm: float
    deg: float
    before_px: float
    after_px: float
    parent_from_camera: Pose


def check_place(hand_eye: HandEye, images: CameraImages, poses: ArmPoses, loss_px: float = 1.0) -> Drift:
    """Compare the camera's place in some images with a calibration.

    The camera alone is fitted to the new images, with the board where the calibration has it. Its distance from the
    calibration is measured by what both can be off: the calibration by its own covariance, that of the board included,
    and the new place by the noise that the calibration had. The p-value is that of Hotelling's test.

    Raises:
        CadsightError: when no image shows the board, or the images have another size than the calibration's.
    """
    if not images.images:
        words = "".join(f"; {fault.sentence}" for fault in images.faults[:3])
        raise CadsightError(f"no image of {images.name} shows the board, expected one at least, better five{words}")
    if images.size != hand_eye.camera.size:
        raise CadsightError(
            f"the images of {images.name} have {images.size.width} x {images.size.height} pixels and the calibration "
            f"is of {hand_eye.camera.size.width} x {hand_eye.camera.size.height}, expected the same camera and profile"
        )
    if poses.reading.setup != hand_eye.setup:
        raise CadsightError(f"the set is {poses.reading.setup} and the calibration {hand_eye.setup}, expected the same")
    views = Views.of(images.images, images.found)
    problem = Problem(
        views,
        poses.numbers.taken(images.rows).tool_poses(poses.reading),
        hand_eye.setup == "eye_in_hand",
        numbers_of(hand_eye.camera),
        np.zeros(len(views), np.intp),
        Refinement(loss_px=loss_px),
    )
    start = problem.start(hand_eye.parent_from_camera.matrix, hand_eye.holder_from_board.matrix)
    step, camera_part, board_part = _camera_step(problem, start)
    solution = replace(start, camera=start.camera @ transforms(step[None])[0])
    information = camera_part.T @ camera_part
    by_board = np.linalg.lstsq(information, camera_part.T @ board_part, rcond=None)[0]
    passed_on = np.column_stack([np.eye(6), by_board])
    spread = passed_on @ hand_eye.covariance @ passed_on.T + hand_eye.noise_px**2 * np.linalg.pinv(information)
    squared = float(step @ np.linalg.solve(spread, step))
    freedom = max(hand_eye.views - _FREEDOM_TAKEN, 3)
    p_value = float(f_distribution.sf(squared / 6, 6, freedom))
    return Drift(
        p_value < _ALARM,
        p_value,
        float(np.linalg.norm(step[3:]) * 1e3),
        float(np.degrees(np.linalg.norm(step[:3]))),
        float(np.median(problem.rms(start))),
        float(np.median(problem.rms(problem.reordered(solution)))),
        Pose.from_matrix(solution.camera),
    )


def _camera_step(problem: Problem, start: Solution) -> tuple[Array, Array, Array]:
    """The motion (6,) of the camera that fits best, and pixels (2 P, 6) by each number of the camera and the board."""
    x: Array = np.zeros(6)
    camera_part, board_part = np.zeros((0, 6)), np.zeros((0, 6))
    for _ in range(10):
        at = replace(start, camera=start.camera @ transforms(x[None])[0])
        at = problem.reordered(at)
        jacobian = problem.jacobian(at)
        camera_part, board_part = (jacobian[..., k : k + 6].reshape(-1, 6) for k in (0, 6))
        errors = problem.errors(at).ravel()
        change = np.asarray(np.linalg.lstsq(camera_part, -errors, rcond=None)[0], float)
        moved = transforms(x[None])[0] @ transforms(change[None])[0]
        pose = Pose.from_matrix(moved)
        x = np.concatenate([pose.rotvec, pose.translation])
        if np.linalg.norm(change) < 1e-8:
            break
    return x, camera_part, board_part
