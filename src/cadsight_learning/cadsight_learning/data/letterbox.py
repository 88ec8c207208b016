"""Images of any aspect as a network wants them, and boxes back in the image's own pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

STRIDE = 32
GREY = 114


@dataclass(frozen=True)
class Frame:
    """Where a shrunk image lies in the network's input: ``input = native * scale + (left, top)``."""

    scale_x: float
    scale_y: float
    left: int
    top: int

    def to_input(self, boxes: Array) -> Array:
        """Boxes (N, 4) xyxy in input pixels."""
        return boxes * self._scale + self._shift

    def to_native(self, boxes: Array) -> Array:
        """Boxes (N, 4) xyxy in the image's own pixels."""
        return (boxes - self._shift) / self._scale

    @property
    def _scale(self) -> Array:
        return np.array([self.scale_x, self.scale_y] * 2)

    @property
    def _shift(self) -> Array:
        return np.array([self.left, self.top] * 2, float)


def shrunk(image: Rgb, longer: int) -> Rgb:
    """The image with its longer side at ``longer`` pixels; shrunk by area, enlarged linearly."""
    rows, columns = shrunk_shape(image.shape, longer)
    if (rows, columns) == image.shape[:2]:
        return image
    smaller = longer < max(image.shape[:2])
    resized = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def shrunk_shape(shape: Sequence[int], longer: int) -> tuple[int, int]:
    """Rows and columns of an image of this shape with its longer side at ``longer``."""
    height, width = shape[0], shape[1]
    factor = longer / max(width, height)
    return max(round(height * factor), 1), max(round(width * factor), 1)


def canvas_shape(shape: Sequence[int], longer: int) -> tuple[int, int]:
    """Rows and columns, multiples of the stride, that hold an image of this shape once shrunk."""
    rows, columns = shrunk_shape(shape, longer)
    return -(-rows // STRIDE) * STRIDE, -(-columns // STRIDE) * STRIDE


def fitted(canvas: Rgb, shape: tuple[int, int]) -> Rgb:
    """The middle of ``canvas`` in ``shape`` (rows, columns), on grey where it does not reach."""
    fit = np.full((*shape, 3), GREY, np.uint8)
    rows, columns = (min(a, b) for a, b in zip(shape, canvas.shape, strict=False))
    to, at = ([(side - n) // 2 for side, n in zip(of, (rows, columns), strict=False)] for of in (shape, canvas.shape))
    middle = canvas[at[0] : at[0] + rows, at[1] : at[1] + columns]
    fit[to[0] : to[0] + rows, to[1] : to[1] + columns] = middle
    return fit


def framed(image: Rgb, longer: int) -> tuple[Rgb, Frame]:
    """The image shrunk to ``longer`` and centred on grey, and where it lies there."""
    small = shrunk(image, longer)
    rows, columns = canvas_shape(image.shape, longer)
    top, left = (rows - small.shape[0]) // 2, (columns - small.shape[1]) // 2
    canvas = np.full((rows, columns, 3), GREY, np.uint8)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas, Frame(small.shape[1] / image.shape[1], small.shape[0] / image.shape[0], left, top)


def as_input(images: NDArray[np.uint8], low: float, high: float) -> NDArray[np.float32]:
    """Images (N, h, w, 3) as a network takes them, (N, 3, h, w) with colours from ``low`` to ``high``.

    The colours of a pixel stay side by side in memory: what torch calls channels last.
    """
    scaled = images * np.float32((high - low) / 255)
    if low:
        scaled += np.float32(low)
    return scaled.transpose(0, 3, 1, 2)
