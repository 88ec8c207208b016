"""How triangles meet: where a surface is smooth, and how far its triangles may lie within it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array

# Triangles that meet at a smaller angle stand for one round surface: OpenCASCADE's are at most 28 degrees apart.
SMOOTH_RAD = float(np.deg2rad(35.0))


@dataclass(frozen=True, eq=False)
class Joints:
    """Edges that two triangles share.

    Attributes:
        first, second: (E,) the triangles.
        angle: (E,) radians that the surface turns by there, 0 where it goes straight on.
        length: (E,) of the edge.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    angle: Array
    length: Array


def joints_of(vertices: Array, faces: NDArray[np.int64]) -> Joints:
    """The edges of triangles (F, 3) that belong to two of them."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    key = edges[:, 0] * (int(faces.max(initial=0)) + 1) + edges[:, 1]
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.append(True, key[order[1:]] != key[order[:-1]]))
    two = start[np.diff(np.append(start, len(key))) == 2]
    one, other = order[two], order[two + 1]
    normal = normals_of(vertices[faces])
    cosine = np.einsum("ij,ij->i", normal[one // 3], normal[other // 3])
    ends = vertices[edges[one]]
    return Joints(
        one // 3, other // 3, np.arccos(np.clip(cosine, -1, 1)), np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    )


def normals_of(corners: Array) -> Array:
    """(F, 3) unit normals of triangles (F, 3, 3) with an area."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1, keepdims=True)
    return np.divide(cross, length, out=np.zeros_like(cross), where=length > 0)


def sagittas(vertices: Array, faces: NDArray[np.int64]) -> Array:
    """(F,) how far triangles may lie within the round surface that they stand for, 0 where they are flat.

    Chords of a circle that meet at an angle a, each w long, lie up to ``w / 2 * tan(a / 4)`` within it.
    """
    joints = joints_of(vertices, faces)
    corners = vertices[faces]
    double = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    # A flat face beside a narrow rounding is no chord of it: the narrower of the two is.
    width = np.minimum(double[joints.first], double[joints.second]) / np.maximum(joints.length, 1e-300)
    sagitta = np.where(joints.angle <= SMOOTH_RAD, width / 2 * np.tan(joints.angle / 4), 0.0)
    found = np.zeros(len(faces))
    np.maximum.at(found, joints.first, sagitta)
    np.maximum.at(found, joints.second, sagitta)
    return found
