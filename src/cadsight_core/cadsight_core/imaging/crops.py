"""The one crop that everybody uses: what the regressor learns from is what it looks at."""

import math

import cv2
import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.crop_size import CROP_SIZE
from cadsight_core.imaging.images import Rgb


def crop_box(box: Box, image: ImageSize, *, square: bool = True) -> Box:
    """The whole-pixel box that :func:`crop` takes: made 1:1 and moved inside ``image``, or else cut at its border.

    It is never smaller than one pixel.

    Raises:
        CadsightError: when the box is not finite.
    """
    if not all(map(math.isfinite, box.as_tuple())):
        raise CadsightError(f"a box to crop is {box.as_tuple()}, expected finite pixels")
    area = box.squared(image) if square else box.clipped(image)
    x0, x1 = _whole(area.x0, area.x1, image.width)
    y0, y1 = _whole(area.y0, area.y1, image.height)
    if square:  # rounding must not make the two sides differ
        side = min(max(round(area.width), 1), image.width, image.height)
        x0, y0 = min(x0, image.width - side), min(y0, image.height - side)
        x1, y1 = x0 + side, y0 + side
    return Box(float(x0), float(y0), float(x1), float(y1))


def crop(image: Rgb, box: Box, size: int = CROP_SIZE, *, square: bool = True) -> Rgb:
    """The image in ``box``, made square, as (size, size, 3) uint8 (Comillas, section 3.2).

    Shrunk by area, so that nothing flickers between pixels, and enlarged linearly. Without ``square`` the box's
    own content is stretched to the square.

    Raises:
        CadsightError: when the box is not finite.
    """
    whole = crop_box(box, ImageSize(image.shape[1], image.shape[0]), square=square)
    x0, y0, x1, y1 = map(int, whole.as_tuple())
    method = cv2.INTER_AREA if min(x1 - x0, y1 - y0) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], (size, size), interpolation=method), np.uint8)


def _whole(low: float, high: float, limit: int) -> tuple[int, int]:
    start = min(max(round(low), 0), limit - 1)
    return start, min(max(round(high), start + 1), limit)
