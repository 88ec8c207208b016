"""From boards and arm poses to the camera: solved, with what does not fit left out and said why."""

from dataclasses import dataclass, field, replace

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_calibration.camera.projection import camera_with
from cadsight_calibration.data.loading import ArmPoses, CameraImages
from cadsight_calibration.fault import Fault
from cadsight_calibration.fitting.problem import Problem, Refinement, Solution
from cadsight_calibration.hand_eye.choosing import FEWEST, SAME, as_said
from cadsight_calibration.hand_eye.explaining import explain
from cadsight_calibration.hand_eye.moving import find_move


@dataclass(frozen=True)
class SolveParameters:
    """How a hand-eye calibration is solved."""

    seed: int = parameter(0, "seed of the choice of triples of views", minimum=0)
    outlier: float = parameter(6.0, "a view that misses by so many times the median is left out", minimum=2.0)
    outlier_px: float = parameter(2.0, "but none that misses by less, in an image 1280 pixels wide", minimum=0.01)
    least_fit: float = parameter(0.5, "fraction of the views that must fit", minimum=0.3, maximum=1.0)
    refinement: Refinement = field(default_factory=Refinement)

    def __post_init__(self) -> None:
        check(self)

    def limit(self, rms: Array, camera: Camera) -> float:
        """Pixels from which a view does not fit, from the root mean squares of those that do."""
        return max(self.outlier * float(np.median(rms)), self.outlier_px * camera.size.width / 1280)


@dataclass(frozen=True, eq=False)
class Solved:
    """A set that was solved.

    Attributes:
        everything: the problem of all views with a board; solution: of those that were kept.
        kept: (K,) their indices; rms: (V,) pixels of all views.
        camera: the intrinsics of the images, as fitted where they are.
        faults: of images and of the set, those of loading included.
    """

    everything: Problem
    solution: Solution
    kept: NDArray[np.intp]
    rms: Array
    camera: Camera
    faults: tuple[Fault, ...]

    @property
    def problem(self) -> Problem:
        """Of the views that were kept."""
        return self.everything.taken(self.kept)

    @property
    def kept_solution(self) -> Solution:
        """The solution with the orders of the views that were kept."""
        return replace(self.solution, order=self.solution.order[self.kept])


def solve_hand_eye(images: CameraImages, poses: ArmPoses, parameters: SolveParameters) -> Solved:
    """Where the camera is.

    Raises:
        CadsightError: for fewer than five usable views, and as :func:`cadsight_calibration.hand_eye.choosing.as_said`.
    """
    if len(images.images) < FEWEST:
        words = "".join(f"; {fault.sentence}" for fault in images.faults[:3])
        raise CadsightError(
            f"{len(images.images)} images of {images.name} show the board at a pose of the arm, "
            f"expected at least {FEWEST}, better 15{words}"
        )
    refinement = parameters.refinement
    attempt, rough, size_faults = as_said(images, poses, refinement.loss_px, parameters.least_fit, parameters.seed)
    camera, plain = attempt.camera, attempt.problem
    possible: NDArray[np.intp] = np.arange(len(plain.views))
    faults = [*images.faults, *size_faults]
    solution, kept = _settle(plain, rough, camera, parameters, possible)
    moved = find_move(plain, solution, kept, camera)
    if moved is not None:
        faults.append(moved.fault)
        plain, possible = moved.problem, moved.possible
        solution, kept = _settle(plain, moved.solution, camera, parameters, possible)
    problem = replace(plain, refinement=refinement)
    if refinement.more:
        solution, kept = _settle(problem, solution, camera, parameters, possible)
    if len(kept) < FEWEST:
        words = "".join(f"; {fault.sentence}" for fault in faults[:3])
        raise CadsightError(f"{len(kept)} images of {images.name} fit together, expected at least {FEWEST}{words}")
    rms = problem.rms(solution)
    left = [int(i) for i in np.setdiff1d(possible, kept)]
    faults += explain(problem, solution, left, parameters.limit(rms[kept], camera))
    fitted = camera_with(camera, solution.lens) if refinement.intrinsics else camera
    return Solved(problem, solution, kept, rms, fitted, tuple(faults))


def _settle(
    problem: Problem, start: Solution, camera: Camera, parameters: SolveParameters, possible: NDArray[np.intp]
) -> tuple[Solution, NDArray[np.intp]]:
    """The solution of the views that fit it, and which of the ``possible`` ones those are."""
    rms = problem.rms(start)[possible]
    kept = possible[rms <= max(parameters.limit(rms, camera), SAME * camera.size.width)]
    solution = start
    for _ in range(6):
        part = problem.taken(kept).solve(replace(solution, order=solution.order[kept]))
        solution = problem.reordered(part)
        rms = problem.rms(solution)
        now = possible[rms[possible] <= parameters.limit(rms[kept], camera)]
        if len(now) < 3 or np.array_equal(now, kept):
            break
        kept = now
    return solution, kept
