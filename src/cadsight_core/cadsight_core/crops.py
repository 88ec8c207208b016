"""The one crop that everybody uses: what the regressor learns from is what it looks at."""

import math

import cv2

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.images import Rgb

CROP_SIZE = 224


def crop_box(box: Box, image: ImageSize) -> Box:
    """The whole-pixel square that :func:`crop` takes: ``box`` made 1:1, moved inside ``image`` and rounded.

    It is never smaller than one pixel.

    Raises:
        CadsightError: when the box is not finite.
    """
    if not all(map(math.isfinite, box.as_tuple())):
        raise CadsightError(f"a box to crop is {box.as_tuple()}, expected finite pixels")
    square = box.squared(image)
    side = min(max(round(square.width), 1), image.width, image.height)
    x0 = min(max(round(square.centre[0] - side / 2), 0), image.width - side)
    y0 = min(max(round(square.centre[1] - side / 2), 0), image.height - side)
    return Box(float(x0), float(y0), float(x0 + side), float(y0 + side))


def crop(image: Rgb, box: Box, size: int = CROP_SIZE) -> Rgb:
    """The picture in ``box``, made square, as (size, size, 3) uint8 (Comillas, section 3.2).

    Shrunk by area, so that nothing flickers between pixels, and enlarged linearly.

    Raises:
        CadsightError: when the box is not finite.
    """
    x0, y0, x1, y1 = map(int, crop_box(box, ImageSize(image.shape[1], image.shape[0])).as_tuple())
    method = cv2.INTER_AREA if x1 - x0 > size else cv2.INTER_LINEAR
    return cv2.resize(image[y0:y1, x0:x1], (size, size), interpolation=method)
