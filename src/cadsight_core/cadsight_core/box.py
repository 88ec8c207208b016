"""Boxes in pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError


@dataclass(frozen=True)
class Box:
    """Axis-aligned box in pixels; ``x0 <= x1``, ``y0 <= y1``, origin at the top left pixel's corner.

    The pixel in row i and column j covers [j, j + 1] x [i, i + 1].
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 <= self.x1 and self.y0 <= self.y1):
            raise CadsightError(f"a box is {self.as_tuple()}, expected x0 <= x1 and y0 <= y1")

    @staticmethod
    def from_mask(mask: NDArray[np.bool_]) -> "Box | None":
        """The smallest box around the true pixels of ``mask`` (H, W), or None where there is none."""
        pixels = np.ascontiguousarray(mask, bool).view(np.uint8)
        x, y, width, height = map(float, cv2.boundingRect(pixels))
        return Box(x, y, x + width, y + height) if width else None

    @staticmethod
    def from_yolo(xc: float, yc: float, width: float, height: float, image: ImageSize) -> "Box":
        """From YOLO's relative centre and size (Comillas, section 3.1)."""
        w, h = image.width, image.height
        return Box((xc - width / 2) * w, (yc - height / 2) * h, (xc + width / 2) * w, (yc + height / 2) * h)

    def to_yolo(self, image: ImageSize) -> tuple[float, float, float, float]:
        """Centre x, centre y, width and height relative to ``image`` (Comillas, section 3.1)."""
        x, y = self.centre
        return x / image.width, y / image.height, self.width / image.width, self.height / image.height

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1

    def iou(self, other: "Box") -> float:
        """Intersection over union; 0 where both are empty."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        intersection = max(width, 0.0) * max(height, 0.0)
        union = self.area + other.area - intersection
        return intersection / union if union > 0 else 0.0

    def clipped(self, image: ImageSize) -> "Box":
        """The part of the box inside ``image``."""
        x0, x1 = (min(max(x, 0.0), float(image.width)) for x in (self.x0, self.x1))
        y0, y1 = (min(max(y, 0.0), float(image.height)) for y in (self.y0, self.y1))
        return Box(x0, y0, x1, y1)

    def scaled(self, factor: float) -> "Box":
        """The box scaled about its centre."""
        x, y = self.centre
        w, h = self.width * factor / 2, self.height * factor / 2
        return Box(x - w, y - h, x + w, y + h)

    def squared(self, image: ImageSize) -> "Box":
        """The smallest 1:1 box with the same centre, moved inside ``image`` (Comillas, section 3.3).

        A box longer than the image's shorter side becomes a square of that side.
        """
        side = min(max(self.width, self.height), float(image.width), float(image.height))
        x, y = self.centre
        x0 = min(max(x - side / 2, 0.0), image.width - side)
        y0 = min(max(y - side / 2, 0.0), image.height - side)
        return Box(x0, y0, x0 + side, y0 + side)
