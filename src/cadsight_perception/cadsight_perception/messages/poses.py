"""The pose of a detected part as far as it is known: where it is by its depth, and how it is turned by its normal."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array, Pose
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_perception.approach.frames import frame_along, turns_of
from cadsight_perception.messages.markers import known_depths

# So many times the median deviation of normally distributed values is their standard deviation.
_MAD = 1.4826


@dataclass(frozen=True)
class SeenPose:
    """A pose in the camera's optical frame.

    Attributes:
        pose: the origin lies on the part's surface in the middle of its box, z along its normal; x lies as near to the
            image's x as it can, since the turn about the normal is not known.
        covariance: (6, 6) of x, y, z in metres and of turns about the frame's own x, y and z in radians, as in
            ``geometry_msgs/PoseWithCovariance``.
    """

    pose: Pose
    covariance: Array


def seen_pose(
    instance: Instance, camera: Camera, normal_covariance: Array | None, depth: NDArray[np.float32] | None
) -> SeenPose | None:
    """The pose of ``instance``; None without a normal, or where ``depth`` (H, W, metres, 0 = unknown) is not known.

    Across the ray its middle is as good as a pixel, along it as the depths scatter.
    """
    known = known_depths(instance, camera, depth)
    if instance.normal is None or normal_covariance is None or not known.size:
        return None
    distance = float(np.median(known))
    scatter = _MAD * float(np.median(np.abs(known - distance)))
    x, y = instance.box.centre
    ray = camera.rays([[x - 0.5, y - 0.5]])[0]
    along = np.outer(ray, ray)
    pixel = distance / min(camera.fx, camera.fy)
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = (scatter / ray[2]) ** 2 * along + pixel**2 * np.eye(3)
    covariance[3:, 3:] = turns_of(instance.normal, normal_covariance)
    return SeenPose(Pose(frame_along(instance.normal), ray * (distance / ray[2])), covariance)
