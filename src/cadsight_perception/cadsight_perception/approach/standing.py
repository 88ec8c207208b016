"""Where the tool is to stand before a point of interest, in the arm's base."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array, Pose

from cadsight_perception.approach.frames import frame_along, turns_of
from cadsight_perception.approach.interest import Interest


@dataclass(frozen=True, eq=False)
class HandEyeError:
    """Standard deviations of a camera's calibrated place: metres along each axis, radians about each."""

    metres: float
    radians: float


@dataclass(frozen=True, eq=False)
class Approach:
    """A pose of the tool, in the base.

    Attributes:
        base_from_tool: the tool's z runs against the normal, towards the part; x lies as near to the base's x as it
            can, since any turn about z does as well.
        covariance: (6, 6) of x, y, z in metres and of turns about the base's x, y and z in radians, as in
            ``geometry_msgs/PoseWithCovariance``.
        interest: what is approached, in the base.
    """

    base_from_tool: Pose
    covariance: Array
    interest: Interest


def approach(interest: Interest, base_from_camera: Pose, standoff_m: float, error: HandEyeError) -> Approach:
    """The tool ``standoff_m`` from the point of ``interest`` (of the camera's frame), along its normal."""
    found = in_base(interest, base_from_camera, error)
    return standing(found, standoff_m)


def standing(interest: Interest, standoff_m: float) -> Approach:
    """The tool ``standoff_m`` from the point of ``interest`` (of the base), along its normal."""
    pose = Pose(frame_along(-interest.normal), interest.point + standoff_m * interest.normal)
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = interest.point_covariance + standoff_m**2 * interest.normal_covariance
    covariance[3:, 3:] = turns_of(interest.normal, interest.normal_covariance)
    return Approach(pose, covariance, interest)


def in_base(interest: Interest, base_from_camera: Pose, error: HandEyeError) -> Interest:
    """``interest`` of the camera's frame in the base's; the camera's own place is uncertain by ``error``."""
    point, normal, turn = interest.point, interest.normal, base_from_camera.rotation
    shaken = error.radians**2 * ((point @ point) * np.eye(3) - np.outer(point, point))
    tilted = error.radians**2 * (np.eye(3) - np.outer(normal, normal))
    return Interest(
        base_from_camera.apply(point),
        turn @ (interest.point_covariance + error.metres**2 * np.eye(3) + shaken) @ turn.T,
        base_from_camera.rotate(normal),
        turn @ (interest.normal_covariance + tilted) @ turn.T,
        interest.method,
    )
