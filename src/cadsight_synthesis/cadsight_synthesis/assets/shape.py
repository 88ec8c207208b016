"""What has to be known of a mesh to place it: its extent and its lowest points."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part_mesh
from numpy.typing import ArrayLike

from cadsight_synthesis.assets.cache import ply_of


@dataclass(frozen=True, eq=False)
class Shape:
    """A mesh as samplers need it.

    Attributes:
        ply: file for the engines.
        middle: (3,) of the box around the mesh, in the mesh's frame.
        radius: of the sphere about ``middle`` that holds the mesh, metres.
        original, scale: what ``mesh`` was scaled from, and by how much.
    """

    mesh: Mesh
    ply: Path
    middle: Array
    radius: float
    original: Mesh
    scale: float

    @property
    def coloured(self) -> bool:
        """Whether the mesh has colours of its own."""
        return self.mesh.colours is not None

    @staticmethod
    def of(mesh: Mesh, scale: float = 1.0) -> "Shape":
        scaled = mesh.scaled(scale)
        middle = (scaled.vertices.min(axis=0) + scaled.vertices.max(axis=0)) / 2
        radius = float(np.linalg.norm(scaled.vertices - middle, axis=1).max())
        return Shape(scaled, ply_of(scaled), middle, radius, mesh, scale)

    def at(self, rotation: Array, position: ArrayLike) -> Pose:
        """The pose in the world that turns the mesh by ``rotation`` and brings its middle to ``position``."""
        return Pose(rotation, np.asarray(position, float) - rotation @ self.middle)


@lru_cache(maxsize=32)
def shape_of(part: Part) -> Shape:
    """The part's shape; its mesh is read once."""
    return Shape.of(load_part_mesh(part))
