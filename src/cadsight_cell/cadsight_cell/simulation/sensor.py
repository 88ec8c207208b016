"""The sensor: from what the lens casts on it to the numbers that a camera sends."""

import cv2
import numpy as np
from cadsight_core.camera import Camera
from numpy.typing import NDArray

from cadsight_cell.simulation.world import Sensor

Rgb = NDArray[np.uint8]
# Holes in depth are about so wide.
_PATCH_PX = 3.0


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


class DepthSensor:
    """What a stereo camera makes of true depths: noise, whole millimetres, and holes where a surface shines.

    The noise grows with the square of the distance, as that of triangulation does. Holes are patches of some pixels
    that stay where they are while nothing moves.
    """

    def __init__(self, noise_m: float, holes: float, seed: int) -> None:
        """``noise_m``: standard deviation at 1 m; ``holes``: fraction of shining pixels without depth."""
        self._noise_m, self._holes, self._seed = noise_m, holes, seed

    def sense(self, depth: NDArray[np.float32], shiny: NDArray[np.bool_], frame: int, drop: int) -> NDArray[np.float32]:
        """The depths (H, W) in metres that come of true ones, 0 where there is none; ``shiny`` (H, W) has holes."""
        rng = np.random.default_rng([self._seed, 0xDE, frame])
        noise = rng.normal(0.0, 1.0, depth.shape).astype(np.float32)
        sensed = depth + np.float32(self._noise_m) * depth**2 * noise
        if self._holes and shiny.any():
            specks = np.random.default_rng([self._seed, 0xA1, drop]).normal(0.0, 1.0, depth.shape)
            patches: NDArray[np.float64] = np.asarray(cv2.GaussianBlur(specks, (0, 0), _PATCH_PX), np.float64)
            sensed[shiny & (patches < np.quantile(patches[shiny], self._holes))] = 0.0
        return sensed
