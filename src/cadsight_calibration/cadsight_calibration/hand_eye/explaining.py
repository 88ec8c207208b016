"""What is wrong with an image that does not fit: why, as far as the set tells."""

from dataclasses import replace

import numpy as np
from cadsight_core.geometry import Array
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fault import Fault
from cadsight_calibration.fitting.problem import Problem, Solution, transforms

# A joint that reads wrong by more than this is named, if it alone explains an image.
_LEAST_JOINT_DEG = 0.05


def explain(problem: Problem, solution: Solution, left: list[int], limit_px: float) -> list[Fault]:
    """A sentence for each image that was left out, or for two whose poses were exchanged.

    Args:
        limit_px: a view that misses by less fits.
    """
    rms = problem.rms(solution)
    crossed = _crossed(problem, solution, left)
    names = problem.views.names
    found: list[Fault] = []
    done: set[int] = set()
    for i in left:
        for j in left:
            if i < j and not {i, j} & done and crossed[i][j] <= limit_px and crossed[j][i] <= limit_px:
                done |= {i, j}
                found.append(
                    Fault(
                        "exchanged",
                        (names[i], names[j]),
                        f"{names[i]} and {names[j]}: the poses of the arm were exchanged; they miss by {rms[i]:.1f} "
                        f"and {rms[j]:.1f} px as recorded and by {crossed[i][j]:.1f} and {crossed[j][i]:.1f} px "
                        "exchanged; both are left out",
                    )
                )
    for i in left:
        if i not in done:
            found.append(_alone(problem, solution, i, rms[i], crossed[i], limit_px))
    return found


def _alone(problem: Problem, solution: Solution, i: int, rms: float, crossed: Array, limit_px: float) -> Fault:
    names = problem.views.names
    j = int(np.argmin(crossed))
    if crossed[j] <= limit_px:
        words = f"{names[i]} shows the arm at the pose of {names[j]}: it misses by {rms:.1f} px at its own pose and by"
        return Fault("same_image", (names[i], names[j]), f"{words} {crossed[j]:.1f} px at that one; it is left out")
    if problem.joints is not None and problem.chain is not None:
        joint, change, left_px = _one_joint(problem, solution, i)
        if left_px <= limit_px and abs(change) >= np.radians(_LEAST_JOINT_DEG):
            read = np.degrees(problem.joints[i, joint])
            words = f"{names[i]} misses by {rms:.1f} px: joint {joint + 1} reads {read:.2f} degrees, and"
            sentence = f"{words} {read + np.degrees(change):.2f} would fit ({left_px:.1f} px); it is left out"
            return Fault("joint_reading", (names[i],), sentence)
    mm, deg, left_px = _apart(problem, solution, i)
    words = f"{names[i]} misses by {rms:.1f} px: its board lies {mm:.0f} mm and {deg:.1f} degrees from where the arm's"
    end = "pose puts it, so the arm stood elsewhere, or the board is another one; it is left out"
    return Fault("does_not_fit", (names[i],), f"{words} {end}")


def _crossed(problem: Problem, solution: Solution, left: list[int]) -> dict[int, Array]:
    """For each view that was left out, how far (V,) it misses at the pose of every other one; infinite at its own."""
    motions = problem.motions(solution)
    found: dict[int, Array] = {}
    for i in left:
        view = problem.views.taken([i])
        misses = np.full(len(motions), np.inf)
        for j in range(len(motions)):
            if j != i:
                seen = inverse(solution.camera) @ motions[j] @ solution.boards[problem.group[i]]
                misses[j] = view.best_orders(seen[None], solution.lens)[1][0]
        found[i] = misses
    return found


def _one_joint(problem: Problem, solution: Solution, i: int) -> tuple[int, float, float]:
    """The joint whose change alone makes a view fit best, the change in radians, and what is left in pixels."""
    one = problem.taken([i])
    chain, joints = one.chain, one.joints
    assert chain is not None
    assert joints is not None
    own = replace(solution, order=solution.order[[i]])
    best = (0, 0.0, np.inf)
    for joint in range(chain.joints):
        turn = np.eye(chain.joints)[joint]

        def changed(x: Array, turn: Array = turn) -> Problem:
            read = joints + x[0] * turn
            return replace(one, joints=read, poses=chain.forward(read))

        fit = least_squares(
            lambda x, changed=changed: changed(x).errors(own).ravel(), np.zeros(1), loss="soft_l1", f_scale=10.0
        )
        left = float(changed(fit.x).rms(own)[0])
        if left < best[2]:
            best = (joint, float(fit.x[0]), left)
    return best


def _apart(problem: Problem, solution: Solution, i: int) -> tuple[float, float, float]:
    """How far the board of a view is from where it should be: millimetres, degrees, and pixels left when it is there.

    Found from where it should be, since the pose of a board from nowhere may be the mirrored one.
    """
    one = problem.taken([i])
    own = replace(solution, order=solution.order[[i]])
    seen = one.camera_from_board(own)

    def errors(x: Array) -> Array:
        points = one.views.chosen(own.order)
        return one.views.errors(seen @ transforms(x[None]), own.lens, points).ravel()

    fit = least_squares(errors, np.zeros(6), x_scale=0.01)
    step = transforms(fit.x[None])[0]
    left = float(one.views.best_orders(seen @ step, own.lens)[1][0])
    turn = float(np.degrees(np.linalg.norm(Rotation.from_matrix(step[:3, :3]).as_rotvec())))
    return float(np.linalg.norm(step[:3, 3]) * 1e3), turn, left
