"""What an image shows of a board."""

from dataclasses import dataclass
from typing import Literal

from cadsight_core.geometry import Array

Reason = Literal["no_board", "cut_off", "other_board", "too_few"]


@dataclass(frozen=True, eq=False)
class Found:
    """A board that was found.

    Attributes:
        pixels: (K, 2) of its points.
        points: (O, K, 3) metres in the board's frame, for each of the O orders in which the board looks the same:
            two for a chessboard that looks the same turned by half, one for a board with tags.
        blur_px: pixels between black and white across an edge; NaN where it was not measured.
    """

    pixels: Array
    points: Array
    blur_px: float = float("nan")


@dataclass(frozen=True)
class Missing:
    """Why the board that was expected is not in an image; ``words`` go on after the image's name."""

    reason: Reason
    words: str
