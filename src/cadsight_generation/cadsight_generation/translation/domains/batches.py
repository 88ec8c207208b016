"""Crops of both domains that show about as much of parts each."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from cadsight_generation.translation.domains.domain import Canvas

Batch = dict[str, Tensor]
# Of this fraction of synthetic crops a labelled part is in the middle: ground alone teaches little.
_AT_A_PART = 0.75


class CropPairs:
    """Random crops of synthetic images, and of real ones with about the same share of parts.

    Patches whose shares differ teach a translator to invent parts (CUT's own limitation; Richter et al. 2021 match
    them).
    """

    def __init__(
        self, synthetic: Sequence[Canvas], real: Sequence[Canvas], size: int, batch: int, steps: int, matched: int
    ) -> None:
        self._synthetic, self._real = synthetic, real
        self._size, self._batch, self._steps, self._matched = size, batch, steps, matched

    def __call__(self, rng: Generator, _fraction: float) -> Iterator[Batch]:
        """One epoch: ``synthetic`` and ``real`` (N, 3, size, size), -1 to 1, and the ``condition`` of both."""
        for _ in range(self._steps):
            pairs = [self._pair(rng) for _ in range(self._batch)]
            yield {
                name: _stacked([getattr(pair[side], what) for pair in pairs])
                for name, side, what in (
                    ("synthetic", 0, "colours"),
                    ("condition", 0, "condition"),
                    ("real", 1, "colours"),
                    ("real_condition", 1, "condition"),
                )
            }

    def _pair(self, rng: Generator) -> tuple["Crop", "Crop"]:
        one = self._crop(self._synthetic, rng)
        tried = [self._crop(self._real, rng) for _ in range(self._matched)]
        return one, min(tried, key=lambda other: difference(one, other))

    def _crop(self, canvases: Sequence[Canvas], rng: Generator) -> "Crop":
        return crop_of(canvases[int(rng.integers(len(canvases)))], self._size, rng)


class Crop:
    """A square of a canvas.

    Attributes:
        colours: (size, size, 3), -1 to 1.
        condition: (size, size, 4).
        by_mask, by_box: the share of it that parts are, and that boxes are; None where no mask is known.
    """

    def __init__(self, canvas: Canvas, x: int, y: int, size: int) -> None:
        window = np.s_[y : y + size, x : x + size]
        self.colours = _filled(canvas.image[window].astype(np.float32) / 127.5 - 1, size)
        self.condition = _filled(canvas.condition()[window], size)
        self.by_mask = None if canvas.mask is None else float(canvas.mask[window].mean())
        self.by_box = float(canvas.boxes[window].mean())


def difference(one: Crop, other: Crop) -> float:
    """Of the shares of parts in two crops: by their masks, or by their boxes where one has no masks."""
    if one.by_mask is None or other.by_mask is None:
        return abs(one.by_box - other.by_box)
    return abs(one.by_mask - other.by_mask)


def crop_of(canvas: Canvas, size: int, rng: Generator) -> Crop:
    """A random square of ``canvas``, most often with a part in it."""
    height, width = canvas.image.shape[:2]
    most_x, most_y = max(width - size, 0), max(height - size, 0)
    x, y = int(rng.integers(most_x + 1)), int(rng.integers(most_y + 1))
    if canvas.boxes.any() and rng.random() < _AT_A_PART:
        rows, columns = np.nonzero(canvas.boxes)
        at = int(rng.integers(len(rows)))
        x, y = (int(np.clip(v - size // 2, 0, most)) for v, most in ((columns[at], most_x), (rows[at], most_y)))
    return Crop(canvas, x, y, size)


def _filled(pixels: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A square where the image is smaller: its border goes on."""
    below, right = size - pixels.shape[0], size - pixels.shape[1]
    if not (below or right):
        return pixels
    return np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE), np.float32)


def _stacked(arrays: Sequence[NDArray[np.float32]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
