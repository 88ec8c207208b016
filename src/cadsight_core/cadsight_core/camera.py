"""The pinhole camera with OpenCV's ``plumb_bob`` distortion.

Pixel coordinates are OpenCV's and ROS's: the centre of the top left pixel is (0, 0). Boxes count from that
pixel's corner instead (see :mod:`cadsight_core.box`): a point at ``u`` lies at ``u + 0.5`` there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, unit


@dataclass(frozen=True)
class ImageSize:
    """Width and height in pixels, both positive."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise CadsightError(f"an image is {self.width} x {self.height} pixels, expected both to be positive")


@dataclass(frozen=True)
class Camera:
    """Intrinsics of a camera in its optical frame (z forward, x right, y down).

    Attributes:
        distortion: plumb_bob coefficients k1, k2, p1, p2, k3; empty where there is none.
        frame: name of the optical frame.
    """

    size: ImageSize
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    frame: str = "camera_color_optical_frame"

    def __post_init__(self) -> None:
        if not (self.fx > 0 and self.fy > 0):
            raise CadsightError(f"the focal lengths of {self.frame} are {self.fx}, {self.fy}, expected positive ones")
        if len(self.distortion) not in (0, 4, 5):
            raise CadsightError(
                f"{self.frame} has {len(self.distortion)} distortion coefficients, expected 0, 4 or 5 (plumb_bob)"
            )

    @property
    def matrix(self) -> Array:
        """(3, 3) camera matrix."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def _coefficients(self) -> Array:
        return np.array(self.distortion if self.distortion else (0.0,) * 4)

    def project(self, points: ArrayLike) -> Array:
        """Pixels (N, 2) of points (N, 3) in metres in the optical frame; points behind the camera give NaN."""
        p = np.asarray(points, float).reshape(-1, 3)
        in_front = p[:, 2] > 0
        pixels = np.full((len(p), 2), np.nan)
        if in_front.any():
            projected, _ = cv2.projectPoints(p[in_front], np.zeros(3), np.zeros(3), self.matrix, self._coefficients)
            pixels[in_front] = projected[:, 0]
        return pixels

    def rays(self, pixels: ArrayLike) -> Array:
        """Unit rays (N, 3) in the optical frame through pixels (N, 2)."""
        p = np.asarray(pixels, float).reshape(-1, 1, 2)
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-10)
        normalised = cv2.undistortPoints(p, self.matrix, self._coefficients, criteria=criteria)[:, 0]
        return unit(np.column_stack([normalised, np.ones(len(normalised))]))

    def resized(self, size: ImageSize) -> "Camera":
        """The camera of the same image scaled to ``size``."""
        sx, sy = size.width / self.size.width, size.height / self.size.height
        cx, cy = (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5
        return Camera(size, self.fx * sx, self.fy * sy, cx, cy, self.distortion, self.frame)

    def to_json(self) -> dict[str, Any]:
        return {
            "width": self.size.width,
            "height": self.size.height,
            "fx": self.fx,
            "fy": self.fy,
            "cx": self.cx,
            "cy": self.cy,
            "distortion": list(self.distortion),
            "frame": self.frame,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Camera":
        size = ImageSize(int(data["width"]), int(data["height"]))
        fx, fy, cx, cy = (float(data[k]) for k in ("fx", "fy", "cx", "cy"))
        return Camera(size, fx, fy, cx, cy, tuple(map(float, data.get("distortion", ()))), str(data["frame"]))


def viewing_rotation(camera: Camera, pixel: ArrayLike) -> Array:
    """(3, 3) shortest rotation that takes the optical axis to the ray through ``pixel`` (u, v).

    A crop shows its part as seen along its own ray, not along the optical axis, so the same normal in the
    camera's frame looks different at the image's border. ``normal_camera = R @ normal_viewing``.
    """
    ray = camera.rays(np.asarray(pixel, float)[None])[0]
    axis = np.array([-ray[1], ray[0], 0.0])
    sine, cosine = np.linalg.norm(axis), ray[2]
    if sine < 1e-12:
        return np.eye(3)
    rotation, _ = cv2.Rodrigues(axis / sine * np.arctan2(sine, cosine))
    return rotation
