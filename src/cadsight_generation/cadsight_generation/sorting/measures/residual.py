"""How nearly an image is another one, moved, relit or mirrored: the residual after the best alignment."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import with_progress
from numpy.typing import NDArray

SIDE = 48
_SHIFT = 2
_INNER = SIDE - 2 * _SHIFT
_SMOOTHED = 1.0
# Images that are compared at once: with a thousand others they take some MB.
_AT_ONCE = 256
_FLIPS = ((1, 1), (1, -1), (-1, 1), (-1, -1))

Small = NDArray[np.float32]


def small(image: Rgb) -> Small:
    """An image (H, W, 3) as (48, 48) grey values, smoothed; squeezed where it is no square."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sized = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(sized, (0, 0), _SMOOTHED), np.float32)


@dataclass(frozen=True, eq=False)
class AlignedResidual:
    """The residual of images to those of a set.

    Attributes:
        weights: (48, 48) of each pixel: one by the variance of the set there, so that a pixel which no two images
            share counts little; a tenth of the mean variance is added, as few images may agree on a pixel by chance.
    """

    weights: Small

    @staticmethod
    def of(images: Small) -> "AlignedResidual":
        """For the set ``images`` (M, 48, 48), which are not all alike."""
        variance = images.var(axis=0)
        return AlignedResidual((1 / (variance + 0.1 * variance.mean() + 1e-6)).astype(np.float32))

    def between(self, images: Small, others: Small, mirrored: bool = True) -> Array:
        """(N, M) residuals of ``images`` (N, 48, 48) to ``others`` (M, 48, 48), 0 to 1.

        One less the weighted correlation, which is half the squared residual of both after the gain and offset that
        fit best, at the best of the shifts of up to 2 px and, with ``mirrored``, the mirrored ways. The border of
        2 px of ``images`` is left out, so that every shift sees the same pixels. A negative gain is no light.
        """
        mine = self._normed(images[:, _SHIFT:-_SHIFT, _SHIFT:-_SHIFT])
        flips = _FLIPS if mirrored else _FLIPS[:1]
        starts = range(0, len(others), _AT_ONCE)
        found = np.empty((len(images), len(others)))
        for start in with_progress(starts, len(starts), "images aligned"):
            block = others[start : start + _AT_ONCE]
            best = np.zeros((len(images), len(block)), np.float32)
            for down, right in flips:
                turned = block[:, ::down, ::right]
                for y in range(2 * _SHIFT + 1):
                    for x in range(2 * _SHIFT + 1):
                        theirs = self._normed(turned[:, y : y + _INNER, x : x + _INNER])
                        np.maximum(best, mine @ theirs.T, out=best)
            found[:, start : start + _AT_ONCE] = 1 - np.minimum(best, 1)
        return found

    def _normed(self, inner: Small) -> Small:
        """Windows (N, 44, 44) as rows (N, 1936) of weighted mean 0 and length 1; those without contrast as zeros."""
        weights = self.weights[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT].ravel()
        rows = inner.reshape(len(inner), -1)
        rows = (rows - (rows @ weights / weights.sum())[:, None]) * np.sqrt(weights)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(lengths, 1e-6), np.float32)
