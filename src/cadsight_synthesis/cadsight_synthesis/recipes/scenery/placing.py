"""Where cameras stand and what they see of a mesh."""

import numpy as np
from cadsight_core.camera import Camera, viewing_rotation
from cadsight_core.geometry import Array, Pose, unit
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from cadsight_synthesis.assets.shape import Shape


def any_rotation(rng: Generator) -> Array:
    """A rotation (3, 3), all equally likely."""
    quaternion = rng.normal(size=4)
    return Rotation.from_quat(quaternion).as_matrix()


def on_sphere(azimuth_deg: float, elevation_deg: float) -> Array:
    """The direction (3,) at an azimuth from +x towards +y and an elevation above the xy plane."""
    azimuth, elevation = np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg)
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def looking_at(position: ArrayLike, target: ArrayLike, tilt_deg: float = 0.0) -> Pose:
    """world_from_camera of an optical frame at ``position`` whose axis meets ``target``.

    The world's z shows upwards in the image, then the camera is turned about its axis, clockwise as the image
    is seen, by ``tilt_deg``. Straight down, the image's upper edge lies towards +x.
    """
    position = np.asarray(position, float)
    forward = unit(np.asarray(target, float) - position)
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 1 - 1e-9 else np.array([1.0, 0.0, 0.0])
    right = unit(np.cross(forward, up))
    rotation = np.column_stack([right, np.cross(forward, right), forward])
    return Pose(rotation @ Rotation.from_euler("z", tilt_deg, degrees=True).as_matrix(), position)


def aimed(pose: Pose, camera: Camera, pixel: ArrayLike) -> Pose:
    """``pose`` turned so that what lay on its optical axis is seen at ``pixel`` (2,)."""
    return Pose(pose.rotation @ viewing_rotation(camera, pixel).T, pose.translation)


def distance_that_fills(camera: Camera, radius: float, fill: float) -> float:
    """Distance at which a sphere on the optical axis covers ``fill`` of the image's shorter side."""
    half = fill * min(camera.size.width, camera.size.height) / 2
    return radius / float(np.sin(np.arctan(half / camera.fx)))


def fraction_outside(shape: Shape, camera: Camera, camera_from_part: Pose) -> float:
    """Fraction of the part's box in the image plane that lies outside the image, 1 where it is behind the camera."""
    pixels = camera.project(camera_from_part.apply(shape.mesh.hull_vertices)) + 0.5
    if np.isnan(pixels).any():
        return 1.0
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    size = np.array([camera.size.width, camera.size.height])
    inside = np.clip(np.minimum(high, size) - np.maximum(low, 0), 0, None)
    return float(1 - inside.prod() / max((high - low).prod(), 1e-12))
