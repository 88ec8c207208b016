"""Meshes made ready to be drawn: normals that keep machined edges sharp, and positions on the texture."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.meshes.reading import read_triangles
from cadsight_core.meshes.welding import welded
from cadsight_core.parts.mesh import Mesh
from numpy.typing import NDArray

# Faces that meet at a smaller angle are one round surface.
_CREASE_DEG = 35.0
# Edges are at most this fraction of the box's diagonal, unless there are many triangles: those of a part are small.
_EDGES_ACROSS = 16
_MOST_FACES = 1500


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with what light and texture need at their corners.

    Attributes:
        mesh: the triangles as they came.
        fine: the same surface in triangles small enough for light that is reckoned at corners alone.
        normals: (3 F, 3) unit vectors, one for each corner of each fine triangle.
        texture_m: (3 F, 2) metres on the texture of each corner, projected along the axis that the face looks at
            most, from the corner of the mesh's box.
        colours: (F, 3) sRGB of the fine triangles, the mean of their corners', None where the mesh has none.
    """

    mesh: Mesh
    fine: Mesh
    normals: NDArray[np.float32]
    texture_m: NDArray[np.float32]
    colours: NDArray[np.uint8] | None = None

    @property
    def radius(self) -> float:
        """Of the smallest sphere about the middle of the box that holds all, in metres."""
        return float(np.linalg.norm(self.mesh.vertices - self.middle, axis=1).max())

    @property
    def middle(self) -> Array:
        """(3,) of the mesh's box, in the mesh's frame."""
        return (self.mesh.vertices.min(axis=0) + self.mesh.vertices.max(axis=0)) / 2


def read_surface(path: str | Path) -> Surface:
    """The surface in a file in metres; the same file is read once.

    Raises:
        CadsightError: when the file is missing or holds no triangles.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise CadsightError(f"the mesh {path} could not be read: {error.strerror}, expected triangles") from error
    return _read(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=128)
def _read(path: str, _changed_ns: int, _size: int) -> Surface:
    found = welded(read_triangles(path))
    if not len(found.faces):
        raise CadsightError(f"the mesh {path} has no triangles of finite numbers, expected a surface")
    return surface_of(Mesh(found.vertices, found.faces, colours=found.colours))


def surface_of(mesh: Mesh) -> Surface:
    """``mesh`` with normals smoothed within 35 degrees and texture places."""
    fine = _refined(mesh, float(np.linalg.norm(mesh.extents)) / _EDGES_ACROSS)
    corners = fine.vertices[fine.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1, keepdims=True)
    flat = np.divide(cross, area, out=np.tile([0.0, 0.0, 1.0], (len(cross), 1)), where=area > 0)
    smooth = _smooth(fine, flat, area[:, 0]).astype(np.float32)
    painted = None if fine.colours is None else np.round(fine.colours[fine.faces].mean(axis=1)).astype(np.uint8)
    return Surface(mesh, fine, smooth, _projected(corners, flat), painted)


def _refined(mesh: Mesh, longest: float) -> Mesh:
    """The mesh with every edge longer than ``longest`` halved, again and again; neighbours still share their edges."""
    vertices, faces, colours = mesh.vertices, mesh.faces, mesh.colours
    while len(faces) < _MOST_FACES:
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
        unique, of = np.unique(edges, axis=0, return_inverse=True)
        long = np.linalg.norm(vertices[unique[:, 0]] - vertices[unique[:, 1]], axis=1) > longest
        if not long.any():
            break
        middle = np.where(long, len(vertices) + np.cumsum(long) - 1, -1)[of.reshape(-1)].reshape(-1, 3)
        vertices = np.concatenate([vertices, vertices[unique[long]].mean(axis=1)])
        if colours is not None:
            colours = np.concatenate([colours, colours[unique[long]].mean(axis=1).astype(np.uint8)])
        faces = _split(faces, middle)
    return mesh if faces is mesh.faces else Mesh(vertices, faces, colours=colours)


def _split(faces: NDArray[np.int64], middle: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles cut at the vertices ``middle`` (F, 3) on their edges 01, 12 and 20, where not -1."""
    count = (middle >= 0).sum(axis=1)
    found = [faces[count == 0]]
    for number, lead in ((1, lambda m: m >= 0), (2, lambda m: m < 0), (3, lambda m: m == m)):
        chosen = count == number
        # Turned so that the only edge that is cut, or the only one that is not, is the edge 01.
        turn = lead(middle[chosen]).argmax(axis=1)[:, None] + np.arange(3)
        (a, b, c), (ab, bc, ca) = (np.take_along_axis(x[chosen], turn % 3, axis=1).T for x in (faces, middle))
        if number == 1:
            pieces = [(a, ab, c), (ab, b, c)]
        elif number == 2:
            pieces = [(a, b, bc), (a, bc, ca), (ca, bc, c)]
        else:
            pieces = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        found += [np.stack(p, axis=1) for p in pieces]
    return np.concatenate(found)


def _smooth(mesh: Mesh, flat: Array, area: Array) -> Array:
    """For each corner the mean of its vertex's faces that lie within the crease angle of its own, by area."""
    count = len(mesh.faces)
    corner_vertex = mesh.faces.ravel()
    order = np.argsort(corner_vertex, kind="stable")
    first = np.searchsorted(corner_vertex[order], np.arange(len(mesh.vertices) + 1))
    around = np.diff(first)[corner_vertex]
    # Every pair of corners at one vertex: corner i with each corner of its vertex's run in `order`.
    mine = np.repeat(np.arange(3 * count), around)
    step = np.arange(len(mine)) - np.repeat(np.cumsum(around) - around, around)
    other = order[np.repeat(first[corner_vertex], around) + step]
    near = np.einsum("ij,ij->i", flat[mine // 3], flat[other // 3]) > np.cos(np.deg2rad(_CREASE_DEG))
    mine, other = mine[near], other[near]
    total = np.zeros((3 * count, 3))
    weighted = flat * np.maximum(area, 1e-30)[:, None]
    for axis in range(3):
        total[:, axis] = np.bincount(mine, weighted[other // 3, axis], 3 * count)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0, total / np.where(length > 0, length, 1.0), np.repeat(flat, 3, axis=0))


def _projected(corners: Array, flat: Array) -> NDArray[np.float32]:
    axis = np.abs(flat).argmax(axis=1)
    positions = corners - corners.min(axis=(0, 1))
    across = np.array([[1, 2], [0, 2], [0, 1]])[axis]
    return np.take_along_axis(positions, across[:, None, :].repeat(3, axis=1), axis=2).reshape(-1, 2).astype(np.float32)
