"""Joint angles that bring the tool to a pose, touching nothing.

The closed form of the nominal arm begins, and Newton's method on the arm's own kinematics ends, which differ by its
calibration.
"""

from collections.abc import Iterable

import numpy as np
import pinocchio
from cadsight_core.geometry import Array, Pose

from cadsight_cell.arm import Arm, Joints, joint_vector
from cadsight_cell.motion.collision import CollisionModel
from cadsight_cell.motion.planner import NoPathError
from cadsight_cell.reaching.closed_form import nominal_joints

_TURNS = 24
_STEPS = 8
_NEAR_M, _NEAR_RAD = 1e-5, 1e-5


class Reaching:
    """Finds joint angles for poses of the tool. Not for several threads at once."""

    def __init__(self, arm: Arm, collisions: CollisionModel) -> None:
        self._arm, self._collisions = arm, collisions
        self._data = arm.model.createData()
        self._tool = arm.model.getFrameId("tool0")

    def find(self, pose: Pose, near: Joints, free_turn: bool = False) -> Array:
        """Joint angles (6,) at which tool0 is at base_link_from_tool0 ``pose`` and nothing touches, the nearest to
        ``near``.

        Args:
            free_turn: whether any turn about the tool's z does as well.

        Raises:
            NoPathError: when the arm does not reach the pose, or touches something at each of its solutions.
        """
        here = joint_vector(near)
        turns = np.arange(_TURNS) * 2 * np.pi / _TURNS if free_turn else np.zeros(1)
        wanted = (pose @ Pose.from_rotvec([0.0, 0.0, turn]) for turn in turns)
        found = [joints for one in wanted for joints in self._solutions(one, here)]
        where = ", ".join(f"{1000 * v:.0f}" for v in pose.translation)
        if not found:
            away = float(np.linalg.norm(pose.translation))
            raise NoPathError(
                "unreachable",
                f"the pose at {where} mm in base_link, {1000 * away:.0f} mm away, is out of the arm's reach, "
                "expected one that it can turn its tool to",
            )
        found.sort(key=lambda joints: float(np.abs(joints - here).max()))
        for joints in found:
            if self._collisions.is_free(joints):
                return joints
        a, b = self._collisions.touching(found[0])[0]
        raise NoPathError(
            "colliding",
            f"the pose at {where} mm in base_link brings together {a} and {b} in each of the {len(found)} ways to "
            "reach it, expected one that is free",
        )

    def _solutions(self, pose: Pose, here: Array) -> Iterable[Array]:
        limits = self._arm.limits
        for nominal in nominal_joints(pose.matrix):
            joints = self._polished(nominal, pose)
            if joints is None:
                continue
            # The same configuration, turned by whole turns to where the arm is.
            joints = joints + 2 * np.pi * np.round((here - joints) / (2 * np.pi))
            joints = np.where(joints < limits.lower, joints + 2 * np.pi, joints)
            joints = np.where(joints > limits.upper, joints - 2 * np.pi, joints)
            if ((joints >= limits.lower) & (joints <= limits.upper)).all():
                yield joints

    def _polished(self, joints: Array, pose: Pose) -> Array | None:
        wanted = pinocchio.SE3(pose.rotation, pose.translation)
        for _ in range(_STEPS):
            pinocchio.forwardKinematics(self._arm.model, self._data, joints)
            pinocchio.updateFramePlacement(self._arm.model, self._data, self._tool)
            error = pinocchio.log6(self._data.oMf[self._tool].actInv(wanted)).vector
            if np.abs(error[:3]).max() < _NEAR_M and np.abs(error[3:]).max() < _NEAR_RAD:
                return joints
            jacobian = pinocchio.computeFrameJacobian(
                self._arm.model, self._data, joints, self._tool, pinocchio.ReferenceFrame.LOCAL
            )
            # Damped: near a singular pose a full step leads away.
            joints = joints + jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-8 * np.eye(6), error)
        return None
