"""A mount that moved half-way through a set: of the board, or of the camera."""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fault import Fault
from cadsight_calibration.fitting.consensus import board_poses
from cadsight_calibration.fitting.problem import Problem, Solution, transforms
from cadsight_calibration.hand_eye.choosing import SAME

_FEWEST = 4
# By how much the squared errors must fall for a move to be believed, and what a move is.
_FALL = 0.4
_LEAST_MM, _LEAST_DEG = 0.3, 0.05


@dataclass(frozen=True, eq=False)
class Move:
    """What moved, and the problem that takes it into account.

    Attributes:
        possible: views that can be part of the answer: all where the board moved, those after it where the camera did.
    """

    fault: Fault
    problem: Problem
    solution: Solution
    possible: NDArray[np.intp]


def find_move(problem: Problem, solution: Solution, kept: NDArray[np.intp], camera: Camera) -> Move | None:
    """The move that explains a set far better than none does, or None."""
    count = len(problem.views)
    if count < 2 * _FEWEST:
        return None
    left = np.setdiff1d(np.arange(count), kept)
    starts = _large(problem, solution, left, camera) if len(left) >= _FEWEST else _small(problem, solution, kept)
    best: tuple[float, Move] | None = None
    for what, change, moved in starts:
        move, cost = _refit(problem, solution, what, change, moved, kept, camera)
        if move is not None and (best is None or cost < best[0]):
            best = (cost, move)
    return best[1] if best else None


def _large(
    problem: Problem, solution: Solution, left: NDArray[np.intp], camera: Camera
) -> list[tuple[str, int, Array]]:
    """Changes after which most views that do not fit have one other place of board or camera."""
    same = SAME * camera.size.width
    views, motions = problem.views.taken(left), problem.motions(solution)[left]
    poses = board_poses(views, camera)
    found = []
    for what in ("board", "camera"):
        best: tuple[int, Array] = (0, np.eye(4))
        for i, own in enumerate(poses):
            for pose in own:
                if what == "board":
                    place = inverse(motions[i]) @ solution.camera @ pose
                    seen = inverse(solution.camera) @ motions @ place
                else:
                    place = motions[i] @ solution.boards[0] @ inverse(pose)
                    seen = inverse(place) @ motions @ solution.boards[0]
                # One view's pose is rough, so what it says of the others is taken generously.
                number = int((views.best_orders(seen, solution.lens)[1] < 4 * same).sum())
                if number > best[0]:
                    best = (number, place)
        if best[0] >= max(_FEWEST, 0.6 * len(left)):
            later = np.isin(np.arange(len(problem.views)), left)
            # Views that do not fit lie before the change or after it, whichever are fewer.
            after = [int(later[:k].sum() + (~later[k:]).sum()) for k in range(len(later) + 1)]
            wrong = np.minimum(after, len(later) - np.array(after))
            change = int(np.argmin(wrong))
            if wrong[change] <= max(2, 0.15 * len(later)):
                found.append((what, change, best[1]))
    return found


def _small(problem: Problem, solution: Solution, kept: NDArray[np.intp]) -> list[tuple[str, int, Array]]:
    """The change for board and for camera that lowers the squared errors most, to first order."""
    part = problem.taken(kept)
    own = replace(solution, order=solution.order[kept])
    errors, jacobian = part.errors(own), part.jacobian(own)
    count, size = len(kept), jacobian.shape[-1]
    if len(own.boards) > 1:
        return []
    blocks = np.stack([_normal(jacobian[part.views.view == i], errors[part.views.view == i]) for i in range(count)])
    found = []
    for what, columns in (("camera", slice(0, 6)), ("board", slice(6, 12))):
        best = (np.inf, 0, np.zeros(6))
        for k in range(_FEWEST, count - _FEWEST + 1):
            after, whole = blocks[k:].sum(0), blocks.sum(0)
            big = np.zeros((size + 6, size + 6))
            big[:size, :size] = whole[:size, :size]
            big[:size, size:] = after[:size, :size][:, columns]
            big[size:, :size] = big[:size, size:].T
            big[size:, size:] = after[columns, columns]
            right = np.concatenate([whole[:size, size], after[columns, size]])
            step = np.linalg.lstsq(big, -right, rcond=None)[0]
            cost = float(right @ step)
            if cost < best[0]:
                best = (cost, k, step[size:])
        _, k, step = best
        base = solution.camera if what == "camera" else solution.boards[0]
        found.append((what, int(kept[k]), base @ transforms(step[None])[0]))
    return found


