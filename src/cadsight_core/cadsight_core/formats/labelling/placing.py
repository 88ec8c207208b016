"""From what a tool says of a box to pixels of the upright image."""

import math

import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.labelling.answers import Drawn
from cadsight_core.geometry import Array
from cadsight_core.shapes import bounds

# A copy of the image in another size has sides in the same ratio, up to rounding.
_SAME_RATIO = 0.02
_ON_ITS_SIDE = (5, 6, 7, 8)


def placed(drawn: Drawn, size: ImageSize, orientation: int = 1) -> tuple[Box, Array | None]:
    """The upright box around a drawn one in pixels, and the corners (4, 2) of one that does not stand upright.

    Fractions are of the image as it is shown. Where the tool says that it saw the sides of the stored image of one that
    its EXIF turns, they are of that.

    Args:
        size: of the upright image.
        orientation: in its EXIF, 1 to 8.

    Raises:
        CadsightError: when the tool saw an image of other sides, or a number is not finite.
    """
    numbers = (drawn.x, drawn.y, drawn.width, drawn.height, drawn.degrees, *(drawn.stated or ()))
    if not all(map(math.isfinite, numbers)):
        raise CadsightError(f"a box of {drawn.name!r} has the numbers {numbers}, expected finite ones")
    frame = _frame(drawn, size, orientation)
    if not drawn.degrees % 360 and frame is size:
        x0, x1 = sorted((drawn.x * size.width, (drawn.x + drawn.width) * size.width))
        y0, y1 = sorted((drawn.y * size.height, (drawn.y + drawn.height) * size.height))
        return Box(x0, y0, x1, y1), None
    corners = _corners(drawn, frame)
    if frame is not size:
        corners = turned_upright(corners, frame, orientation)
    return bounds([corners]), None if not drawn.degrees % 90 else corners


def turned_upright(points: Array, stored: ImageSize, orientation: int) -> Array:
    """Points (N, 2) in pixels of a stored image that lies on its side (``orientation`` 5 to 8), in the upright one."""
    x, y = points[:, 0], points[:, 1]
    across = stored.height - y if orientation in (6, 7) else y
    down = stored.width - x if orientation in (7, 8) else x
    return np.stack([across, down], axis=1)


def _frame(drawn: Drawn, size: ImageSize, orientation: int) -> ImageSize:
    if drawn.stated is None or drawn.stated == (size.width, size.height):
        return size
    width, height = drawn.stated
    if orientation in _ON_ITS_SIDE and (width, height) == (size.height, size.width):
        return ImageSize(size.height, size.width)
    if width <= 0 or height <= 0 or abs(width * size.height / (height * size.width) - 1) > _SAME_RATIO:
        raise CadsightError(
            f"a box of {drawn.name!r} is of an image of {width:g} x {height:g} pixels, expected {size.width} x "
            f"{size.height} as in the image, or that ratio"
        )
    return size


def _corners(drawn: Drawn, frame: ImageSize) -> Array:
    x, y = drawn.x * frame.width, drawn.y * frame.height
    w, h = drawn.width * frame.width, drawn.height * frame.height
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    pivot = np.array([x, y] if drawn.about_corner else [x + w / 2, y + h / 2])
    c, s = math.cos(math.radians(drawn.degrees)), math.sin(math.radians(drawn.degrees))
    if not drawn.degrees % 90:
        c, s = round(c), round(s)
    return np.asarray((corners - pivot) @ np.array([[c, s], [-s, c]]) + pivot)
