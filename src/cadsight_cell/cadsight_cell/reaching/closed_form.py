"""Joint angles of a nominal UR3e for a pose of its tool, in closed form.

After Hawkins, Analytic Inverse Kinematics for the Universal Robots UR-5/UR-10 Arms, Georgia Tech 2013.
"""

from collections.abc import Iterator

import numpy as np
from cadsight_core.geometry import Array

# Lengths of the Denavit-Hartenberg parameters in metres, as ur_description has them.
_D1, _A2, _A3, _D4, _D5, _D6 = 0.15185, -0.24355, -0.2132, 0.13105, 0.08535, 0.0921
_BASE_FROM_BASE_LINK = np.diag([-1.0, -1.0, 1.0, 1.0])
# So far out of what a joint can do may rounding bring a pose at the border of the arm's reach.
_ROUNDING = 1e-9


def nominal_joints(base_link_from_tool0: Array) -> Iterator[Array]:
    """Up to eight sets of joint angles (6,) in radians, each within half a turn of zero, for a (4, 4) pose in metres.

    There is none where the arm does not reach the pose. Where joints 4 and 6 turn about one axis, joint 6 is zero.
    """
    goal = _BASE_FROM_BASE_LINK @ base_link_from_tool0
    wrist = goal @ np.array([0.0, 0.0, -_D6, 1.0])
    shoulder = _arccos(_D4, float(np.hypot(wrist[0], wrist[1])))
    for pan in [np.arctan2(wrist[1], wrist[0]) + sign * a + np.pi / 2 for a in shoulder for sign in (1, -1)]:
        across = float(goal[0, 3] * np.sin(pan) - goal[1, 3] * np.cos(pan) - _D4)
        for wrist_2 in [sign * a for a in _arccos(across, _D6) for sign in (1, -1)]:
            wrist_3 = _last(goal, pan, wrist_2)
            # Joints 2 to 4 turn about parallel axes: two lengths in a plane, and what is left of the turn.
            end = _link(_D5, 0.0, -np.pi / 2, wrist_2) @ _link(_D6, 0.0, 0.0, wrist_3)
            plane = np.linalg.inv(_link(_D1, 0.0, np.pi / 2, pan)) @ goal @ np.linalg.inv(end)
            x, y = plane[:2, 3]
            for elbow in [sign * a for a in _arccos(x**2 + y**2 - _A2**2 - _A3**2, 2 * _A2 * _A3) for sign in (1, -1)]:
                lift = np.arctan2(y, x) - np.arctan2(_A3 * np.sin(elbow), _A2 + _A3 * np.cos(elbow))
                wrist_1 = np.arctan2(plane[1, 0], plane[0, 0]) - lift - elbow
                joints = np.array([pan, lift, elbow, wrist_1, wrist_2, wrist_3])
                yield (joints + np.pi) % (2 * np.pi) - np.pi


def _arccos(part: float, whole: float) -> list[float]:
    """The angle whose cosine is ``part`` over ``whole``; none where there is no such angle."""
    if abs(part) > abs(whole) * (1 + _ROUNDING):
        return []
    return [float(np.arccos(np.clip(part / whole, -1.0, 1.0)))] if whole else []


def _last(goal: Array, pan: float, wrist_2: float) -> float:
    """The angle of the last joint."""
    sine = np.sin(wrist_2)
    if abs(sine) < _ROUNDING:
        return 0.0
    across = goal[:2, :2].T @ np.array([np.sin(pan), -np.cos(pan)])
    return float(np.arctan2(-across[1] / sine, across[0] / sine))


def _link(d: float, a: float, alpha: float, theta: float) -> Array:
    """A link by its Denavit-Hartenberg parameters, (4, 4)."""
    c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
    return np.array(
        [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0.0, sa, ca, d], [0.0, 0.0, 0.0, 1.0]]
    )
