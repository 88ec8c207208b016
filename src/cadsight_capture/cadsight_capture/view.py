"""Whether the camera would see the part at joint angles that the arm has not taken yet."""

from dataclasses import dataclass

import numpy as np
from cadsight_cell.arm import Arm
from cadsight_cell.collision import HeldPart
from cadsight_cell.planner import NoPathError, Planner
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array, Pose, angle_between
from cadsight_core.parameters import check, parameter
from cadsight_core.part import Part


@dataclass(frozen=True)
class ViewParameters:
    """Which poses are worth a picture."""

    border_px: float = parameter(8.0, "least distance of the part's outline from the picture's border", minimum=0.0)
    largest_tilt_deg: float = parameter(
        60.0, "largest angle between the part's axis of interest and the ray to the camera", minimum=0.0, maximum=90.0
    )

    def __post_init__(self) -> None:
        check(self)


class ViewCheck:
    """Says in one word why a pose gives no picture: unreachable, colliding, out_of_view or turned_away."""

    def __init__(
        self,
        arm: Arm,
        planner: Planner,
        part: Part,
        held: HeldPart,
        camera: Camera,
        base_from_camera: Pose,
        parameters: ViewParameters | None = None,
    ) -> None:
        """``camera`` and ``base_from_camera`` (base_link_from_optical) are what the software knows of them."""
        self._arm, self._planner, self._held = arm, planner, held
        self._camera, self._camera_from_base = camera, base_from_camera.inverse()
        self._parameters = parameters or ViewParameters()
        self._points = held.mesh.hull_vertices
        self._interest = np.array(part.point_of_interest)
        self._axis = np.array(part.axis_of_interest)

    def __call__(self, joints: Array) -> str:
        """The reason against joint angles (6,) in radians, or '' when there is none."""
        camera_from_part = self._camera_from_base @ self._arm.forward(joints) @ self._held.tool0_from_part
        pixels = self._camera.project(camera_from_part.apply(self._points))
        border, size = self._parameters.border_px, self._camera.size
        inside = (pixels >= border) & (pixels <= np.array([size.width, size.height]) - 1 - border)
        if not inside.all():
            return "out_of_view"
        to_camera = -camera_from_part.apply(self._interest)
        if angle_between(camera_from_part.rotate(self._axis), to_camera) > self._parameters.largest_tilt_deg:
            return "turned_away"
        try:
            self._planner.check(joints, "the pose")
        except NoPathError as error:
            return error.reason
        return ""
