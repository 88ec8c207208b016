"""A first proposal of the point whose normal is wanted: the middle of the largest flat face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cadsight_core.geometry import Array, unit
from cadsight_core.meshes.joints import SMOOTH_RAD, Joints, joints_of, normals_of
from cadsight_core.parts.mesh import Mesh

# Triangles that meet at less go on in one plane, unless so many do that they bend.
_STRAIGHT_RAD = float(np.deg2rad(0.1))
_ONE_PLANE_RAD = float(np.deg2rad(0.5))
# Of one plane, as fractions of the diameter: how far a face may be off, and two faces from each other.
_FLAT, _SAME_PLANE = 1e-4, 1e-3
# A face that has smooth neighbours of its own size, up to so many times, on both sides is a chord of a round surface.
_ALIKE, _FRACTION = 3.0, 0.1
# A flat face with a smaller fraction of the surface is not named.
_LEAST = 0.01
# Faces that differ by less are equally large.
_EQUAL = 0.02
_UPWARDS = np.array([0.3, 0.2, 1.0])
# How far from a hole's border the point is, as a fraction of the diameter.
_CLEAR = 0.02
_DIRECTIONS = 360


@dataclass(frozen=True, eq=False)
class ProposedPoint:
    """A point of the surface and which way it faces there.

    Attributes:
        point, normal: (3,), metres and a unit vector.
        what: which point it is, such as ``the middle of its largest flat face``.
    """

    point: Array
    normal: Array
    what: str


def propose_point(mesh: Mesh) -> ProposedPoint:
    """The middle of the largest flat face, however finely the mesh is cut.

    Where the middle lies in a hole, the nearest point of the face that is clear of the hole's border. Of equal faces
    the one that looks up most. A surface without flat faces has the point above its middle, along z.
    """
    joints = joints_of(mesh.vertices, mesh.faces)
    corners = mesh.vertices[mesh.faces]
    normals = normals_of(corners)
    double = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    area = double / 2
    patch = _patches(joints, len(mesh.faces))
    flat = _flat_patches(mesh, joints, patch, normals, area)
    faces = _planes(patch, flat, corners, normals, area, mesh.diameter)
    sizes = np.array([area[face].sum() for face in faces])
    if not len(sizes) or sizes.max() < _LEAST * area.sum():
        return _above_the_middle(mesh, corners, normals, area)
    facing = np.array([unit(np.average(normals[face], axis=0, weights=area[face])) for face in faces])
    equal = np.flatnonzero(sizes >= (1 - _EQUAL) * sizes.max())
    best = int(equal[np.argmax(facing[equal] @ _UPWARDS)])
    face, normal = faces[best], facing[best]
    middle = np.average(corners[face].mean(axis=1), axis=0, weights=area[face])
    if not _in_a_hole(middle, corners[face]):
        return ProposedPoint(middle, normal, "the middle of its largest flat face")
    beside = _beside_the_hole(mesh.vertices, mesh.faces[face], middle, normal, _CLEAR * mesh.diameter)
    return ProposedPoint(beside, normal, "beside the hole in the middle of its largest flat face")


def _patches(joints: Joints, count: int) -> NDArray[np.int64]:
    """The number of the patch, going straight on, of each triangle (F,)."""
    straight = joints.angle < _STRAIGHT_RAD
    first, second = joints.first[straight], joints.second[straight]
    graph = coo_matrix((np.ones(len(first), bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _flat_patches(
    mesh: Mesh, joints: Joints, patch: NDArray[np.int64], normals: Array, area: Array
) -> NDArray[np.bool_]:
    """(P,) whether a patch lies in one plane and is no chord of a round surface."""
    count = int(patch.max()) + 1
    size: Array = np.bincount(patch, area, count).astype(float)
    mean: Array = np.stack([np.bincount(patch, area * normals[:, i], count) for i in range(3)], axis=1)
    mean = unit(np.where(np.linalg.norm(mean, axis=1, keepdims=True) > 0, mean, np.array([0.0, 0.0, 1.0])))
    off = np.einsum("fkj,fj->fk", mesh.vertices[mesh.faces], mean[patch])
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, patch, off.min(axis=1))
    np.maximum.at(high, patch, off.max(axis=1))
    flat = high - low <= _FLAT * mesh.diameter
    one, other = patch[joints.first], patch[joints.second]
    apart = one != other
    border = np.bincount(np.concatenate([one[apart], other[apart]]), np.tile(joints.length[apart], 2), count)
    ratio = size[one] / np.maximum(size[other], 1e-300)
    alike = apart & (joints.angle <= SMOOTH_RAD) & (ratio < _ALIKE) & (ratio > 1 / _ALIKE)
    pairs = np.unique(np.concatenate([np.stack([one, other], 1)[alike], np.stack([other, one], 1)[alike]]), axis=0)
    neighbours = np.bincount(pairs[:, 0], minlength=count)
    smooth = np.bincount(np.concatenate([one[alike], other[alike]]), np.tile(joints.length[alike], 2), count)
    chord = (neighbours >= 2) & (smooth >= _FRACTION * border)
    return flat & ~chord


def _planes(
    patch: NDArray[np.int64], flat: NDArray[np.bool_], corners: Array, normals: Array, area: Array, diameter: float
) -> list[NDArray[np.int64]]:
    """The triangles of each flat face; patches that lie in one plane are one face."""
    chosen = np.flatnonzero(flat[patch])
    if not len(chosen):
        return []
    order = chosen[np.argsort(patch[chosen], kind="stable")]
    regions = np.split(order, np.flatnonzero(np.diff(patch[order])) + 1)
    regions.sort(key=lambda region: -float(area[region].sum()))
    # A region too small to be named alone may be a part of a face that is named.
    regions = regions[:1000]
    found: list[list[NDArray[np.int64]]] = []
    planes: list[tuple[Array, float]] = []
    for region in regions:
        normal = unit(np.average(normals[region], axis=0, weights=area[region]))
        away = float(np.average(corners[region].mean(axis=1) @ normal, weights=area[region]))
        for (known, there), members in zip(planes, found, strict=True):
            if known @ normal > np.cos(_ONE_PLANE_RAD) and abs(away - there) < _SAME_PLANE * diameter:
                members.append(region)
                break
        else:
            planes.append((normal, away))
            found.append([region])
    return [np.concatenate(members) for members in found]


def _in_a_hole(point: Array, corners: Array) -> bool:
    """No triangle (N, 3, 3) of the plane holds the point."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    inside = np.ones(len(corners), bool)
    for start, end in ((a, b), (b, c), (c, a)):
        across = np.einsum("ij,ij->i", np.cross(end - start, point - start), normal)
        # The border itself counts: rounding decides on which side of an inner edge a middle falls.
        inside &= across >= -1e-9 * np.einsum("ij,ij->i", normal, normal)
    return not inside.any()


