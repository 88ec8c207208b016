"""Images, depths and masks of the simulated cell at given joint angles."""

import mujoco
import numpy as np
from cadsight_core.geometry import Pose
from cadsight_core.imaging.lens import Lens
from cadsight_core.imaging.opengl import keep_triton_out
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from numpy.typing import NDArray

from cadsight_cell.arm import Arm, Joints
from cadsight_cell.simulation.arm_appearance import ArmAppearance
from cadsight_cell.simulation.held import PART, Held
from cadsight_cell.simulation.scene import Contents, build_model, set_light, set_poses
from cadsight_cell.simulation.sensor import Imager
from cadsight_cell.simulation.world import Light, World

# Pixels of a mask's image for one of the camera's, along each axis.
_FINE = 3


class SceneRenderer:
    """Draws one world with what it holds. Belongs to the thread that made it, as its OpenGL context does."""

    def __init__(self, world: World, contents: Contents) -> None:
        self.world, self._contents = world, contents
        self._arm = Arm()
        self._appearance = ArmAppearance(self._arm)
        self._lens = Lens(world.camera)
        self._imager = Imager(world.sensor, world.camera, world.seed)
        largest = (self._lens.width * _FINE, self._lens.height * _FINE)
        self._model = build_model(world, contents, self._appearance, largest, self._lens.fovy_deg)
        self._data = mujoco.MjData(self._model)
        keep_triton_out()
        self._renderer = mujoco.Renderer(self._model, height=self._lens.height, width=self._lens.width)
        self._camera = self._model.camera("color").id

    def colour(self, joints: Joints, frame: int = 0) -> NDArray[np.uint8]:
        """RGB image (H, W, 3) as the camera sends it; ``frame`` chooses the noise."""
        self._set_poses(joints)
        return self._imager.expose(self._lens.bend(self._renderer.render()), frame)

    def relight(self, light: Light) -> None:
        """Draw under another light from now on."""
        set_light(self._model, light)

    def depth(self, joints: Joints) -> NDArray[np.float32]:
        """Distance (H, W) in metres along the optical axis, in the colour camera's pixels."""
        self._set_poses(joints)
        self._renderer.enable_depth_rendering()
        try:
            return self._lens.bend_nearest(self._renderer.render())
        finally:
            self._renderer.disable_depth_rendering()

    def geoms(self, joints: Joints) -> NDArray[np.int32]:
        """Number (H, W) of MuJoCo's geom that the pixel's centre shows, -1 for none."""
        self._set_poses(joints)
        self._renderer.enable_segmentation_rendering()
        try:
            return self._lens.bend_nearest(_geoms(self._renderer.render()).astype(np.float32)).astype(np.int32)
        finally:
            self._renderer.disable_segmentation_rendering()

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._renderer.close()

    def _set_poses(self, joints: Joints, renderer: mujoco.Renderer | None = None) -> None:
        tool = self._arm.forward(joints)
        set_poses(self._model, self._data, {**self._appearance.poses(joints), **self._contents.poses(tool)})
        (renderer or self._renderer).update_scene(self._data, camera=self._camera)


class CellRenderer(SceneRenderer):
    """Draws a world whose arm holds a part."""

    def __init__(self, world: World, part: Part, mesh: Mesh, mount: Pose) -> None:
        """``mount`` is tool0_from_part."""
        super().__init__(world, Held(part, mesh, mount))
        self.mount = mount
        self._fine_lens: Lens | None = None
        self._fine: mujoco.Renderer | None = None
        self._part = self._model.geom(PART).id

    def mask(self, joints: Joints) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels whose centre shows the part; what stands before it is left out.

        Drawn finer than the image, so that a pixel's centre is met to a fraction of a pixel.
        """
        if self._fine is None or self._fine_lens is None:
            self._fine_lens = Lens(self.world.camera, _FINE)
            self._fine = mujoco.Renderer(self._model, height=self._fine_lens.height, width=self._fine_lens.width)
            self._fine.enable_segmentation_rendering()
        self._set_poses(joints, self._fine)
        is_part = _geoms(self._fine.render()) == self._part
        return self._fine_lens.bend_nearest(is_part.astype(np.float32)) > 0.5

    def camera_from_part(self, joints: Joints) -> Pose:
        """The part's true pose in the optical frame."""
        return self.world.base_from_camera.inverse() @ self._arm.forward(joints) @ self.mount

    def close(self) -> None:
        super().close()
        if self._fine is not None:
            self._fine.close()


def _geoms(segmentation: NDArray[np.int32]) -> NDArray[np.int32]:
    """What MuJoCo's segmentation (H, W, 2) says, object and type, as numbers (H, W) of geoms, -1 for anything else."""
    is_geom = segmentation[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM)
    return np.where(is_geom, segmentation[..., 0], -1).astype(np.int32)
