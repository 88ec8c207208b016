"""One labelled object before and after a change, at the size that the thresholds are meant for."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from cadsight_core.shapes import Mask, instance_mask

# The thresholds of movement are pixels of a patch of this side.
SIDE = 128
# Sides of the object's box that a patch shows.
_AROUND = 1.3


@dataclass(frozen=True, eq=False)
class Patch:
    """A labelled object before and after a change.

    Attributes:
        before, after: (128, 128, 3).
        mask: (128, 128) of what can be seen of the object; None where only its box is known.
        inside: (128, 128) of what is in the image, and not beyond its border.
    """

    before: Rgb
    after: Rgb
    mask: Mask | None
    inside: Mask


def patch_of(before: Rgb, after: Rgb, instance: Instance) -> Patch:
    """The patch of ``instance`` out of an image before and after its change, both (H, W, 3).

    Raises:
        CadsightError: for images of two sizes.
    """
    if before.shape != after.shape:
        raise CadsightError(f"an image became {after.shape} from {before.shape}, expected the same shape")
    size = ImageSize(before.shape[1], before.shape[0])
    side = max(round(max(instance.box.width, instance.box.height) * _AROUND), 8)
    x0, y0 = (round(middle - side / 2) for middle in instance.box.centre)
    mask = instance_mask(instance, size)
    inside = np.full(before.shape[:2], 255, np.uint8)
    return Patch(
        _cut(before, x0, y0, side, cv2.BORDER_REPLICATE),
        _cut(after, x0, y0, side, cv2.BORDER_REPLICATE),
        None if mask is None else _cut(mask.astype(np.uint8) * 255, x0, y0, side, cv2.BORDER_CONSTANT) > 127,
        _cut(inside, x0, y0, side, cv2.BORDER_CONSTANT) > 127,
    )


def _cut(image: Rgb, x0: int, y0: int, side: int, border: int) -> Rgb:
    rows, columns = image.shape[:2]
    low_x, low_y = max(x0, 0), max(y0, 0)
    high_x, high_y = min(x0 + side, columns), min(y0 + side, rows)
    shown = image[low_y:high_y, low_x:high_x]
    edges = (low_y - y0, y0 + side - high_y, low_x - x0, x0 + side - high_x)
    if any(edges):
        shown = np.asarray(cv2.copyMakeBorder(shown, *edges, border), np.uint8)
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(shown, (SIDE, SIDE), interpolation=method), np.uint8)
