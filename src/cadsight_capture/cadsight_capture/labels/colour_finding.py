"""The colour range of a part, from a rectangle of an image that lies on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.part import ColourRange
from numpy.typing import NDArray

# Less saturation or value, of 255, is grey or black and has no hue to speak of.
_GREY, _DARK = 40, 30
# Fraction of the rectangle that must have a colour at all, and of what has one, that must share one colour.
_COLOURED, _ONE_COLOUR = 0.9, 0.97
# So many of 180 hues are one colour in lit and shaded faces.
_WIDEST = 30
# By how much the range is wider than what was seen: other poses have other light.
_HUE, _SATURATION, _VALUE = 8, 50, 60


@dataclass(frozen=True)
class FoundColour:
    """What a rectangle of an image holds.

    Attributes:
        colour: the range for the part's YAML.
        hues: how many of OpenCV's 180 hues nearly all of its pixels take.
        coloured: fraction of its pixels that have a colour.
    """

    colour: ColourRange
    hues: int
    coloured: float


def find_colour(image: Rgb, rectangle: tuple[int, int, int, int]) -> FoundColour:
    """The colour range of what lies in a rectangle (x0, y0, x1, y1; pixels, the last ones excluded) of an RGB image.

    Hue is a circle: the range is the shortest arc with nearly all of the pixels, wherever it lies.

    Raises:
        CadsightError: for a rectangle that does not lie in the image, a grey one, or one of several colours.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = rectangle
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise CadsightError(
            f"the rectangle goes from {x0}, {y0} to {x1}, {y1}, expected two corners in the image of {width} x {height}"
        )
    hue, saturation, value = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(int).T
    seen = (saturation >= _GREY) & (value >= _DARK)
    coloured = float(seen.mean())
    if coloured < _COLOURED:
        raise CadsightError(
            f"{1 - coloured:.0%} of the rectangle is grey, white or black, expected it to lie on the part alone, "
            "and the part to have a colour"
        )
    start, hues = _shortest_arc(hue[seen], _ONE_COLOUR)
    if hues > _WIDEST:
        raise CadsightError(
            f"the rectangle holds {hues} of 180 hues, expected at most {_WIDEST}: does it lie on the part alone?"
        )
    own = (hue[seen] - start) % 180 < hues
    low = (
        (start - _HUE) % 180,
        max(int(np.percentile(saturation[seen][own], 1)) - _SATURATION, _GREY),
        max(int(np.percentile(value[seen][own], 1)) - _VALUE, _DARK),
    )
    return FoundColour(ColourRange(low, ((start + hues - 1 + _HUE) % 180, 255, 255)), hues, coloured)


def _shortest_arc(hues: NDArray[np.int64], fraction: float) -> tuple[int, int]:
    """First hue and number of hues of the shortest arc of the circle of 180 with ``fraction`` of some hues (N,)."""
    count = np.bincount(hues, minlength=180)
    needed = fraction * count.sum()
    around = np.concatenate([[0], np.cumsum(np.concatenate([count, count]))])
    for size in range(1, 181):
        held = around[size : size + 180] - around[:180]
        if held.max() >= needed:
            return int(held.argmax()), size
    return 0, 180
