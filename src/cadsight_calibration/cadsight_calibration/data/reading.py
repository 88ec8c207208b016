"""Numbers of a set as poses, under one reading of their units and forms."""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cadsight_calibration.arm.chain import Chain
from cadsight_calibration.data.description import AngleUnit, LengthUnit, RotationForm, Setup

# Capital letters: about the axes that turn along. Small ones: about those that stay.
_EULER = {"euler_xyz": "XYZ", "euler_zyx": "ZYX", "euler_zyz": "ZYZ", "fixed_xyz": "xyz", "fixed_zyx": "zyx"}
_WIDTH = {"quaternion_xyzw": 4, "quaternion_wxyz": 4, "matrix": 9}


@dataclass(frozen=True)
class Reading:
    """How the numbers of a set are read; what the description says, or another way to try.

    Attributes:
        inverted: whether tool poses are tool_from_base.
        shift: how many records later the pose of an image stands.
    """

    setup: Setup
    angle_unit: AngleUnit
    length_unit: LengthUnit = "m"
    rotation_form: RotationForm = "rotation_vector"
    inverted: bool = False
    shift: int = 0


@dataclass(frozen=True, eq=False)
class ArmNumbers:
    """The arm's poses as the file has them.

    Attributes:
        joints: (N, J) angles with the arm's chain, or None.
        position, rotation: (N, 3) and (N, K) of the tool, or None.
    """

    joints: Array | None = None
    chain: Chain | None = None
    position: Array | None = None
    rotation: Array | None = None

    def taken(self, rows: NDArray[np.intp]) -> "ArmNumbers":
        """Those of some records."""
        parts = {k: getattr(self, k) for k in ("joints", "position", "rotation")}
        return replace(self, **{k: v[rows] for k, v in parts.items() if v is not None})

    def joint_radians(self, reading: Reading) -> Array:
        """(N, J) radians."""
        assert self.joints is not None
        return np.radians(self.joints) if reading.angle_unit == "degrees" else self.joints

    def tool_poses(self, reading: Reading) -> Array:
        """(N, 4, 4) base_from_tool; by the joints where there are any."""
        if self.joints is not None and self.chain is not None:
            return self.chain.forward(self.joint_radians(reading))
        return self.given_poses(reading)

    def given_poses(self, reading: Reading) -> Array:
        """(N, 4, 4) base_from_tool of the tool's own numbers.

        Raises:
            CadsightError: for numbers that are no rotation of the form.
        """
        assert self.position is not None
        assert self.rotation is not None
        poses = np.broadcast_to(np.eye(4), (len(self.position), 4, 4)).copy()
        poses[:, :3, :3] = rotations(self.rotation, reading.rotation_form, reading.angle_unit)
        poses[:, :3, 3] = self.position * (1e-3 if reading.length_unit == "mm" else 1.0)
        return inverse(poses) if reading.inverted else poses


def rotations(numbers: Array, form: RotationForm, unit: AngleUnit) -> Array:
    """(N, 3, 3) of numbers (N, K) in one of the forms; matrices are row by row.

    Raises:
        CadsightError: for another K, a quaternion of length zero, or a matrix that is no rotation.
    """
    width = _WIDTH.get(form, 3)
    if numbers.shape[1] != width:
        raise CadsightError(f"a rotation has {numbers.shape[1]} numbers, expected {width} of the form {form}")
    if form == "matrix":
        matrices = numbers.reshape(-1, 3, 3)
        error = abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(3)).max()
        if error > 1e-2 or (np.linalg.det(matrices) < 0).any():
            raise CadsightError(f"a rotation matrix is off by {error:.3g} from a rotation, expected one of a pose")
        return np.asarray(Rotation.from_matrix(matrices).as_matrix())
    if width == 4:
        if (np.linalg.norm(numbers, axis=1) < 1e-6).any():
            raise CadsightError("a quaternion is zero, expected one of length one")
        xyzw = numbers[:, [1, 2, 3, 0]] if form == "quaternion_wxyz" else numbers
        return np.asarray(Rotation.from_quat(xyzw).as_matrix())
    angles = np.radians(numbers) if unit == "degrees" else numbers
    if form == "rotation_vector":
        return np.asarray(Rotation.from_rotvec(angles).as_matrix())
    return np.asarray(Rotation.from_euler(_EULER[form], angles).as_matrix())


def inverse(poses: Array) -> Array:
    """The inverse of rigid transforms (..., 4, 4)."""
    turned = np.swapaxes(poses[..., :3, :3], -1, -2)
    result = np.zeros_like(poses)
    result[..., :3, :3] = turned
    result[..., :3, 3] = -(turned @ poses[..., :3, 3:])[..., 0]
    result[..., 3, 3] = 1.0
    return result


def other_readings(said: Reading, numbers: ArmNumbers) -> list[tuple[str, Reading]]:
    """Readings that would be a usual mistake in what was said, each with what the file should say instead."""
    found: list[tuple[str, Reading]] = []
    turned: AngleUnit = "radians" if said.angle_unit == "degrees" else "degrees"
    has_angles = numbers.joints is not None or said.rotation_form not in _WIDTH
    if has_angles:
        found.append((f"its angles are read as {turned}", replace(said, angle_unit=turned)))
    if numbers.joints is None:
        length: LengthUnit = "mm" if said.length_unit == "m" else "m"
        found.append((f"its positions are read as {length}", replace(said, length_unit=length)))
        if has_angles:
            both = replace(said, length_unit=length, angle_unit=turned)
            found.append((f"its positions are read as {length} and its angles as {turned}", both))
        name = "base_from_tool" if said.inverted else "tool_from_base"
        found.append((f"its poses are read as {name}", replace(said, inverted=not said.inverted)))
        width = _WIDTH.get(said.rotation_form, 3)
        for form in ("rotation_vector", *_EULER, *_WIDTH):
            if form != said.rotation_form and _WIDTH.get(form, 3) == width:
                other = replace(said, rotation_form=form)  # type: ignore[arg-type]
                found.append((f"its rotations are read as {form}", other))
    setup: Setup = "eye_in_hand" if said.setup == "eye_to_hand" else "eye_to_hand"
    found.append((f"its setup is read as {setup}", replace(said, setup=setup)))
    found += [
        (f"each image is given the pose {abs(s)} record {'later' if s > 0 else 'earlier'}", replace(said, shift=s))
        for s in (1, -1)
    ]
    return found
