"""A camera's intrinsics from images of a board."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, angle_between

from cadsight_calibration.boards.found import Found
from cadsight_calibration.camera.projection import camera_with
from cadsight_calibration.fault import Fault

_FEWEST = 5
# Standard deviation of the focal length, and part of the image's width and height that corners reach.
_WORST_FOCAL, _LEAST_REACH = 0.005, 0.6
# Degrees from their mean normal that one board in four must be turned by.
_LEAST_TILT_DEG = 10.0


@dataclass(frozen=True)
class IntrinsicsParameters:
    """How intrinsics are fitted."""

    outlier: float = parameter(4.0, "an image that misses by so many times the median is left out", minimum=2.0)
    outlier_px: float = parameter(0.5, "but none that misses by less, in an image 1280 pixels wide", minimum=0.01)
    folds: int = parameter(5, "parts that images are left out in, one after the other", minimum=2, maximum=100)
    k3: bool = parameter(True, "fit the third radial coefficient; false for a narrow lens")
    seed: int = parameter(0, "seed of the folds", minimum=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, eq=False)
class Intrinsics:
    """A camera that was calibrated.

    Attributes:
        deviations: (9,) standard deviations of fx, fy, cx, cy, k1, k2, p1, p2, k3.
        fitted_px, left_out_px: median over images of the root mean square of a corner, in the fit and left out of it.
        used: names of the images in the fit.
        faults: images that were left out, and what is badly determined.
    """

    camera: Camera
    deviations: Array
    fitted_px: float
    left_out_px: float
    used: tuple[str, ...]
    faults: tuple[Fault, ...]


def calibrate_intrinsics(
    names: Sequence[str], found: Sequence[Found], size: ImageSize, frame: str, parameters: IntrinsicsParameters
) -> Intrinsics:
    """Fit a pinhole with OpenCV's plumb_bob lens (Zhang 2000).

    Raises:
        CadsightError: for fewer than five images with the board, or boards that determine no camera.
    """
    if len(found) < _FEWEST:
        raise CadsightError(f"{len(found)} images show the board, expected at least {_FEWEST}, better 20")
    kept, faults = list(range(len(found))), []
    for _ in range(5):
        numbers, deviations, misses, normals = _fit([found[i] for i in kept], size, parameters.k3)
        limit = max(parameters.outlier * float(np.median(misses)), parameters.outlier_px * size.width / 1280)
        wrong = [i for i, miss in zip(kept, misses, strict=True) if miss > limit]
        if not wrong:
            break
        for i, miss in zip(kept, misses, strict=True):
            if miss > limit:
                sentence = f"{names[i]} misses by {miss:.2f} px, the others by {np.median(misses):.2f}; it is left out"
                faults.append(Fault("does_not_fit", (names[i],), sentence))
        kept = [i for i in kept if i not in wrong]
        if len(kept) < _FEWEST:
            raise CadsightError(f"{len(kept)} images fit one camera, expected at least {_FEWEST} of the {len(found)}")
    boards = [found[i] for i in kept]
    faults += _weak(numbers, deviations, normals, boards, size)
    start = Camera(size, 1.0, 1.0, 0.0, 0.0, (), frame)
    left_out = _left_out(boards, size, parameters)
    return Intrinsics(
        camera_with(start, numbers),
        deviations,
        float(np.median(misses)),
        left_out,
        tuple(names[i] for i in kept),
        tuple(faults),
    )


def _fit(found: Sequence[Found], size: ImageSize, k3: bool) -> tuple[Array, Array, Array, Array]:
    """Intrinsics (9,), their standard deviations (9,), pixels (N,) by which images miss, normals (N, 3) of boards."""
    points = [f.points[0].astype(np.float32) for f in found]
    pixels = [f.pixels.astype(np.float32) for f in found]
    try:
        _, matrix, lens, turns, _, deviations, _, misses = cv2.calibrateCameraExtended(
            points,
            pixels,
            (size.width, size.height),
            np.eye(3),
            np.zeros(5),
            flags=0 if k3 else cv2.CALIB_FIX_K3,
        )
    except cv2.error as error:
        raise CadsightError(
            f"the boards determine no camera ({error.err}), expected boards tilted in several directions"
        ) from error
    numbers = np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *np.ravel(lens)[:5]], float)
    if not np.isfinite(numbers).all() or not (numbers[:2] > 0).all():
        raise CadsightError("the boards determine no camera, expected boards tilted in several directions")
    normals = np.array([cv2.Rodrigues(turn)[0][:, 2] for turn in turns], float)
    return numbers, np.ravel(deviations)[:9].astype(float), np.ravel(misses).astype(float), normals


def _left_out(found: Sequence[Found], size: ImageSize, parameters: IntrinsicsParameters) -> float:
    """Median over images, each left out of a fit, of the root mean square by which its board misses in its own pose."""
    order = np.random.default_rng(parameters.seed).permutation(len(found))
    misses = []
    for fold in np.array_split(order, min(parameters.folds, len(found))):
        rest = [f for i, f in enumerate(found) if i not in fold]
        if len(rest) < 3:
            continue
        numbers, *_ = _fit(rest, size, parameters.k3)
        camera = camera_with(Camera(size, 1.0, 1.0, 0.0, 0.0), numbers)
        lens = np.array(camera.distortion if camera.distortion else (0.0,) * 4)
        for i in fold:
            points, pixels = np.ascontiguousarray(found[i].points[0]), found[i].pixels
            _, turn, move = cv2.solvePnP(points, pixels, camera.matrix, lens, flags=cv2.SOLVEPNP_ITERATIVE)
            seen, _ = cv2.projectPoints(points, turn, move, camera.matrix, lens)
            misses.append(float(np.sqrt(((seen[:, 0] - pixels) ** 2).sum(-1).mean())))
    return float(np.median(misses))


def _weak(numbers: Array, deviations: Array, normals: Array, found: Sequence[Found], size: ImageSize) -> list[Fault]:
    faults = []
    tilt = float(np.quantile(angle_between(normals, normals.mean(0)), 0.75))
    if tilt < _LEAST_TILT_DEG:
        faults.append(
            Fault(
                "badly_determined",
                (),
                f"three boards in four are turned by less than {tilt:.1f} degrees against each other, expected "
                f"{_LEAST_TILT_DEG:g}: take images with the board tilted by 30 degrees, in several directions",
            )
        )
    focal = float((deviations[:2] / numbers[:2]).max())
    if focal > _WORST_FOCAL:
        faults.append(
            Fault(
                "badly_determined",
                (),
                f"the focal length is known to {focal:.2%}, expected {_WORST_FOCAL:.1%}: take more images, with the "
                "board tilted in several directions",
            )
        )
    pixels = np.concatenate([f.pixels for f in found])
    reach = np.ptp(pixels, axis=0) / (size.width, size.height)
    if reach.min() < _LEAST_REACH:
        faults.append(
            Fault(
                "badly_determined",
                (),
                f"the boards reach over {reach[0]:.0%} of the image's width and {reach[1]:.0%} of its height, expected "
                f"{_LEAST_REACH:.0%}: outside, the lens is a guess",
            )
        )
    return faults
