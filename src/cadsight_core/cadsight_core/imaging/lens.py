"""From the image of an ideal pinhole, as renderers draw it, to the pixels of a camera with a distorting lens."""

from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from cadsight_core.camera import Camera
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array

Number = TypeVar("Number", np.uint8, np.int16, np.float32)

# A pinhole image this much larger covers what the lens of an ordinary camera bends in from beyond the border.
_OVERSIZE = 1.12
# A lens that bends more makes pinhole images that are drawn for nothing.
_LARGEST = 3.0
_KNOT_PX = 8
_OFF_PX = 0.5


class Lens:
    """Takes images of an ideal pinhole, somewhat larger, to the camera's own pixels with its distortion.

    Attributes:
        width, height: of the pinhole's image.
        focal: its focal length in its pixels, both ways.
        fovy_deg: its vertical field of view; its centre lies in the image's middle.
    """

    def __init__(self, camera: Camera, scale: int = 1) -> None:
        """``scale`` pixels of the pinhole's image, along each axis, make one of the camera's.

        Raises:
            CadsightError: for coefficients with which some pixel has no ray of its own, or one so far aside that
                the pinhole's image would be three times the size.
        """
        self.focal = focal = camera.fy * scale
        across, down = _slopes(camera)
        self.width = _side(camera.size.width, np.abs(across).max() * camera.fy, camera) * scale
        self.height = _side(camera.size.height, np.abs(down).max() * camera.fy, camera) * scale
        self.fovy_deg = float(np.rad2deg(2 * np.arctan(self.height / 2 / focal)))
        self._x = (across * focal + (self.width - 1) / 2).astype(np.float32)
        self._y = (down * focal + (self.height - 1) / 2).astype(np.float32)
        self._fixed = cv2.convertMaps(self._x, self._y, cv2.CV_16SC2)

    def bend(self, image: NDArray[Number]) -> NDArray[Number]:
        """The image in the camera's pixels, between pixels by interpolation."""
        bent: Any = cv2.remap(image, *self._fixed, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return bent

    def bend_nearest(self, image: NDArray[Number]) -> NDArray[Number]:
        """The same for values that must not be mixed, such as depths and masks."""
        bent: Any = cv2.remap(image, self._x, self._y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return bent


def is_possible(camera: Camera) -> bool:
    """Whether every pixel has a ray of its own, as the coefficients of a real lens give it."""
    u, v = (_knots(side) for side in (camera.size.width, camera.size.height))
    border = [(x, y) for x in u for y in (v[0], v[-1])] + [(x, y) for y in v for x in (u[0], u[-1])]
    return _rays_back(camera, np.array(border))[1] < _OFF_PX


def _rays_back(camera: Camera, pixels: Array) -> tuple[Array, float]:
    """Rays (N, 3) of pixels (N, 2), and how far from its pixel the farthest one is projected; NaN where one is lost."""
    rays = camera.rays(pixels)
    return rays, float(np.abs(camera.project(rays) - pixels).max())


@lru_cache(maxsize=2)  # one lens is often needed at several scales
def _slopes(camera: Camera) -> tuple[Array, Array]:
    """x/z and y/z (H, W) of the ray through each pixel.

    A lens is smooth: a spline through every eighth pixel is right to 1e-3 pixel, in a twentieth of the time.
    """
    u, v = (_knots(side) for side in (camera.size.width, camera.size.height))
    rays, off = _rays_back(camera, np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2))
    if not off < _OFF_PX:
        raise _no_lens(camera, "sends two rays to one pixel or none to another")
    slopes = (rays[:, :2] / rays[:, 2:]).reshape(len(v), len(u), 2)
    columns, rows = np.arange(camera.size.width), np.arange(camera.size.height)
    x, y = (np.asarray(RectBivariateSpline(v, u, slopes[..., axis])(rows, columns), float) for axis in (0, 1))
    return x, y


def _knots(side: int) -> Array:
    """Positions from the first to the last of ``side`` pixels, at most eight apart, and enough for a cubic."""
    return np.asarray(np.linspace(0.0, side - 1.0 if side > 1 else 1.0, max(side // _KNOT_PX + 2, 4)), float)


def _side(pixels: int, reach: float, camera: Camera) -> int:
    """Pixels of a pinhole's image that reaches ``reach`` pixels from its middle, an even number."""
    usual = int(pixels * _OVERSIZE) // 2 * 2
    needed = 2 * int(np.ceil(reach + 0.5)) if np.isfinite(reach) else np.inf
    if needed > _LARGEST * pixels:
        raise _no_lens(camera, f"reaches {needed / pixels:.3g} times as far as the image")
    return max(usual, int(needed))


def _no_lens(camera: Camera, why: str) -> CadsightError:
    return CadsightError(
        f"the distortion {list(camera.distortion)} of {camera.frame} {why}, expected the coefficients of a lens with "
        f"the focal length {camera.fx:g} on {camera.size.width} x {camera.size.height} pixels"
    )
