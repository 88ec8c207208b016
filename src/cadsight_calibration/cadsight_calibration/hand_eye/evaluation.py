"""How far a calibration can be trusted: poses left out, covariance, and what it means for a label."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array
from scipy.spatial.transform import Rotation

from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fitting.problem import Problem, Solution, transforms
from cadsight_calibration.fitting.seen import twists

_RESAMPLES = 1000
_SAMPLES = 200


@dataclass(frozen=True)
class EvaluationParameters:
    """How a calibration is evaluated."""

    folds: int = parameter(5, "parts that the poses are left out in, one after the other", minimum=2, maximum=100)
    limit_px: float = parameter(2.0, "a label's box may be off by so much", minimum=0.01)
    limit_deg: float = parameter(0.5, "a label's normal may be turned by so much", minimum=0.001)
    seed: int = parameter(0, "seed of folds and resampling", minimum=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Figure:
    """A median over views with its interval of 95 %, from resampled views."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known of an answer.

    Attributes:
        fitted_px, left_out_px: root mean square of a view's corners, of views in the fit and left out of it.
        left_out_mm, left_out_deg: how far the board of a view left out lies and turns from where it is predicted.
        joint_covariance: (12, 12) of the rotation vectors (radians) and translations (metres) of the camera and of the
            board's last place, each in its own frame.
        noise_px: of a corner, so large that corners may be taken as independent: what the arm's error adds included.
        label_px, label_deg: what the camera's own uncertainty does to a label: the box's side and the normal, 95 % of
            cases are below.
        warnings: sentences.
    """

    fitted_px: Figure
    left_out_px: Figure
    left_out_mm: Figure
    left_out_deg: Figure
    joint_covariance: Array
    noise_px: float
    label_px: float
    label_deg: float
    warnings: tuple[str, ...]

    @property
    def covariance(self) -> Array:
        """(6, 6) of the camera."""
        return self.joint_covariance[:6, :6]

    @property
    def position_mm(self) -> float:
        """Standard deviation of the camera's position."""
        return float(np.sqrt(np.trace(self.covariance[3:, 3:])) * 1e3)

    @property
    def turn_deg(self) -> float:
        """Standard deviation of the camera's turn."""
        return float(np.degrees(np.sqrt(np.trace(self.covariance[:3, :3]))))

    def to_json(self) -> dict[str, Any]:
        figures = {k: asdict(getattr(self, k)) for k in ("fitted_px", "left_out_px", "left_out_mm", "left_out_deg")}
        own = {"position_mm": self.position_mm, "turn_deg": self.turn_deg}
        label = {"label_px": self.label_px, "label_deg": self.label_deg, "warnings": list(self.warnings)}
        return {**figures, **own, **label}


def evaluate(problem: Problem, solution: Solution, parameters: EvaluationParameters) -> Evaluation:
    """Figures of a solution of the views that were kept."""
    rng = np.random.default_rng(parameters.seed)
    count = len(problem.views)
    left_px, left_twists, left_apart = np.empty(count), np.empty((count, 6)), np.empty((count, 2))
    for fold in np.array_split(rng.permutation(count), min(parameters.folds, count)):
        rest = np.setdiff1d(np.arange(count), fold)
        part = problem.taken(rest)
        answer = part.solve(_of(solution, rest), rounds=2)
        out = problem.taken(fold)
        there = _of(answer, np.zeros(len(fold), int))
        left_px[fold] = out.rms(there)
        left_twists[fold] = twists(out, out.reordered(there))
        left_apart[fold] = _board_apart(out, out.reordered(there), left_twists[fold])
    covariance, noise = joint_covariance(problem, solution)
    px, deg = _label(problem, solution, covariance[:6, :6], rng)
    warnings = []
    if px > parameters.limit_px:
        warnings.append(
            f"a label's box may be off by {px:.2f} px by the camera's place alone, expected at most "
            f"{parameters.limit_px:g}: take more poses, spread wider"
        )
    if deg > parameters.limit_deg:
        warnings.append(
            f"a label's normal may be turned by {deg:.2f} degrees by the camera's place alone, expected at most "
            f"{parameters.limit_deg:g}: take more poses, turned more"
        )
    fitted = _figure(problem.rms(solution), rng)
    left_out = _figure(left_px, rng)
    if left_out.value > 1.3 * fitted.value:
        warnings.append(
            f"poses left out of the fit miss by {left_out.value:.2f} px and those in it by {fitted.value:.2f} px, "
            "expected at most 1.3 times as much: take more poses"
        )
    if left_out.value > parameters.limit_px:
        warnings.append(
            f"poses left out of the fit miss by {left_out.value:.2f} px, more than a label may "
            f"({parameters.limit_px:g}): the arm's own errors are in every kinematic label too"
        )
    return Evaluation(
        fitted,
        left_out,
        _figure(left_apart[:, 0], rng),
        _figure(left_apart[:, 1], rng),
        covariance,
        noise,
        px,
        deg,
        tuple(warnings),
    )


