"""From light to the numbers of an image: what lies behind, sRGB, grey."""

from functools import cache
from typing import Any

import cv2
import numpy as np
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

from cadsight_synthesis.rendering.colour import to_display, to_linear

# Steps of linear light that are told apart: a fifth of an 8-bit level where sRGB is steepest.
_STEPS = 1 << 14
# Standard deviation that alpha is smoothed by: what a lens does to an edge anyway.
_EDGE_PX = 0.7
_OPAQUE = 0.999


def develop(light: NDArray[np.float32], behind: Rgb | None = None, *, grey: bool = False) -> Rgb:
    """The image (H, W, 3) of ``light`` (H, W, 4), which is linear and premultiplied with its alpha.

    Args:
        behind: (H, W, 3) image seen through what is not opaque; edges are mixed in linear light, and where alpha
            is 0 it comes out as it is.
        grey: make three equal channels.
    """
    colour, alpha = light[..., :3], light[..., 3:]
    if behind is not None:
        colour = colour + (1 - np.clip(alpha, 0, 1)) * _linear()[behind]
    steps = np.clip(np.nan_to_num(colour) * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    image = _display()[steps]
    if grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.uint8)
    return image


def settle_edges(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """``light`` (H, W, 4) with smooth edges, whose alpha and colour agree again after denoising.

    A denoiser smooths colours, but leaves alpha as few samples found it, and a mix of the two speckles. Alpha is
    smoothed as well here, and pixels on edges take the colour of the opaque ones around them.
    """
    alpha = light[..., 3]
    smooth = cv2.GaussianBlur(alpha, (3, 3), _EDGE_PX)
    edge = (smooth > 0) & (smooth < _OPAQUE)
    if not edge.any():
        return light
    # By chance all samples of a pixel on the edge can hit the body: only one among its like is surely inside.
    inside = cv2.erode((alpha >= _OPAQUE).astype(np.float32), np.ones((3, 3)))[..., None]
    near, weight = (_around(each) for each in (light[..., :3] * inside, inside))
    # What is too thin to have an inside takes the mean of all that is there.
    thin = _around(light[..., :3]) / np.maximum(_around(alpha), 1e-6)[..., None]
    colour = np.where(weight[..., None] > 0.5, near / np.maximum(weight, 1)[..., None], thin)
    settled = light.copy()
    settled[edge] = np.concatenate([colour * smooth[..., None], smooth[..., None]], axis=2)[edge]
    return settled


def _around(values: NDArray[Any]) -> NDArray[np.float32]:
    total: Any = cv2.boxFilter(values, -1, (7, 7), normalize=False)
    return total


@cache
def _display() -> NDArray[np.uint8]:
    return np.round(to_display(np.linspace(0, 1, _STEPS)) * 255).astype(np.uint8)


@cache
def _linear() -> NDArray[np.float32]:
    return to_linear(np.arange(256) / 255).astype(np.float32)
