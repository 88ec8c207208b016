"""Colours of vertices out of an image."""

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array

# Wrapping as glTF numbers it.
REPEAT, CLAMP, MIRROR = 10497, 33071, 33648


def sampled(image: NDArray[np.uint8], uv: Array, wrap: tuple[int, int] = (REPEAT, REPEAT)) -> NDArray[np.uint8]:
    """The colours (N, 3) at points (N, 2), 0 to 1 from the left and from the top."""
    pixels = []
    for position, size, how in zip(np.nan_to_num(uv).T, (image.shape[1], image.shape[0]), wrap, strict=True):
        if how == REPEAT:
            # The far border is the last pixel, not the first again.
            position = np.where((position >= 0) & (position <= 1), position, position % 1.0)
        elif how == MIRROR:
            position = 1 - np.abs(position % 2.0 - 1)
        pixels.append(np.clip(np.floor(position * size), 0, size - 1).astype(np.int64))
    return image[pixels[1], pixels[0]]
