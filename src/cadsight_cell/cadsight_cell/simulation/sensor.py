"""Lens and sensor: from an ideal picture to the numbers that a camera sends."""

from typing import Any

import cv2
import numpy as np
from cadsight_core.camera import Camera
from numpy.typing import NDArray

from cadsight_cell.simulation.world import Sensor

Rgb = NDArray[np.uint8]

# A pinhole picture this much larger covers what the lens bends in from beyond the border.
_OVERSIZE = 1.12


class Lens:
    """Takes pictures of an ideal pinhole, somewhat larger, to the camera's own pixels with its distortion.

    Attributes:
        width, height: of the pinhole's picture.
        fovy_deg: its vertical field of view; its centre lies in the picture's middle.
    """

    def __init__(self, camera: Camera, scale: int = 1) -> None:
        """``scale`` pixels of the pinhole's picture, along each axis, make one of the camera's."""
        self.width = int(camera.size.width * _OVERSIZE) // 2 * 2 * scale
        self.height = int(camera.size.height * _OVERSIZE) // 2 * 2 * scale
        focal = camera.fy * scale
        self.fovy_deg = float(np.rad2deg(2 * np.arctan(self.height / 2 / focal)))
        v, u = np.mgrid[0 : camera.size.height, 0 : camera.size.width]
        rays = camera.rays(np.column_stack([u.ravel(), v.ravel()]))
        x = rays[:, 0] / rays[:, 2] * focal + (self.width - 1) / 2
        y = rays[:, 1] / rays[:, 2] * focal + (self.height - 1) / 2
        shape = (camera.size.height, camera.size.width)
        self._x, self._y = x.reshape(shape).astype(np.float32), y.reshape(shape).astype(np.float32)
        self._fixed = cv2.convertMaps(self._x, self._y, cv2.CV_16SC2)

    def bend(self, picture: NDArray[np.uint8]) -> Rgb:
        """The picture in the camera's pixels, between pixels by interpolation."""
        bent: Any = cv2.remap(picture, *self._fixed, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return bent

    def bend_nearest(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same for values that must not be mixed, such as depths and masks."""
        bent: Any = cv2.remap(picture, self._x, self._y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return bent


class Imager:
    """Exposure, white balance and noise; the noise of frame i is a function of the seed and i."""

    _BANK = 8

    def __init__(self, sensor: Sensor, camera: Camera, seed: int) -> None:
        self._sensor = sensor
        levels = np.linspace(0.0, 1.0, 256)[:, None] ** sensor.gamma * np.asarray(sensor.gain)
        self._table = np.clip(np.round(levels * 255), 0, 255).astype(np.uint8)[None]
        self._height, self._width = camera.size.height, camera.size.width
        rng = np.random.default_rng([seed, 0x1A6E])
        shape = (self._BANK, self._height, self._width, 3)
        # Shot noise grows with the root of the light; the picture is mostly white, so its value there serves all.
        spread = np.hypot(sensor.read_noise, sensor.shot_noise)
        self._bank = np.round(rng.normal(0.0, spread, shape)).astype(np.int8)
        self._order = np.random.default_rng([seed, 0x0D]).integers(0, self._BANK, 4096)
        self._shifts = np.random.default_rng([seed, 0x5F]).integers(0, self._width, 4096)

    def expose(self, picture: Rgb, frame: int) -> Rgb:
        """The RGB numbers (H, W, 3) that the camera sends for the light in ``picture``."""
        blurred = cv2.GaussianBlur(picture, (3, 3), self._sensor.blur_px)
        toned = cv2.LUT(blurred, self._table)
        noise = self._bank[self._order[frame % 4096]]
        shift = int(self._shifts[frame % 4096])
        signed = np.empty(toned.shape, np.int16)
        # Shifting the bank sideways makes many frames' noise out of a few.
        np.add(toned[:, shift:], noise[:, : self._width - shift], out=signed[:, shift:], dtype=np.int16)
        np.add(toned[:, :shift], noise[:, self._width - shift :], out=signed[:, :shift], dtype=np.int16)
        return np.clip(signed, 0, 255, out=signed).astype(np.uint8)
