"""What a set says of numbers that its user gave: the size of a square, the camera's place, the arm's model."""

from dataclasses import replace

import numpy as np
from cadsight_core.geometry import Array, Pose

from cadsight_calibration.data.description import Description
from cadsight_calibration.data.loading import ArmPoses
from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fault import Fault
from cadsight_calibration.fitting.closed_form import solve
from cadsight_calibration.fitting.problem import Problem, Solution

# The arm measures the board; so far may they differ before the board's file is thought wrong.
_SIZE_OFF = 0.015
_SIZE_SIGMAS = 6.0
_TURN = np.diag([-1.0, -1.0, 1.0])
_SAME_MM, _SAME_DEG = 2.0, 1.0


def check_size(problem: Problem, solution: Solution, words: str) -> Fault | None:
    """Whether the arm says that the board has another size than its file does."""
    factor, sigma = 1.0, np.inf
    scaled, answer = problem, solution
    for _ in range(3):
        step, sigma = _scale_step(scaled, answer)
        factor *= 1 + float(np.clip(step, -0.3, 0.5))
        views = replace(problem.views, points=problem.views.points * factor)
        scaled = replace(problem, views=views)
        answer = scaled.solve(answer, rounds=1)
    if abs(factor - 1) < max(_SIZE_OFF, _SIZE_SIGMAS * sigma):
        return None
    return Fault(
        "board_size",
        (),
        f"by the arm's motions the board is {factor:.3f} times as large as described ({words}): "
        "expected the size that a ruler gives",
    )


def check_expected(description: Description, solution: Solution) -> Fault | None:
    """Whether the camera is where the description expects it; a base turned by pi is named."""
    expected = description.expected
    if expected is None:
        return None
    pose = Pose.from_quaternion(expected.rotation_xyzw, expected.position_m).matrix
    mm, deg = apart(pose, solution.camera)
    if mm <= expected.within_mm and deg <= expected.within_deg:
        return None
    turned = solution.camera.copy()
    turned[:3] = _TURN @ turned[:3]
    sentence = f"the camera is {mm:.0f} mm and {deg:.1f} degrees from where it is expected"
    mm, deg = apart(pose, turned)
    if mm <= expected.within_mm and deg <= expected.within_deg and description.setup == "eye_to_hand":
        sentence += (
            f", and {mm:.0f} mm and {deg:.1f} degrees with the base turned by pi: base and base_link are confused, "
            "expected base_frame to name the frame of the poses"
        )
        return Fault("turned_base", (), sentence)
    sentence += f", expected within {expected.within_mm:g} mm and {expected.within_deg:g} degrees"
    return Fault("unexpected_place", (), sentence)


def check_arm(poses: ArmPoses) -> Fault | None:
    """Where joints and tool poses are both there: whether the arm's model gives the poses; a turned base is named."""
    numbers = poses.numbers
    if numbers.joints is None or numbers.position is None:
        return None
    by_joints, given = numbers.tool_poses(poses.reading), numbers.given_poses(poses.reading)
    base, tool = _between(given, by_joints)
    off = np.array([apart(a, b) for a, b in zip(base @ by_joints @ tool, given, strict=True)])
    turn = abs(base[:3, :3] - _TURN).max() < 0.02 and abs(base[:3, 3]).max() < 2e-3
    if np.median(off[:, 0]) > _SAME_MM or np.median(off[:, 1]) > _SAME_DEG:
        return Fault(
            "arm_model",
            (),
            f"the tool poses and those of the joints differ by {np.median(off[:, 0]):.1f} mm and "
            f"{np.median(off[:, 1]):.2f} degrees, expected the arm's own model, and joints and poses of one moment",
        )
    if turn:
        return Fault(
            "turned_base",
            (),
            "the tool poses are given in a base that is turned by pi against that of the joints: one is base and one "
            "is base_link; the joints are used, expected base_frame to name theirs",
        )
    return None


def apart(a: Array, b: Array) -> tuple[float, float]:
    """Millimetres and degrees between two poses (4, 4)."""
    step = Pose.from_matrix(inverse(a) @ b)
    return float(np.linalg.norm(step.translation) * 1e3), float(np.degrees(np.linalg.norm(step.rotvec)))


def _between(given: Array, by_joints: Array) -> tuple[Array, Array]:
    """The base and the tool (4, 4) that take the poses of the joints to the given ones."""
    # given = base by_joints tool, which is the hand-eye equation of two arms.
    answer = solve(given, by_joints)
    if answer is None:
        return np.eye(4), np.eye(4)
    return answer[0], inverse(answer[1])


def _scale_step(problem: Problem, solution: Solution) -> tuple[float, float]:
    """The relative change of the board's size that lowers the squared errors most, and its standard deviation."""
    jacobian, errors = problem.jacobian(solution), problem.errors(solution)
    step = 1e-4
    larger = replace(problem, views=replace(problem.views, points=problem.views.points * (1 + step)))
    column = (larger.errors(solution) - errors) / step
    flat = np.column_stack([jacobian.reshape(-1, jacobian.shape[-1]), column.ravel()])
    held = np.zeros((flat.shape[1], flat.shape[1]))
    held[:-1, :-1] = problem.held(solution)
    normal = flat.T @ flat + held
    move = np.linalg.lstsq(normal, -flat.T @ errors.ravel(), rcond=None)[0]
    # A view's corners share the arm's error: the views count, not the corners.
    squares = np.bincount(problem.views.view, (errors**2).sum(-1), len(problem.views))
    points = np.bincount(problem.views.view, minlength=len(problem.views))
    variance = float(np.median(squares / points)) * float(np.median(points)) / 2
    return float(move[-1]), float(np.sqrt(variance * np.linalg.pinv(normal)[-1, -1]))
