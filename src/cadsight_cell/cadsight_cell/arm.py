"""The UR3e: where its links are at given joint angles, and how far and fast its joints go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import airo_models
import numpy as np
import pinocchio
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from numpy.typing import ArrayLike

JOINT_NAMES = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
LINK_NAMES = (
    "base_link_inertia",
    "shoulder_link",
    "upper_arm_link",
    "forearm_link",
    "wrist_1_link",
    "wrist_2_link",
    "wrist_3_link",
    "flange",
    "tool0",
)
Joints: TypeAlias = Mapping[str, float] | Sequence[float] | Array


@dataclass(frozen=True, eq=False)
class JointLimits:
    """Limits (6,) in the order of JOINT_NAMES: radians, radians a second, radians a second squared."""

    lower: Array
    upper: Array
    velocity: Array
    acceleration: Array

    def check(self, joints: ArrayLike, what: str) -> None:
        """Refuse joint angles (6,) outside the limits.

        Raises:
            CadsightError: naming ``what``, the joint, its value and its limits in degrees.
        """
        values = np.asarray(joints, float)
        # Written so that NaN, which compares false with everything, is refused too.
        wrong = np.flatnonzero(~((values >= self.lower - 1e-9) & (values <= self.upper + 1e-9) & np.isfinite(values)))
        if len(wrong):
            i = wrong[0]
            low, high = np.rad2deg([self.lower[i], self.upper[i]])
            limits = f"{low:g} to {high:g} degrees" if np.isfinite([low, high]).all() else "a finite angle"
            raise CadsightError(
                f"{what} has {JOINT_NAMES[i]} at {np.rad2deg(values[i]):.1f} degrees, expected {limits}"
            )


# The manufacturer's limits of the UR3e, and MoveIt's default acceleration for it. Wrist 3 turns without end.
_TURN = 2 * np.pi
UR3E_LIMITS = JointLimits(
    lower=np.array([-_TURN, -_TURN, -np.pi, -_TURN, -_TURN, -np.inf]),
    upper=np.array([_TURN, _TURN, np.pi, _TURN, _TURN, np.inf]),
    velocity=np.array([np.pi, np.pi, np.pi, _TURN, _TURN, _TURN]),
    acceleration=np.full(6, 5.0),
)


def joint_vector(joints: Joints) -> Array:
    """Angles (6,) in radians in the order of JOINT_NAMES, from a mapping by name or a sequence in that order.

    Raises:
        CadsightError: for a joint that is missing or unknown, or another number of values.
    """
    if isinstance(joints, Mapping):
        unknown = sorted(set(joints) - set(JOINT_NAMES))
        if unknown:
            raise CadsightError(f"the joint {unknown[0]!r} is unknown, expected {', '.join(JOINT_NAMES)}")
        missing = [name for name in JOINT_NAMES if name not in joints]
        if missing:
            raise CadsightError(f"the joint {missing[0]!r} has no value, expected all of {', '.join(JOINT_NAMES)}")
        return np.array([float(joints[name]) for name in JOINT_NAMES])
    vector = np.asarray(joints, float)
    if vector.shape != (len(JOINT_NAMES),):
        raise CadsightError(f"joint angles of shape {vector.shape} came, expected {len(JOINT_NAMES)} values")
    return vector


def joint_mapping(joints: Joints) -> dict[str, float]:
    """Angles in radians by the joints' names."""
    return dict(zip(JOINT_NAMES, joint_vector(joints).tolist(), strict=True))


class Arm:
    """Kinematics of the UR3e in base_link (REP 103: x forward; the controller's ``base`` is turned by pi about z).

    Not for several threads at once: the computed poses live in one buffer.
    """

    def __init__(self, urdf: str | Path | None = None) -> None:
        """Read ``urdf``, or the UR3e of airo-models."""
        self.urdf = Path(urdf if urdf is not None else airo_models.get_urdf_path("ur3e"))
        self.model = pinocchio.buildModelFromUrdf(str(self.urdf))
        self.limits = UR3E_LIMITS
        self._data = self.model.createData()
        self._tool = self.model.getFrameId("tool0")

    def forward(self, joints: Joints) -> Pose:
        """base_link_from_tool0 at ``joints`` in radians.

        Raises:
            CadsightError: for joints that are missing, unknown or too few.
        """
        self._update(joints)
        return self._pose(self._tool)

    def links(self, joints: Joints) -> dict[str, Pose]:
        """base_link_from_link of each of LINK_NAMES at ``joints`` in radians."""
        self._update(joints)
        return {name: self._pose(self.model.getFrameId(name)) for name in LINK_NAMES}

    def jacobian(self, joints: Joints) -> Array:
        """(6, 6) velocity of tool0 in base_link's axes (linear m, then angular rad) for each joint's radian."""
        frame = pinocchio.ReferenceFrame.LOCAL_WORLD_ALIGNED
        return pinocchio.computeFrameJacobian(self.model, self._data, joint_vector(joints), self._tool, frame)

    def _update(self, joints: Joints) -> None:
        pinocchio.framesForwardKinematics(self.model, self._data, joint_vector(joints))

    def _pose(self, frame: int) -> Pose:
        placement = self._data.oMf[frame]
        return Pose(placement.rotation.copy(), placement.translation.copy())
