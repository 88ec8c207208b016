"""The sensor: from what the lens casts on it to the numbers that a camera sends."""

import cv2
import numpy as np
from cadsight_core.camera import Camera
from numpy.typing import NDArray

from cadsight_cell.simulation.world import Sensor

Rgb = NDArray[np.uint8]


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
        # Shot noise grows with the root of the light; the image is mostly white, so its value there serves all.
        std = np.hypot(sensor.read_noise, sensor.shot_noise)
        self._bank = np.round(rng.normal(0.0, std, shape)).astype(np.int8)
        self._order = np.random.default_rng([seed, 0x0D]).integers(0, self._BANK, 4096)
        self._shifts = np.random.default_rng([seed, 0x5F]).integers(0, self._width, 4096)

    def expose(self, image: Rgb, frame: int) -> Rgb:
        """The RGB numbers (H, W, 3) that the camera sends for the light in ``image``."""
        blurred = cv2.GaussianBlur(image, (3, 3), self._sensor.blur_px)
        toned = cv2.LUT(blurred, self._table)
        noise = self._bank[self._order[frame % 4096]]
        shift = int(self._shifts[frame % 4096])
        signed = np.empty(toned.shape, np.int16)
        # Shifting the bank sideways makes many frames' noise out of a few.
        np.add(toned[:, shift:], noise[:, : self._width - shift], out=signed[:, shift:], dtype=np.int16)
        np.add(toned[:, :shift], noise[:, self._width - shift :], out=signed[:, :shift], dtype=np.int16)
        return np.clip(signed, 0, 255, out=signed).astype(np.uint8)
