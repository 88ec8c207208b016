"""OpenCV's plumb_bob projection for many points at once, also where a fit tries lenses."""

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array

_NEAREST_M = 1e-3
# Far from the image's centre a polynomial of the lens turns back; no image shows points so far out.
_WIDEST = 3.0


def numbers_of(camera: Camera) -> Array:
    """(9,) fx, fy, cx, cy, k1, k2, p1, p2, k3."""
    lens = [*camera.distortion, *(0.0,) * (5 - len(camera.distortion))]
    return np.array([camera.fx, camera.fy, camera.cx, camera.cy, *lens])


def camera_with(camera: Camera, numbers: Array) -> Camera:
    """``camera`` with other intrinsics."""
    fx, fy, cx, cy, *lens = (float(v) for v in numbers)
    return Camera(camera.size, fx, fy, cx, cy, tuple(lens) if any(lens) else (), camera.frame)


def project(points: Array, numbers: Array) -> Array:
    """Pixels (..., 2) of points (..., 3) in metres in the optical frame; one behind the camera is put before it."""
    fx, fy, cx, cy, k1, k2, p1, p2, k3 = numbers
    depth = np.maximum(points[..., 2], _NEAREST_M)
    x, y = (np.clip(points[..., i] / depth, -_WIDEST, _WIDEST) for i in (0, 1))
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([fx * u + cx, fy * v + cy], axis=-1)
