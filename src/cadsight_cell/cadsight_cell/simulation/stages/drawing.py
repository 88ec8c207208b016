"""The table's parts and clutter as MuJoCo draws them."""

from collections.abc import Mapping

import mujoco
import numpy as np
from cadsight_core.geometry import Pose
from cadsight_synthesis.rendering.colour import to_display
from cadsight_synthesis.rendering.surface import read_surface
from numpy.typing import NDArray

from cadsight_cell.arm import Joints
from cadsight_cell.simulation.renderer import SceneRenderer
from cadsight_cell.simulation.scene import add_mesh, sharp, wxyz
from cadsight_cell.simulation.stages.dropping import Drop, Lying
from cadsight_cell.simulation.world import World


class LyingThings:
    """Bodies that stay where they lie."""

    def __init__(self, drop: Drop) -> None:
        self._drop = drop

    def furnish(self, spec: mujoco.MjSpec) -> None:
        for body in self._drop.bodies:
            _add(spec, body)

    def poses(self, tool: Pose) -> Mapping[str, Pose]:
        return {}


class TableRenderer(SceneRenderer):
    """Draws the arm over one drop."""

    def __init__(self, world: World, drop: Drop) -> None:
        super().__init__(world, LyingThings(drop))
        self._parts = [self._model.geom(b.name).id for b in drop.bodies if b.class_id is not None]

    def parts(self, joints: Joints) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels whose centre shows a part."""
        return np.isin(self.geoms(joints), self._parts)


def _add(spec: mujoco.MjSpec, body: Lying) -> None:
    add_mesh(spec, body.name, *sharp(read_surface(body.mesh).mesh))
    look = body.material
    polish = 1 - look.roughness
    material = spec.add_material(
        name=body.name,
        rgba=(*to_display(look.colour), 1.0),
        specular=polish * (0.3 + 0.7 * look.metallic),
        shininess=max(polish**2, 0.05),
    )
    pose = body.base_from_body
    # A frame of its own: MuJoCo moves a mesh to its own centre, and the geom with it.
    placed = spec.worldbody.add_body(name=body.name, pos=pose.translation, quat=wxyz(pose))
    placed.add_geom(name=body.name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=body.name, material=material.name)
