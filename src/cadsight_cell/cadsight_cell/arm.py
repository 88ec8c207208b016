"""The UR3e: where its links are at given joint angles, and how far and fast its joints go."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

import airo_models
import numpy as np
import pinocchio
from cadsight_core.config.parameters import check, parameter
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

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
# What ur_calibration calls the frame of each joint, and base_link_inertia, which the first of them is given in.
_CALIBRATED = ("shoulder", "upper_arm", "forearm", "wrist_1", "wrist_2", "wrist_3")
_BASE_LINK_FROM_INERTIA = Pose(np.diag([-1.0, -1.0, 1.0]), np.zeros(3))
# A calibration moves a joint by millimetres and tenths of a degree; further off, the file is of another model.
_FARTHEST_M, _FARTHEST_DEG = 0.03, 5.0
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
        unknown = sorted(set(joints) - set(JOINT_NAMES), key=str)
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


def joints_parameter(default: tuple[float, ...], description: str, minimum: float = -_TURN) -> Any:
    """The dataclass field of six angles in radians, in the order of JOINT_NAMES, of at most a turn each."""
    return parameter(default, description, minimum=minimum, maximum=_TURN, length=len(JOINT_NAMES))


@dataclass(frozen=True)
class ArmParameters:
    """Which arm it is; shared by the nodes that compute with its links."""

    calibration_file: str = parameter(
        "none", "the arm's own calibration, as ur_calibration writes it (a path or package://); none: the UR3e's"
    )

    def __post_init__(self) -> None:
        check(self)

    def arm(self, resolve: Callable[[str], Path] = Path) -> "Arm":
        """The arm with its calibration.

        Args:
            resolve: makes a path of a file's name.

        Raises:
            CadsightError: for a calibration that cannot be used.
        """
        named = self.calibration_file not in ("", "none")
        return Arm(load_calibration(resolve(self.calibration_file)) if named else None)


def load_calibration(path: Path) -> dict[str, Pose]:
    """Where an arm's joints really are, from the file that ur_calibration makes of it and ur_robot_driver reads.

    Returns:
        For each joint the pose of its frame, at angle zero, in the link before it (of the first, base_link_inertia).

    Raises:
        CadsightError: for a file that is missing or holds something else, or is of another model of arm.
    """
    content = read_yaml(path, "the arm's calibration ")
    try:
        origins = {joint: content["kinematics"][name] for joint, name in zip(JOINT_NAMES, _CALIBRATED, strict=True)}
        poses = {
            joint: Pose(
                Rotation.from_euler("xyz", [float(p[k]) for k in ("roll", "pitch", "yaw")]).as_matrix(),
                np.array([float(p[k]) for k in "xyz"]),
            )
            for joint, p in origins.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise CadsightError(
            f"the arm's calibration {path} has no usable {' '.join(str(error).split())}, expected kinematics: with "
            f"x, y, z, roll, pitch and yaw of {', '.join(_CALIBRATED)}"
        ) from error
    nominal = Arm()
    for joint, pose in poses.items():
        moved = nominal.joint_frame(joint).inverse() @ pose
        metres, degrees = np.linalg.norm(moved.translation), np.rad2deg(np.linalg.norm(moved.rotvec))
        # Written so that NaN is refused too.
        if not (metres <= _FARTHEST_M and degrees <= _FARTHEST_DEG):
            raise CadsightError(
                f"the arm's calibration {path} has {joint} {metres * 1000:.0f} mm and {degrees:.1f} degrees from a "
                f"UR3e's, expected at most {_FARTHEST_M * 1000:.0f} mm and {_FARTHEST_DEG:.0f} degrees"
            )
    return poses


class Arm:
    """Kinematics of the UR3e in base_link (REP 103: x forward; the controller's ``base`` is turned by pi about z).

    Not for several threads at once: the computed poses live in one buffer.
    """

    def __init__(self, calibration: Mapping[str, Pose] | None = None) -> None:
        """The UR3e of airo-models, its joints moved to where ``calibration`` has them (see load_calibration)."""
        self.urdf = Path(airo_models.get_urdf_path("ur3e"))
        self.model = pinocchio.buildModelFromUrdf(str(self.urdf))
        for joint, placed in (calibration or {}).items():
            at = self.model.getJointId(joint)
            pose = _BASE_LINK_FROM_INERTIA @ placed if joint == JOINT_NAMES[0] else placed
            self.model.jointPlacements[at] = pinocchio.SE3(pose.rotation, pose.translation)
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

    def description(self) -> str:
        """The URDF, its meshes named so that they are found from everywhere."""
        # The prefix is bound nowhere, which XML does not allow.
        robot = ElementTree.fromstring(re.sub(r'\sdrake:\w+="[^"]*"', "", self.urdf.read_text()))
        for mesh in robot.iter("mesh"):
            mesh.set("filename", (self.urdf.parent / mesh.get("filename", "")).resolve().as_uri())
        return ElementTree.tostring(robot, encoding="unicode")

    def joint_frame(self, joint: str) -> Pose:
        """Pose of a joint's frame at angle zero in the link before it; of the first joint, in base_link_inertia."""
        placement = self.model.jointPlacements[self.model.getJointId(joint)]
        pose = Pose(placement.rotation.copy(), placement.translation.copy())
        return _BASE_LINK_FROM_INERTIA.inverse() @ pose if joint == JOINT_NAMES[0] else pose

    def links(self, joints: Joints) -> dict[str, Pose]:
        """base_link_from_link of each of LINK_NAMES at ``joints`` in radians."""
        self._update(joints)
        return {name: self._pose(self.model.getFrameId(name)) for name in LINK_NAMES}

    def _update(self, joints: Joints) -> None:
        pinocchio.framesForwardKinematics(self.model, self._data, joint_vector(joints))

    def _pose(self, frame: int) -> Pose:
        placement = self._data.oMf[frame]
        return Pose(placement.rotation.copy(), placement.translation.copy())
