"""How pixels lie in a message by its encoding, and how they become RGB, or metres for depth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Encoding:
    """How a pixel lies in memory, and how it becomes RGB (or metres, for depth)."""

    dtype: type
    channels: int
    convert: Callable[[Pixels], Pixels]


def _colour(code: int) -> Callable[[Pixels], Pixels]:
    return lambda pixels: cv2.cvtColor(np.ascontiguousarray(pixels), code)


def _upper_byte(convert: Callable[[Pixels], Pixels]) -> Callable[[Pixels], Pixels]:
    return lambda pixels: convert((pixels >> 8).astype(np.uint8))


def _millimetres(depth: Pixels) -> Pixels:
    return depth.astype(np.float32) * np.float32(0.001)


# The name says the two rows of each square of four from its top left pixel on, as OpenCV's do.
BAYER = {
    f"bayer_{order}8": Encoding(np.uint8, 1, _colour(getattr(cv2, f"COLOR_Bayer{order.upper()}2RGB")))
    for order in ("rggb", "bggr", "gbrg", "grbg")
}
_YUYV, _UYVY = (Encoding(np.uint8, 2, _colour(code)) for code in (cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2RGB_UYVY))
# A pair of pixels shares its colour.
PAIRED = {"yuyv": _YUYV, "yuv422_yuy2": _YUYV, "uyvy": _UYVY, "yuv422": _UYVY}
COLOUR = {
    "rgb8": Encoding(np.uint8, 3, lambda pixels: pixels),
    "bgr8": Encoding(np.uint8, 3, _colour(cv2.COLOR_BGR2RGB)),
    "rgba8": Encoding(np.uint8, 4, _colour(cv2.COLOR_RGBA2RGB)),
    "bgra8": Encoding(np.uint8, 4, _colour(cv2.COLOR_BGRA2RGB)),
    "mono8": Encoding(np.uint8, 1, _colour(cv2.COLOR_GRAY2RGB)),
    "8UC1": Encoding(np.uint8, 1, _colour(cv2.COLOR_GRAY2RGB)),
    # The order of an unnamed triple is unknown; those who publish one mostly hold an OpenCV image.
    "8UC3": Encoding(np.uint8, 3, _colour(cv2.COLOR_BGR2RGB)),
    **PAIRED,
    **BAYER,
    **{name.replace("8", "16"): Encoding(np.uint16, 1, _upper_byte(one.convert)) for name, one in BAYER.items()},
}
DEPTH = {
    "16UC1": Encoding(np.uint16, 1, _millimetres),
    "mono16": Encoding(np.uint16, 1, _millimetres),
    "32FC1": Encoding(np.float32, 1, lambda depth: np.where(np.isfinite(depth), depth, np.float32(0))),
}
