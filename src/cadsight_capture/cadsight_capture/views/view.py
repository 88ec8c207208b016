"""Whether the camera would see the part at joint angles that the arm has not taken yet."""

from dataclasses import dataclass

import numpy as np
from cadsight_cell.arm import Arm
from cadsight_cell.motion.collision import HeldPart
from cadsight_cell.motion.planner import NoPathError, Planner
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, angle_between
from cadsight_core.parts.part import Part
from numpy.typing import ArrayLike

# Poses that are tried before the session samples any, and how far the least tilt of them may be from the least of all.
_SAMPLES, _MARGIN_DEG = 500, 10.0


@dataclass(frozen=True)
class ViewParameters:
    """Which poses give a useful image."""

    border_px: float = parameter(8.0, "least distance of the part's outline from the image's border", minimum=0.0)
    largest_tilt_deg: float = parameter(
        60.0, "largest angle between the part's axis of interest and the ray to the camera", minimum=0.0, maximum=90.0
    )

    def __post_init__(self) -> None:
        check(self)


class ViewCheck:
    """Gives in one word why a pose has no image: unreachable, colliding, out_of_view or turned_away."""

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

    def check_axis(self, home: ArrayLike, spread: ArrayLike) -> None:
        """Refuse a part that turns its point of interest away from the camera whatever the pose.

        Args:
            home: (6,) middle of the poses in radians.
            spread: (6,) how far each joint goes to either side.

        Raises:
            CadsightError: when no pose comes near to the largest tilt.
        """
        sampled = np.random.default_rng(0).uniform(-1, 1, (_SAMPLES, 6)) * np.asarray(spread) + np.asarray(home)
        least = min(self._tilt(self._camera_from_part(joints)) for joints in (np.asarray(home, float), *sampled))
        if least > self._parameters.largest_tilt_deg + _MARGIN_DEG:
            axis = ", ".join(f"{v:g}" for v in np.round(self._axis, 3) + 0.0)
            raise CadsightError(
                f"the axis_of_interest [{axis}] comes no nearer than {least:.0f} degrees to the camera around "
                f"home_joints, expected at most {self._parameters.largest_tilt_deg:g}: change one of "
                "the axis, the mount and home_joints"
            )

    def _camera_from_part(self, joints: Array) -> Pose:
        return self._camera_from_base @ self._arm.forward(joints) @ self._held.tool0_from_part

    def _tilt(self, camera_from_part: Pose) -> float:
        """Degrees between the axis of interest and the ray to the camera."""
        return float(angle_between(camera_from_part.rotate(self._axis), -camera_from_part.apply(self._interest)))

    def __call__(self, joints: Array) -> str:
        """The reason against joint angles (6,) in radians, or '' when there is none."""
        camera_from_part = self._camera_from_part(joints)
        pixels = self._camera.project(camera_from_part.apply(self._points))
        border, size = self._parameters.border_px, self._camera.size
        inside = (pixels >= border) & (pixels <= np.array([size.width, size.height]) - 1 - border)
        if not inside.all():
            return "out_of_view"
        if self._tilt(camera_from_part) > self._parameters.largest_tilt_deg:
            return "turned_away"
        try:
            self._planner.check(joints, "the pose")
        except NoPathError as error:
            return error.reason
        return ""
