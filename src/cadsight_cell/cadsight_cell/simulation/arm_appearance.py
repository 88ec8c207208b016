"""How the UR3e looks: the meshes of airo-models, thinned so that a frame takes a third of the time."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import fast_simplification
import numpy as np
import pinocchio
import trimesh
from cadsight_core.geometry import Array, Pose
from numpy.typing import NDArray

from cadsight_cell.arm import Arm, Joints, joint_vector

# The decals are flat and the fraction of triangles that the eye does not miss at arm's length.
_DECALS = ("M_Text",)
_KEPT_FRACTION = 0.08
_SMALL = 300


@dataclass(frozen=True, eq=False)
class Piece:
    """One colour of one link: vertices (V, 3) in metres of the link's visual frame, faces (F, 3), red green blue."""

    link: str
    vertices: Array
    faces: NDArray[np.int32]
    colour: tuple[float, float, float]


class ArmAppearance:
    """The pieces of the arm and where they are at given joint angles."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._geometry = pinocchio.buildGeomFromUrdf(
            arm.model, str(arm.urdf), pinocchio.GeometryType.VISUAL, package_dirs=[str(arm.urdf.parent)]
        )
        self._data = pinocchio.GeometryData(self._geometry)
        self._model_data = arm.model.createData()
        self.links = tuple(g.name for g in self._geometry.geometryObjects)
        self.pieces = tuple(p for g in self._geometry.geometryObjects for p in _pieces(g.name, Path(g.meshPath)))

    def poses(self, joints: Joints) -> dict[str, Pose]:
        """base_link_from_visual of every link at ``joints`` in radians."""
        q = joint_vector(joints)
        pinocchio.updateGeometryPlacements(self._arm.model, self._model_data, self._geometry, self._data, q)
        return {
            name: Pose(placement.rotation.copy(), placement.translation.copy())
            for name, placement in zip(self.links, self._data.oMg, strict=True)
        }


@cache
def _pieces(link: str, path: Path) -> tuple[Piece, ...]:
    pieces = []
    for name, geometry in trimesh.load_scene(path, process=False).geometry.items():
        if name.split(".")[0] in _DECALS:
            continue
        # Without the file's normals and texture coordinates, corners that only those tell apart become one again.
        bare = trimesh.Trimesh(geometry.vertices, geometry.faces)
        vertices, faces = bare.vertices.astype(np.float32), bare.faces.astype(np.int32)
        if len(faces) > _SMALL:
            target = max(int(len(faces) * _KEPT_FRACTION), 60)
            vertices, faces = fast_simplification.simplify(vertices, faces, target_count=target)
        diffuse = getattr(geometry.visual.material, "diffuse", None)
        colour = tuple(float(c) / 255 for c in (diffuse if diffuse is not None else (209, 209, 209))[:3])
        pieces.append(Piece(link, np.asarray(vertices, float), np.asarray(faces, np.int32), colour))  # type: ignore[arg-type]
    return tuple(pieces)
