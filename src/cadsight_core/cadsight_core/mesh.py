"""Meshes read from CAD files, in metres."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.mesh_mending import mend

Unit = Literal["m", "mm", "inch"]
METRES_PER_UNIT: dict[str, float] = {"m": 1.0, "mm": 0.001, "inch": 0.0254}
MESH_SUFFIXES = (".stl", ".ply", ".obj", ".glb", ".step", ".stp")
_STATING_UNIT = (".glb", ".step", ".stp")

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
        colours: (V, 3) red, green, blue of each vertex as a picture has them (sRGB), None where the file has none.
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
        """Every edge belongs to two triangles that run along it in opposite directions."""
        edges = self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        directed = np.unique(edges, axis=0)
        if len(directed) != len(edges):
            return False
        return np.array_equal(directed, np.unique(edges[:, ::-1], axis=0))

    @property
    def extents(self) -> Array:
        """Size (3,) along the axes in metres."""
        return np.ptp(self.vertices, axis=0)

    @cached_property
    def diameter(self) -> float:
        """Largest distance of two vertices in metres."""
        hull = self.hull_vertices
        return float(max(np.linalg.norm(hull - v, axis=1).max() for v in hull))


def load_mesh(path: str | Path, unit: Unit = "mm") -> Mesh:
    """Read STL, PLY, OBJ, GLB or STEP; all bodies of the file become one mesh.

    STEP and GLB state their own unit, so ``unit`` applies to the other formats alone. Triangles without area are left
    out, flipped ones are turned; that, holes and several bodies are told in the mesh's ``notes``. Normals that the
    file may hold are not used: a triangle's corners say which way it faces.

    Raises:
        CadsightError: for a missing or unreadable file, an unknown format or unit, no triangles with an area,
            vertices that are not finite, or a diameter outside 1 mm to 1 m.
    """
    path = Path(path)
    if unit not in get_args(Unit):
        raise CadsightError(f"the unit of {path} is {unit!r}, expected one of {', '.join(get_args(Unit))}")
    if not path.is_file():
        raise CadsightError(f"the mesh {path} does not exist, expected a file in STL, PLY, OBJ, GLB or STEP")
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise CadsightError(f"the mesh {path} ends in {path.suffix!r}, expected one of {', '.join(MESH_SUFFIXES)}")
    try:
        merged = trimesh.load_scene(path).to_geometry()
    except Exception as error:  # the readers behind trimesh raise whatever their parsers do
        raise CadsightError(f"the mesh {path} could not be read as {path.suffix[1:].upper()}: {error}") from error
    if not isinstance(merged, trimesh.Trimesh) or not len(merged.faces):
        raise CadsightError(f"the mesh {path} has no triangles, expected a surface")
    scale = 1.0 if path.suffix.lower() in _STATING_UNIT else METRES_PER_UNIT[unit]
    # A texture's seams would stay open when its vertices are merged.
    merged.visual = trimesh.visual.ColorVisuals(merged, vertex_colors=vertex_colours(merged))
    merged.merge_vertices()
    notes = mend(merged)
    if not len(merged.faces):
        raise CadsightError(f"the mesh {path} has no triangles with an area, expected a surface")
    vertices, faces = np.asarray(merged.vertices, float) * scale, np.asarray(merged.faces, np.int64)
    mesh = Mesh(vertices, faces, notes, vertex_colours(merged))
    if not np.isfinite(mesh.vertices).all():
        raise CadsightError(f"the mesh {path} has vertices that are not finite numbers, expected metres or millimetres")
    if not SMALLEST_DIAMETER_M <= mesh.diameter <= LARGEST_DIAMETER_M:
        read = "by the unit that it states" if path.suffix.lower() in _STATING_UNIT else f"when read in {unit}"
        raise CadsightError(
            f"the mesh {path} is {mesh.diameter:g} m across {read}, expected "
            f"{SMALLEST_DIAMETER_M:g} to {LARGEST_DIAMETER_M:g} m: check its unit"
        )
    return mesh


def vertex_colours(mesh: trimesh.Trimesh) -> NDArray[np.uint8] | None:
    """(V, 3) sRGB of a mesh with coloured vertices or faces or with a texture, None of any other."""
    visual: Any = mesh.visual
    if visual.kind == "texture":
        material = visual.material
        picture = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
        if picture is None or visual.uv is None:
            return None
        visual = visual.to_color()
    if visual.kind not in ("vertex", "face"):
        return None
    return np.asarray(visual.vertex_colors[:, :3], np.uint8)
