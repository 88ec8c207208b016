"""Rigid geometry in metres and right-handed frames (REP 103)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pose:
    """A rigid transform; a variable named ``target_from_source`` takes points of ``source`` to ``target``.

    Attributes:
        rotation: (3, 3) rotation matrix.
        translation: (3,) metres.
    """

    rotation: Array
    translation: Array

    @staticmethod
    def identity() -> "Pose":
        return Pose(np.eye(3), np.zeros(3))

    @staticmethod
    def from_quaternion(xyzw: ArrayLike, translation: ArrayLike = (0.0, 0.0, 0.0)) -> "Pose":
        """From a quaternion in ROS order (x, y, z, w), of any length but zero."""
        return Pose(_rotation().from_quat(np.asarray(xyzw, float)).as_matrix(), np.asarray(translation, float))

    @staticmethod
    def from_rotvec(rotvec: ArrayLike, translation: ArrayLike = (0.0, 0.0, 0.0)) -> "Pose":
        """From a rotation vector in radians."""
        return Pose(_rotation().from_rotvec(np.asarray(rotvec, float)).as_matrix(), np.asarray(translation, float))

    @staticmethod
    def from_matrix(matrix: ArrayLike) -> "Pose":
        """From a homogeneous (4, 4) matrix."""
        m = np.asarray(matrix, float)
        return Pose(m[:3, :3].copy(), m[:3, 3].copy())

    @staticmethod
    def from_json(data: Mapping[str, Sequence[float]]) -> "Pose":
        return Pose.from_quaternion(data["rotation_xyzw"], data["translation_m"])

    def to_json(self) -> dict[str, Any]:
        return {"rotation_xyzw": self.quaternion.tolist(), "translation_m": self.translation.tolist()}

    @property
    def matrix(self) -> Array:
        """Homogeneous (4, 4) matrix."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation
        matrix[:3, 3] = self.translation
        return matrix

    @property
    def quaternion(self) -> Array:
        """(x, y, z, w) with w >= 0."""
        return _rotation().from_matrix(self.rotation).as_quat(canonical=True)

    @property
    def rotvec(self) -> Array:
        """Rotation vector in radians."""
        return _rotation().from_matrix(self.rotation).as_rotvec()

    def inverse(self) -> "Pose":
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)

    def __matmul__(self, other: "Pose") -> "Pose":
        return Pose(self.rotation @ other.rotation, self.rotation @ other.translation + self.translation)

    def apply(self, points: ArrayLike) -> Array:
        """Points (..., 3) in metres of the source frame, in the target frame."""
        return np.asarray(points, float) @ self.rotation.T + self.translation

    def rotate(self, vectors: ArrayLike) -> Array:
        """Directions (..., 3) of the source frame, in the target frame."""
        return np.asarray(vectors, float) @ self.rotation.T


def _rotation() -> "type[Rotation]":
    # Most of the time in which a process of ours starts went into this import, and few of them turn poses.
    from scipy.spatial.transform import Rotation

    return Rotation


def unit(vector: ArrayLike) -> Array:
    """``vector`` (..., 3) scaled to length one; zero stays zero."""
    v = np.asarray(vector, float)
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.divide(v, length, out=np.zeros_like(v), where=length > 0)


def angle_between(a: ArrayLike, b: ArrayLike) -> Any:
    """Angle in degrees between directions (..., 3); exact for small angles too."""
    a, b = unit(a), unit(b)
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(cross, np.sum(a * b, axis=-1)))
