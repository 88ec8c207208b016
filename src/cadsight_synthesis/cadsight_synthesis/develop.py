"""From light to the numbers of a picture: what lies behind, sRGB, grey."""

from functools import cache

import cv2
import numpy as np
from cadsight_core.images import Rgb
from numpy.typing import NDArray

from cadsight_synthesis.colour import to_display, to_linear

# Steps of linear light that are told apart: a fifth of an 8-bit level where sRGB is steepest.
_STEPS = 1 << 14


def develop(light: NDArray[np.float32], behind: Rgb | None = None, *, grey: bool = False) -> Rgb:
    """The picture (H, W, 3) of ``light`` (H, W, 4), which is linear and premultiplied with its alpha.

    Args:
        behind: (H, W, 3) picture seen through what is not opaque; edges are mixed in linear light, and where alpha
            is 0 it comes out as it is.
        grey: make three equal channels.
    """
    colour, alpha = light[..., :3], light[..., 3:]
    if behind is not None:
        colour = colour + (1 - np.clip(alpha, 0, 1)) * _linear()[behind]
    steps = np.clip(np.nan_to_num(colour) * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    picture = _display()[steps]
    if grey:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.uint8)
    return picture


@cache
def _display() -> NDArray[np.uint8]:
    return np.round(to_display(np.linspace(0, 1, _STEPS)) * 255).astype(np.uint8)


@cache
def _linear() -> NDArray[np.float32]:
    return to_linear(np.arange(256) / 255).astype(np.float32)
