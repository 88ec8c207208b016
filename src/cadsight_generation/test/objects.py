"""A plain image of an object for tests: sharp enough to be moved by a pixel, and to lose an edge."""

from pathlib import Path

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import Mask


def hexagon(side: int, turn: float = 0.0, size: float = 0.3) -> Mask:
    """A mask (side, side) of a hexagon in the middle."""
    angles = np.linspace(0, 2 * np.pi, 7)[:-1] + turn
    corners = side / 2 + side * size * np.column_stack([np.cos(angles), np.sin(angles)])
    filled = cv2.fillPoly(np.zeros((side, side), np.uint8), [np.round(corners).astype(np.int32)], 1)
    return filled > 0


def shaded(mask: Mask, seed: int = 0, part: tuple[int, int, int] = (180, 90, 60)) -> Rgb:
    """The object of ``mask`` (H, W) on grey ground, slightly mottled and smoothed as a camera does."""
    rng = np.random.default_rng(seed)
    image = np.where(mask[..., None], part, (90, 95, 100)) + rng.normal(0, 4, (*mask.shape, 3))
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.8), 0, 255).astype(np.uint8)


def sample_of(mask: Mask, image: Path = Path("a.png"), **known: object) -> Sample:
    """A sample with one label, of the object of ``mask``."""
    box = Box.from_mask(mask)
    assert box is not None
    label = Instance(0, box, mask, source="render", **known)  # type: ignore[arg-type]
    return Sample("a", image, ImageSize(mask.shape[1], mask.shape[0]), None, (label,), "synthetic", "train")
