"""The label that the robot's joints give: no pixel of the image is used."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_capture.labels.refusal import Refusal


@dataclass(frozen=True, eq=False)
class KinematicLabel:
    """The label of an image by joints, hand-eye calibration and CAD.

    Attributes:
        camera_from_part: the part's pose in the optical frame.
        mask: (H, W) silhouette of the mesh.
        box: the smallest box around ``mask``.
        normal: (3,) the part's axis of interest in the optical frame, a unit vector.
        point: (2,) the part's point of interest in pixels (pixel centres at integers).
        hull: (V, 2) pixels of the vertices of the part's convex hull.
    """

    camera_from_part: Pose
    mask: NDArray[np.bool_]
    box: Box
    normal: Array
    point: Array
    hull: Array

    def instance(self, class_id: int) -> Instance:
        return Instance(
            class_id=class_id,
            box=self.box,
            mask=self.mask,
            camera_from_part=self.camera_from_part,
            normal=self.normal,
            point=self.point,
            score=None,
            source="kinematic",
        )


def camera_from_part_by_joints(base_from_camera: Pose, base_from_tool: Pose, tool_from_part: Pose) -> Pose:
    """The part's pose in the optical frame, from the hand-eye calibration, the arm and the mount."""
    return base_from_camera.inverse() @ base_from_tool @ tool_from_part


def label_by_kinematics(part: Part, mesh: Mesh, camera: Camera, camera_from_part: Pose) -> KinematicLabel | Refusal:
    """The label of a part at a known pose; refused where the part is not wholly in the image."""
    pixels = camera.project(camera_from_part.apply(mesh.hull_vertices))
    if np.isnan(pixels).any():
        return Refusal("kinematic_behind", "the joints put the part behind the camera or across its plane")
    width, height = camera.size.width, camera.size.height
    low, high = pixels.min(axis=0) + 0.5, pixels.max(axis=0) + 0.5
    if (low <= 0).any() or high[0] >= width or high[1] >= height:
        return Refusal(
            "kinematic_border",
            f"the joints put the part at x {low[0]:.0f} to {high[0]:.0f}, y {low[1]:.0f} to {high[1]:.0f}, "
            f"expected it wholly inside {width} x {height} pixels",
        )
    mask = silhouette(mesh, camera_from_part, camera)
    box = Box.from_mask(mask)
    if box is None:
        return Refusal("kinematic_small", "the joints put the part so far away that it covers no pixel")
    return KinematicLabel(
        camera_from_part,
        mask,
        box,
        unit(camera_from_part.rotate(part.axis_of_interest)),
        camera.project(camera_from_part.apply([part.point_of_interest]))[0],
        pixels,
    )
