"""What a board looks like on paper."""

from dataclasses import dataclass

from cadsight_core.geometry import Array


@dataclass(frozen=True, eq=False)
class Print:
    """A board as black rectangles on white, in millimetres from its upper left corner.

    Attributes:
        rectangles: (N, 4) of x, y, width, height.
        width_mm, height_mm: the board's extent without the white around it.
        margin_mm: the white that it needs on every side to be found.
    """

    rectangles: Array
    width_mm: float
    height_mm: float
    margin_mm: float
