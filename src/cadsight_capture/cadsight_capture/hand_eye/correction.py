"""A small correction of the hand-eye calibration, from the colour and kinematic labels of a whole session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array, Pose
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cadsight_capture.outline import directions, reach_of_points

_OUTLIER_STDS = 4.0


@dataclass(frozen=True)
class HandEyeParameters:
    """The fit of the correction; lengths in pixels are of the image as it is."""

    directions: int = parameter(16, "directions in which outlines are compared", minimum=4, maximum=360)
    expected_mm: float = parameter(
        1.0, "usual distance of the calibrated camera from the true one", minimum=0.01, maximum=100.0
    )
    expected_deg: float = parameter(
        0.2, "usual angle of the calibrated camera to the true one", minimum=0.001, maximum=45.0
    )
    outline_px: float = parameter(
        1.0, "usual error of an outline; neighbouring directions share theirs", minimum=0.01, maximum=50.0
    )
    held_out: float = parameter(
        0.2, "fraction of the images left out of the fit, to evaluate it", minimum=0.05, maximum=0.8
    )
    min_images: int = parameter(12, "fewest images to correct from", minimum=5)
    min_gain: float = parameter(
        0.02, "fraction by which the disagreement on the images left out must fall", minimum=0.0, maximum=1.0
    )
    seed: int = parameter(0, "seed of the choice of the images left out", minimum=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, eq=False)
class Observation:
    """One image in which both colour and kinematics found the part.

    Attributes:
        camera_from_part: by joints and the hand-eye calibration as it was given.
        reach: (K,) extent of the colour mask along the K directions, in pixels.
    """

    camera_from_part: Pose
    reach: Array


@dataclass(frozen=True, eq=False)
class HandEyeCorrection:
    """The result of a session for its hand-eye calibration.

    Attributes:
        nominal_from_corrected: pose of the corrected optical frame in the calibrated one; identity where none is
            applied. ``base_from_camera @ nominal_from_corrected`` is the corrected calibration.
        margin_px: how much farther than the CAD silhouette the colour masks reach on every side.
        applied: whether the disagreement on the images left out of the fit became lower.
        reason: one sentence.
        size_mm, size_deg: size of the correction found, applied or not.
        before_px, after_px: median over the images left out of the root mean square disagreement of the two
            outlines, each with its own margin; NaN where nothing was fitted.
        images: number of images it was fitted on.
        outliers: number of these that it was fitted without.
    """

    nominal_from_corrected: Pose
    margin_px: float
    applied: bool
    reason: str
    size_mm: float = 0.0
    size_deg: float = 0.0
    before_px: float = float("nan")
    after_px: float = float("nan")
    images: int = 0
    outliers: int = 0

    def correct(self, camera_from_part: Pose) -> Pose:
        """A pose given by the calibration, as the corrected one gives it."""
        return self.nominal_from_corrected.inverse() @ camera_from_part

    def to_json(self) -> dict[str, Any]:
        def number(value: float) -> float | None:
            return float(value) if np.isfinite(value) else None

        return {
            "nominal_from_corrected": self.nominal_from_corrected.to_json(),
            "margin_px": number(self.margin_px),
            "applied": self.applied,
            "reason": self.reason,
            "size_mm": number(self.size_mm),
            "size_deg": number(self.size_deg),
            "before_px": number(self.before_px),
            "after_px": number(self.after_px),
            "images": self.images,
            "outliers": self.outliers,
        }


def fit_hand_eye(
    observations: Sequence[Observation],
    hull_vertices: Array,
    camera: Camera,
    parameters: HandEyeParameters | None = None,
) -> HandEyeCorrection:
    """Find the small motion of the camera that makes the CAD outlines meet the colour outlines.

    Unknown are the motion (rotation vector and translation of the optical frame) and one margin in pixels, by which
    a colour mask may be thicker or thinner than the part on every side. The residuals are the differences of the
    extents of the two outlines along some directions, under a soft L1 loss. A motion of usual size costs as much as
    an outline's usual error: what the session cannot tell apart, such as a turn of the camera from a shift of it when
    the part stays at one depth, is then shared out in the likeliest way and not blown up. A second fit leaves out
    images that disagree far more than the others.

    Args:
        hull_vertices: (V, 3) of the part's convex hull in metres.
        camera: of every observation.
    """
    p = parameters or HandEyeParameters()
    if len(observations) < p.min_images:
        margin = _margin(observations, hull_vertices, camera, p)
        reason = f"{len(observations)} images have both labels, expected at least {p.min_images} to correct from"
        return HandEyeCorrection(Pose.identity(), margin, False, reason)

    order = np.random.default_rng(p.seed).permutation(len(observations))
    left_out = max(1, round(p.held_out * len(observations)))
    held_out, fitted = ([observations[i] for i in part] for part in (order[:left_out], order[left_out:]))
    problem = _Problem(fitted, hull_vertices, camera, p)
    start = np.zeros(7)
    start[6] = float(np.median(problem.gaps(Pose.identity())))
    first = problem.solve(start, np.ones(len(fitted), bool))
    disagreement = _rms(problem.gaps(_motion(first)) - first[6])
    middle = np.median(disagreement)
    std = max(1.4826 * float(np.median(np.abs(disagreement - middle))), 0.1 * p.outline_px)
    usual = disagreement <= middle + _OUTLIER_STDS * std
    found = problem.solve(first, usual)

    motion = _motion(found)
    checked = _Problem(held_out, hull_vertices, camera, p)
    without = problem.gaps(Pose.identity())[usual]
    before = float(np.median(_rms(checked.gaps(Pose.identity()) - np.median(without))))
    after = float(np.median(_rms(checked.gaps(motion) - found[6])))
    applied = after < before * (1 - p.min_gain)
    verb = "lowers" if applied else "does not lower"
    reason = f"it {verb} the disagreement on {left_out} images left out of the fit: {before:.2f} to {after:.2f} px"
    return HandEyeCorrection(
        motion if applied else Pose.identity(),
        float(found[6] if applied else np.median(without)),
        applied,
        reason,
        size_mm=float(np.linalg.norm(motion.translation) * 1e3),
        size_deg=float(np.degrees(np.linalg.norm(motion.rotvec))),
        before_px=before,
        after_px=after,
        images=len(fitted),
        outliers=int((~usual).sum()),
    )


class _Problem:
    """Residuals of some observations; every vertex of every one is projected in one call."""

    def __init__(
        self, observations: Sequence[Observation], hull_vertices: Array, camera: Camera, parameters: HandEyeParameters
    ) -> None:
        self._points = np.stack([o.camera_from_part.apply(hull_vertices) for o in observations])
        self._reach = np.stack([o.reach for o in observations])
        self._camera = camera
        self._along = directions(parameters.directions)
        self._p = parameters

    def gaps(self, nominal_from_corrected: Pose, use: NDArray[np.bool_] | slice = slice(None)) -> Array:
        """(N, K) pixels by which the colour masks reach farther than the CAD silhouettes."""
        points = nominal_from_corrected.inverse().apply(self._points[use])
        pixels = self._camera.project(points.reshape(-1, 3)).reshape(*points.shape[:2], 2)
        return self._reach[use] - reach_of_points(pixels, self._along)

    def solve(self, start: Array, use: NDArray[np.bool_]) -> Array:
        """(7,) rotation vector in radians, translation in metres, margin in pixels."""
        p = self._p
        usual = np.array([np.radians(p.expected_deg)] * 3 + [p.expected_mm * 1e-3] * 3) / np.sqrt(3)

        def residuals(x: Array) -> Array:
            outlines = (self.gaps(_motion(x), use) - x[6]).ravel() / p.outline_px
            return np.concatenate([outlines, x[:6] / usual])

        # Soft L1 for the outlines alone: the usual size of a motion is no measurement that could be wrong.
        def loss(z: Array) -> Array:
            soft = np.stack([2 * (np.sqrt(1 + z) - 1), (1 + z) ** -0.5, -0.5 * (1 + z) ** -1.5])
            soft[:, -6:] = np.stack([z[-6:], np.ones(6), np.zeros(6)])
            return soft

        return least_squares(residuals, start, loss=loss, x_scale=np.append(usual, p.outline_px)).x


def _motion(x: Array) -> Pose:
    return Pose.from_rotvec(x[:3], x[3:6])


def _margin(observations: Sequence[Observation], hull_vertices: Array, camera: Camera, p: HandEyeParameters) -> float:
    if not observations:
        return 0.0
    return float(np.median(_Problem(observations, hull_vertices, camera, p).gaps(Pose.identity())))


def _rms(gaps: Array) -> Array:
    return np.sqrt(np.mean(gaps**2, axis=-1))