def _beside_the_hole(vertices: Array, faces: NDArray[np.int64], middle: Array, normal: Array, clear: float) -> Array:
    """The point (3,) of a flat face that is nearest to ``middle`` and ``clear`` of the border, in metres.

    Where several are about as near, as around a round hole, the one that lies most along x.
    """
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    known, times = np.unique(edges, axis=0, return_counts=True)
    border = vertices[known[times == 1]] - middle
    along_x = np.eye(3)[0] - normal[0] * normal
    u = unit(along_x if np.linalg.norm(along_x) > 0.1 else np.eye(3)[1] - normal[1] * normal)
    v = np.cross(normal, u)
    start, end = (np.stack([border[:, i] @ u, border[:, i] @ v], axis=1) for i in (0, 1))
    found: list[tuple[float, float, Array]] = []
    for angle in np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS:
        direction = np.array([np.cos(angle), np.sin(angle)])
        side = start @ (-direction[1], direction[0]), end @ (-direction[1], direction[0])
        crossing = (side[0] > 0) != (side[1] > 0)
        fraction = side[0][crossing] / (side[0][crossing] - side[1][crossing])
        away = (start[crossing] + fraction[:, None] * (end - start)[crossing]) @ direction
        away = np.sort(away[away > 0])
        for near, far in zip(away[:-1:2], away[1::2], strict=False):
            if far - near > 1e-6 * clear:
                distance = near + min((far - near) / 2, clear)
                found.append((distance, float(direction[0]), middle + distance * (direction[0] * u + direction[1] * v)))
                break
    if not found:
        centres = vertices[faces].mean(axis=1)
        return np.asarray(centres[np.argmin(np.linalg.norm(centres - middle, axis=1))])
    nearest = min(distance for distance, _, _ in found)
    # A round hole is a polygon: its corners are farther out than its sides.
    return max((f for f in found if f[0] <= 1.05 * nearest), key=lambda f: round(f[1], 6))[2]


def _above_the_middle(mesh: Mesh, corners: Array, normals: Array, area: Array) -> ProposedPoint:
    """Where the line up from the middle leaves the surface, and where a smooth surface would face there."""
    middle = np.average(corners.mean(axis=1), axis=0, weights=area)
    a, b, c = (corners[:, i, :2] - middle[:2] for i in range(3))
    barycentric = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    total = barycentric.sum(axis=1, keepdims=True)
    barycentric = np.divide(barycentric, total, out=np.full_like(barycentric, -1.0), where=np.abs(total) > 1e-18)
    hit = np.flatnonzero((barycentric >= -1e-9).all(axis=1))
    if not len(hit):  # nothing above nor below, as in a ring
        top = int(mesh.vertices[:, 2].argmax())
        face = int(np.flatnonzero((mesh.faces == top).any(axis=1))[0])
        weights, what = (mesh.faces[face] == top).astype(float), "its top, as it has no flat face"
    else:
        heights = np.einsum("nk,nk->n", barycentric[hit], corners[hit, :, 2])
        face = int(hit[heights.argmax()])
        weights, what = barycentric[face], "above its middle, as it has no flat face"
    at_vertices = np.zeros_like(mesh.vertices)
    np.add.at(at_vertices, mesh.faces.ravel(), np.repeat(normals * area[:, None], 3, axis=0))
    smooth = weights @ unit(at_vertices[mesh.faces[face]])
    return ProposedPoint(weights @ corners[face], unit(smooth), what)


def _cross(one: Array, other: Array) -> Array:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
