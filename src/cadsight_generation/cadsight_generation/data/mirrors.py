"""Whether a set of images looks the same in a mirror, so that mirrored images may be learned from beside it."""

import cv2
import numpy as np
from cadsight_core.geometry import Array

from cadsight_generation.data.stack import COLOURS, ImageStack

_SIDE = 16
# A mirrored image may be so many times as far from the others as it was itself, by the median over the set.
_FARTHER = 1.05
# Of fewer images the nearest one says nothing.
_LEAST = 8


def mirrors_of(stack: ImageStack) -> str:
    """Which mirror images look as if they were of the set: 'none', 'horizontal', 'vertical' or 'both'.

    An image looks so where its mirror image is hardly farther from the nearest other one than it was itself. That tells
    a fixed light, background or order of things from parts that lie anyhow; whether a part is its own mirror image it
    cannot tell where it is small, and of fewer than 8 images it says 'none'.
    """
    if len(stack) < _LEAST:
        return "none"
    images = np.stack([_small(i) for i in stack.pixels[:, :COLOURS].permute(0, 2, 3, 1).numpy()])
    usual = np.median(_to_nearest_other(images, images))
    ways = [
        name
        for name, axis in (("horizontal", 2), ("vertical", 1))
        if np.median(_to_nearest_other(np.flip(images, axis), images)) <= _FARTHER * usual
    ]
    return "both" if len(ways) == 2 else next(iter(ways), "none")


def _to_nearest_other(images: Array, others: Array) -> Array:
    """The distance of image n to the nearest of ``others`` but the n-th."""
    rows, columns = images.reshape(len(images), -1), others.reshape(len(others), -1)
    squared = (rows**2).sum(1)[:, None] + (columns**2).sum(1)[None] - 2 * rows @ columns.T
    np.fill_diagonal(squared, np.inf)
    nearest: Array = np.sqrt(np.maximum(squared, 0).min(axis=1))
    return nearest


def _small(image: Array) -> Array:
    small: Array = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(float)
    return small
