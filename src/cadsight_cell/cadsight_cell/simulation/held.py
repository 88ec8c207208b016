"""A part that the arm holds, as MuJoCo draws it."""

from collections.abc import Mapping

import mujoco
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part

from cadsight_cell.simulation.scene import add_mesh, sharp

PART = "part"
HOLDER = "holder"

# A white disc on a short stem between the tool and the part hides the flange, as the printed holder of the paper.
HOLDER_RADIUS_M = 0.08
HOLDER_THICKNESS_M = 0.006
_STEM_RADIUS_M = 0.018
_HOLDER_WHITE = (0.91, 0.91, 0.91, 1.0)


class Held:
    """The part on its holder."""

    def __init__(self, part: Part, mesh: Mesh, mount: Pose) -> None:
        """``mount`` is tool0_from_part."""
        self._part, self._mesh, self._mount = part, mesh, mount

    def furnish(self, spec: mujoco.MjSpec) -> None:
        holder = spec.worldbody.add_body(name=HOLDER, mocap=True)
        # The part stands on the disc, wherever its mesh has its origin.
        height = max(float(self._mount.apply(self._mesh.vertices)[:, 2].min()), HOLDER_THICKNESS_M)
        disc = HOLDER_THICKNESS_M / 2
        cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
        holder.add_geom(type=cylinder, size=[HOLDER_RADIUS_M, disc, 0], pos=[0, 0, height - disc], rgba=_HOLDER_WHITE)
        if height > HOLDER_THICKNESS_M:
            half = (height - HOLDER_THICKNESS_M) / 2
            holder.add_geom(type=cylinder, size=[_STEM_RADIUS_M, half, 0], pos=[0, 0, half], rgba=_HOLDER_WHITE)

        body = spec.worldbody.add_body(name=PART, mocap=True)
        add_mesh(spec, PART, *sharp(self._mesh))
        material = spec.add_material(name=PART, rgba=(*self._part.display_colour, 1.0), specular=0.25, shininess=0.35)
        body.add_geom(name=PART, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=PART, material=material.name)

    def poses(self, tool: Pose) -> Mapping[str, Pose]:
        return {HOLDER: tool, PART: tool @ self._mount}