def joint_covariance(problem: Problem, solution: Solution) -> tuple[Array, float]:
    """(12, 12) of camera and board, from the answers with one view left out each (jackknife), to first order; and the
    noise of a corner in pixels under which independent corners would give the camera that covariance.

    Corners of one view share the arm's error, so they do not count as so many observations.
    """
    views = problem.views
    errors, jacobian = problem.errors(solution), problem.jacobian(solution)
    weight = 1 / np.sqrt(1 + (errors / problem.refinement.loss_px) ** 2)
    count, size = len(views), jacobian.shape[-1]
    information, gradient = np.empty((count, size, size)), np.empty((count, size))
    for i in range(count):
        own = views.view == i
        flat, w, r = jacobian[own].reshape(-1, size), weight[own].ravel(), errors[own].ravel()
        information[i] = (flat * w[:, None]).T @ flat
        gradient[i] = flat.T @ (w * r)
    whole = information.sum(0) + problem.held(solution)
    changes = np.stack([np.linalg.lstsq(whole - information[i], gradient[i], rcond=None)[0] for i in range(count)])
    changes -= changes.mean(0)
    covariance = (count - 1) / count * changes.T @ changes
    plain = np.linalg.pinv(whole)[:6, :6]
    noise = float(np.sqrt(np.trace(np.linalg.solve(plain, covariance[:6, :6])) / 6))
    both = np.r_[0:6, 6 * len(solution.boards) : 6 * len(solution.boards) + 6]
    return np.asarray(covariance[np.ix_(both, both)]), noise


def _of(solution: Solution, rows: Array) -> Solution:
    return replace(solution, order=solution.order[rows])


def _board_apart(problem: Problem, solution: Solution, moves: Array) -> Array:
    """(V, 2) millimetres and degrees by which the boards seen lie from where they are predicted."""
    predicted = problem.camera_from_board(solution)
    step = inverse(predicted) @ inverse(transforms(moves)) @ predicted
    centre = problem.views.mean(problem.views.chosen(solution.order))
    moved = (step[:, :3, :3] @ centre[..., None])[..., 0] + step[:, :3, 3] - centre
    turned = np.degrees(np.linalg.norm(Rotation.from_matrix(step[:, :3, :3]).as_rotvec(), axis=-1))
    return np.column_stack([np.linalg.norm(moved, axis=-1) * 1e3, turned])


def _label(problem: Problem, solution: Solution, covariance: Array, rng: np.random.Generator) -> tuple[float, float]:
    """95 % of a part as large as the board has its box's sides and its normal off by less: pixels and degrees."""
    from cadsight_calibration.camera.projection import project

    views, poses = problem.views, problem.camera_from_board(solution)
    points = views.chosen(solution.order)
    root = np.linalg.svd(covariance)
    draws = rng.normal(size=(_SAMPLES, 6)) @ (np.sqrt(root[1])[:, None] * root[2])
    moved = inverse(transforms(draws))
    at = (poses[views.view][:, :3, :3] @ points[..., None])[..., 0] + poses[views.view][:, :3, 3]
    starts = np.flatnonzero(np.diff(views.view, prepend=-1))
    true = project(at, solution.lens)
    boxes = [np.minimum.reduceat(true, starts), np.maximum.reduceat(true, starts)]
    px = []
    for pose in moved:
        pixels = project(at @ pose[:3, :3].T + pose[:3, 3], solution.lens)
        low, high = np.minimum.reduceat(pixels, starts) - boxes[0], np.maximum.reduceat(pixels, starts) - boxes[1]
        px.append(np.maximum(abs(low), abs(high)).max(axis=1))
    normals = poses[:, :3, 2]
    turned = np.einsum("sij,vj->svi", moved[:, :3, :3], normals)
    angle = np.degrees(np.arccos(np.clip((turned * normals).sum(-1), -1, 1)))
    return float(np.quantile(np.array(px), 0.95)), float(np.quantile(angle, 0.95))


def _figure(values: Array, rng: np.random.Generator) -> Figure:
    drawn = np.median(values[rng.integers(0, len(values), (_RESAMPLES, len(values)))], axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(float(np.median(values)), float(low), float(high))
