"""Pictures, depths and masks of the simulated cell at given joint angles."""

import mujoco
import numpy as np
from cadsight_core.geometry import Pose
from cadsight_core.mesh import Mesh
from cadsight_core.part import Part
from numpy.typing import NDArray

from cadsight_cell.arm import Arm, Joints
from cadsight_cell.simulation.arm_look import ArmLook
from cadsight_cell.simulation.scene import HOLDER, PART, build_model, place
from cadsight_cell.simulation.sensor import Imager, Lens
from cadsight_cell.simulation.world import World


class CellRenderer:
    """Draws one world. Belongs to the thread that made it, as its OpenGL context does."""

    def __init__(self, world: World, part: Part, mesh: Mesh, mount: Pose) -> None:
        """``mount`` is tool0_from_part."""
        self.world, self.mount = world, mount
        self._arm = Arm()
        self._look = ArmLook(self._arm)
        self._lens = Lens(world.camera)
        self._imager = Imager(world.sensor, world.camera, world.seed)
        size = (self._lens.width, self._lens.height)
        self._model = build_model(world, part, mesh, mount, self._look, size, self._lens.fovy_deg)
        self._data = mujoco.MjData(self._model)
        self._renderer = mujoco.Renderer(self._model, height=size[1], width=size[0])
        self._camera = self._model.camera("color").id
        self._part = self._model.geom(PART).id

    def colour(self, joints: Joints, frame: int = 0) -> NDArray[np.uint8]:
        """RGB image (H, W, 3) as the camera sends it; ``frame`` chooses the noise."""
        self._place(joints)
        return self._imager.expose(self._lens.bend(self._renderer.render()), frame)

    def depth(self, joints: Joints) -> NDArray[np.float32]:
        """Distance (H, W) in metres along the optical axis, in the colour camera's pixels."""
        self._place(joints)
        self._renderer.enable_depth_rendering()
        try:
            return self._lens.bend_nearest(self._renderer.render())
        finally:
            self._renderer.disable_depth_rendering()

    def mask(self, joints: Joints) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels whose centre shows the part; what stands before it is left out."""
        self._place(joints)
        self._renderer.enable_segmentation_rendering()
        try:
            shown = self._renderer.render()
        finally:
            self._renderer.disable_segmentation_rendering()
        is_part = (shown[..., 0] == self._part) & (shown[..., 1] == mujoco.mjtObj.mjOBJ_GEOM)
        return self._lens.bend_nearest(is_part.astype(np.float32)) > 0.5

    def camera_from_part(self, joints: Joints) -> Pose:
        """The part's true pose in the optical frame."""
        return self.world.base_from_camera.inverse() @ self._arm.forward(joints) @ self.mount

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._renderer.close()

    def _place(self, joints: Joints) -> None:
        tool = self._arm.forward(joints)
        poses = self._look.poses(joints) | {HOLDER: tool, PART: tool @ self.mount}
        place(self._model, self._data, poses)
        self._renderer.update_scene(self._data, camera=self._camera)