def _normal(jacobian: Array, errors: Array) -> Array:
    """(S, S + 1) of the normal equations of one view."""
    flat = jacobian.reshape(-1, jacobian.shape[-1])
    return np.column_stack([flat.T @ flat, flat.T @ errors.ravel()])


def _refit(
    problem: Problem,
    solution: Solution,
    what: str,
    change: int,
    moved: Array,
    kept: NDArray[np.intp],
    camera: Camera,
) -> tuple[Move | None, float]:
    """The whole fitted with that change, if it explains the set far better."""
    count = len(problem.views)
    possible: NDArray[np.intp] = np.arange(count)
    group = (np.arange(count) >= change).astype(np.intp)
    kept_before = np.isin(np.arange(count), kept)
    first_is_known = kept_before[:change].mean() >= kept_before[change:].mean() if 0 < change < count else True
    same = SAME * camera.size.width
    before = np.minimum(problem.rms(solution), 4 * same) ** 2
    names = problem.views.names
    if not _FEWEST <= change <= count - _FEWEST:
        return None, np.inf
    if what == "board":
        boards = [solution.boards[0], moved] if first_is_known else [moved, solution.boards[0]]
        other = replace(problem, group=group)
        fitted = other.solve(replace(solution, boards=np.stack(boards)), coarse=True)
        after = np.minimum(other.rms(fitted), 4 * same) ** 2
        step = inverse(fitted.boards[0]) @ fitted.boards[1]
    else:
        cameras = [solution.camera, moved] if first_is_known else [moved, solution.camera]
        halves = [np.flatnonzero(group == g) for g in (0, 1)]
        after = np.empty(count)
        found = []
        # The board stays where it is in both: the place of the camera alone is fitted to the other half.
        for own, start in zip(halves, cameras, strict=True):
            part = problem.taken(own)
            at = part.solve(replace(solution, camera=start, order=solution.order[own]), coarse=True)
            found.append(at)
            after[own] = np.minimum(part.rms(at), 4 * same) ** 2
        board = found[0].boards[0] @ inverse(found[1].boards[0])
        # A board that would have to move too speaks against it.
        if np.linalg.norm(board[:3, 3]) > 0.05:
            return None, np.inf
        step = inverse(found[0].camera) @ found[1].camera
        fitted = replace(found[1], order=problem.reordered(found[1]).order)
        other, possible = problem, np.asarray(halves[1])
        # Twelve numbers more, not six.
        after = after * 1.05
    mm = float(np.linalg.norm(step[:3, 3]) * 1e3)
    deg = float(np.degrees(np.linalg.norm(Rotation.from_matrix(step[:3, :3]).as_rotvec())))
    if after.sum() > _FALL * before.sum() or (mm < _LEAST_MM and deg < _LEAST_DEG):
        return None, np.inf
    mount = "the board's mount" if what == "board" else "the camera"
    used = "both places are taken into account" if what == "board" else "the images after it are used"
    when = f"between {names[change - 1]} and {names[change]}"
    sentence = f"{mount} moved by {mm:.1f} mm and {deg:.2f} degrees {when}; {used}"
    fault = Fault("mount_moved" if what == "board" else "camera_moved", names[change - 1 : change + 1], sentence)
    return Move(fault, other, fitted, possible), float(after.sum())
