"""Whether a set fits as its description says, and what the description should say where it does not."""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from scipy.spatial.transform import Rotation

from cadsight_calibration.camera.projection import numbers_of
from cadsight_calibration.data.loading import ArmPoses, CameraImages
from cadsight_calibration.data.reading import Reading, other_readings
from cadsight_calibration.fault import Fault
from cadsight_calibration.fitting.consensus import TRIPLES, candidates
from cadsight_calibration.fitting.problem import Problem, Refinement, Solution
from cadsight_calibration.fitting.views import Views

FEWEST = 5
# A view that misses by less, as a fraction of the image's width, is of the same set; what the arm's own errors give.
SAME = 0.01
# Fraction of views that another reading must make fit, and by how much more than the one that was said.
_CONVINCING, _BETTER = 0.6, 0.2
# Triples for a reading that is only tried.
_QUICK = 80
# Least turn of the arm about a second axis, root mean square over pairs of poses.
_LEAST_TURN_DEG = 3.0


@dataclass(frozen=True, eq=False)
class Attempt:
    """A set under one reading and one camera.

    Attributes:
        fits: fraction of the views that fit; median_px: of all views.
        how: what was done to intrinsics of another image size; empty where nothing was.
    """

    problem: Problem
    camera: Camera
    how: str
    fits: float = 0.0
    median_px: float = np.inf
    solution: Solution | None = None

    @property
    def rank(self) -> tuple[float, float]:
        return round(self.fits, 1), -self.median_px


def as_said(
    images: CameraImages, poses: ArmPoses, loss_px: float, least_fit: float, seed: int
) -> tuple[Attempt, Solution, tuple[Fault, ...]]:
    """The set as its description says, a rough solution, and faults of its intrinsics.

    Raises:
        CadsightError: for poses that turn about one axis alone, a set that fits when it is read in another way, which
            is named, and one that fits in no way.
    """
    cameras = _cameras(images)
    attempts = [_tried(_problem(images, poses, poses.reading, c, loss_px), c, how, seed) for how, c in cameras]
    best = max(attempts, key=lambda attempt: attempt.rank)
    if best.solution is None or best.fits < least_fit:
        _check_turns(best.problem, images.name)
        raise _refusal(images, poses, cameras, best.fits, least_fit, loss_px, seed)
    _check_turns(best.problem, images.name)
    return best, best.solution, (_size_fault(images, best.how),) if best.how else ()


def _problem(images: CameraImages, poses: ArmPoses, reading: Reading, camera: Camera, loss_px: float) -> Problem:
    """The problem of the images whose pose is there under that reading."""
    rows = images.rows + reading.shift
    there = np.flatnonzero((rows >= 0) & (rows < len(poses.names)))
    numbers = poses.numbers.taken(rows[there])
    return Problem(
        Views.of(images.images, images.found).taken(there),
        numbers.tool_poses(reading),
        reading.setup == "eye_in_hand",
        numbers_of(camera),
        np.zeros(len(there), np.intp),
        Refinement(loss_px=loss_px),
        numbers.joint_radians(reading) if numbers.joints is not None else None,
        numbers.chain,
    )


def _tried(problem: Problem, camera: Camera, how: str, seed: int, triples: int = TRIPLES, most: int = 3) -> Attempt:
    best = Attempt(problem, camera, how)
    for candidate in candidates(problem.views, problem.motions(), camera, seed, triples)[:most]:
        solution = problem.solve(problem.start(candidate.camera, candidate.board), coarse=True)
        rms = problem.rms(solution)
        fits = float((rms <= SAME * camera.size.width).mean())
        best = max(best, replace(best, fits=fits, median_px=float(np.median(rms)), solution=solution), key=_exactly)
    return best


def _exactly(attempt: Attempt) -> tuple[float, float]:
    return attempt.fits, -attempt.median_px


def _refusal(
    images: CameraImages,
    poses: ArmPoses,
    cameras: list[tuple[str, Camera]],
    fits: float,
    least_fit: float,
    loss_px: float,
    seed: int,
) -> CadsightError:
    said = f"{fits:.0%} of the {len(images.images)} images of {images.name} fit the arm's poses as they are described"
    best: tuple[float, float, str] = (0.0, -np.inf, "")
    for words, reading in other_readings(poses.reading, poses.numbers):
        for how, camera in cameras:
            try:
                problem = _problem(images, poses, reading, camera, loss_px)
            except CadsightError:  # numbers that are no rotation of that form
                continue
            if len(problem.views) >= FEWEST:
                attempt = _tried(problem, camera, how, seed, _QUICK, 1)
                best = max(best, (attempt.fits, -attempt.median_px, words))
    if best[0] >= max(_CONVINCING, fits + _BETTER):
        return CadsightError(f"{said}, and {best[0]:.0%} do when {best[2]}: expected the description to say so")
    return CadsightError(
        f"{said}, and no more when units, forms or directions are read otherwise, expected at least {least_fit:.0%}: "
        "are these the poses of these images, is it this board, and are the intrinsics those of this camera?"
    )


def _check_turns(problem: Problem, name: str) -> None:
    """Refuse poses that turn about one axis alone: where the camera is along it shows in none of them."""
    first, second = np.triu_indices(len(problem.poses), 1)
    steps = problem.poses[second, :3, :3] @ problem.poses[first, :3, :3].transpose(0, 2, 1)
    _, spread, axes = np.linalg.svd(Rotation.from_matrix(steps).as_rotvec(), full_matrices=False)
    about_second = float(np.degrees(spread[1] / np.sqrt(len(steps))))
    if about_second < _LEAST_TURN_DEG:
        # No -0.00 in the sentence.
        axis = np.round(axes[0] * np.sign(axes[0][np.argmax(abs(axes[0]))]), 2) + 0.0
        raise CadsightError(
            f"all poses of {name} turn about one axis, ({axis[0]:.2f}, {axis[1]:.2f}, {axis[2]:.2f}) in the base, and "
            f"by {about_second:.1f} degrees about others, expected at least {_LEAST_TURN_DEG:g}: where the camera is "
            "along that axis cannot be told"
        )


def _cameras(images: CameraImages) -> list[tuple[str, Camera]]:
    """The intrinsics as they may hold for the images, each with what was done to them."""
    camera, size = images.camera, images.size
    if camera.size == size:
        return [("", camera)]
    across, down = size.width / camera.size.width, size.height / camera.size.height
    found = []
    if abs(across / down - 1) < 0.01:
        found.append(("scaled", camera.resized(size)))
    if across <= 1 and down <= 1:
        found.append(("cut out around the centre", _cut(camera, size)))
    if not found:
        raise CadsightError(
            f"the intrinsics of {images.name} are of {camera.size.width} x {camera.size.height} pixels and its images "
            f"have {size.width} x {size.height}, expected intrinsics of that size, or of its shape"
        )
    return found


def _cut(camera: Camera, size: ImageSize) -> Camera:
    left, top = (camera.size.width - size.width) / 2, (camera.size.height - size.height) / 2
    return replace(camera, size=size, cx=camera.cx - left, cy=camera.cy - top)


def _size_fault(images: CameraImages, how: str) -> Fault:
    own, size = images.camera.size, images.size
    return Fault(
        "image_size",
        (),
        f"the intrinsics of {images.name} are of {own.width} x {own.height} pixels and its images have "
        f"{size.width} x {size.height}: they fit images that were {how} to that size, and are used so",
    )
