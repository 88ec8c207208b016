"""Meshes read from CAD files, in metres."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.meshes.farthest import farthest_distance
from cadsight_core.meshes.mending import mended
from cadsight_core.meshes.reading import read_triangles, reader_of

Unit = Literal["m", "mm", "inch"]
METRES_PER_UNIT: dict[str, float] = {"m": 1.0, "mm": 0.001, "inch": 0.0254}

# A gripper holds nothing smaller than a millimetre, and a UR3e reaches 0.5 m: what lies outside is a wrong unit.
SMALLEST_DIAMETER_M = 0.001
LARGEST_DIAMETER_M = 1.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of a part.

    Attributes:
        vertices: (V, 3) in metres of the part's frame.
        faces: (F, 3) of vertex indices, counter-clockwise as seen from outside.
        notes: what was odd in its file, a clause each.
        colours: (V, 3) red, green, blue of each vertex as an image has them (sRGB), None where the file has none.
    """

    vertices: Array
    faces: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    colours: NDArray[np.uint8] | None = None

    def scaled(self, factor: float) -> "Mesh":
        """The same surface, ``factor`` times as large."""
        return self if factor == 1.0 else replace(self, vertices=self.vertices * factor)

    @cached_property
    def hull_vertices(self) -> Array:
        """The vertices (H, 3) on the convex hull: all that a silhouette's outermost points can come from."""
        try:
            return self.vertices[ConvexHull(self.vertices).vertices]
        except QhullError:  # a flat part has no volume: every vertex may be outermost
            return self.vertices

    @cached_property
    def is_closed(self) -> bool:
        """As many triangles run along each edge one way as the other."""
        edges = self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        ahead = edges[:, 0] < edges[:, 1]
        low, high = np.sort(edges, axis=1).T
        _, edge = np.unique(low * len(self.vertices) + high, return_inverse=True)
        return not np.bincount(edge, np.where(ahead, 1, -1)).any()

    @property
    def volume(self) -> float:
        """What the surface encloses in cubic metres; cavities count against it. Of an open one it means little."""
        corners = (self.vertices - self.vertices.mean(axis=0))[self.faces]
        return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)

    @property
    def extents(self) -> Array:
        """Size (3,) along the axes in metres."""
        return np.ptp(self.vertices, axis=0)

    @cached_property
    def diameter(self) -> float:
        """Largest distance of two vertices in metres."""
        return farthest_distance(self.vertices)


def load_mesh(path: str | Path, unit: Unit = "mm") -> Mesh:
    """Read a CAD file; all bodies of the file become one mesh.

    STEP and GLB state their own unit, so ``unit`` applies to the other formats alone. Triangles without area are left
    out, those that face inwards are turned; that, holes and several bodies are noted in the mesh's ``notes``. Normals
    that the file may hold are not used: a triangle's corners say which way it faces.

    Raises:
        CadsightError: for a missing or unreadable file, an unknown format or unit, no triangles with an area,
            or a diameter outside 1 mm to 1 m.
    """
    path = Path(path)
    if unit not in get_args(Unit):
        raise CadsightError(f"the unit of {path} is {unit!r}, expected one of {', '.join(get_args(Unit))}")
    found = mended(read_triangles(path))
    if not len(found.faces):
        raise CadsightError(f"the mesh {path} has no triangles with an area, expected a surface")
    stated = reader_of(path).states_unit
    vertices = found.vertices * (1.0 if stated else METRES_PER_UNIT[unit])
    mesh = Mesh(vertices, found.faces, found.notes, found.colours)
    if not SMALLEST_DIAMETER_M <= mesh.diameter <= LARGEST_DIAMETER_M:
        read = "by the unit that it states" if stated else f"when read in {unit}"
        raise CadsightError(
            f"the mesh {path} is {mesh.diameter:g} m across {read}, expected "
            f"{SMALLEST_DIAMETER_M:g} to {LARGEST_DIAMETER_M:g} m: check its unit"
        )
    return mesh
