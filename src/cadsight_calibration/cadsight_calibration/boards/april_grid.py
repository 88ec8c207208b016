"""A grid of AprilTags or ArUco tags with white between them."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import ParameterError
from numpy.typing import NDArray

from cadsight_calibration.boards.found import Found, Missing
from cadsight_calibration.boards.printing import Print
from cadsight_calibration.boards.tags import (
    detector_parameters,
    dictionary,
    number_of_tags,
    other_family,
    tag_rectangles,
)

_FEWEST = 2


@dataclass(frozen=True)
class AprilTagGrid:
    """Tags in rows, numbered from the upper left one to the right."""

    tags: tuple[int, int] = parameter((6, 4), "tags along the columns and the rows", minimum=1)
    tag_mm: float = parameter(30.0, "side of a tag's black, millimetres", minimum=0.5, maximum=1000.0)
    gap_mm: float = parameter(9.0, "white between two tags, millimetres", minimum=0.1, maximum=1000.0)
    family: str = parameter("apriltag_36h11", "family of the tags, as OpenCV names it without DICT_")
    first: int = parameter(0, "number of the first tag", minimum=0)

    def __post_init__(self) -> None:
        check(self)
        if self._last >= number_of_tags(self.family):
            raise ParameterError("family", f"is {self.family!r} and has no tag {self._last}, expected one that has")
        if self.tags[0] * self.tags[1] < _FEWEST:
            raise ParameterError("tags", f"is {list(self.tags)}, expected at least {_FEWEST} tags")

    @property
    def words(self) -> str:
        return (
            f"a grid of {self.tags[0]} x {self.tags[1]} tags {self.family} of {self.tag_mm:g} mm, "
            f"{self.gap_mm:g} mm apart"
        )

    @property
    def span_m(self) -> float:
        width, height = self._size
        return float(np.hypot(width, height)) / 1e3

    def scaled(self, factor: float) -> "AprilTagGrid":
        return AprilTagGrid(self.tags, self.tag_mm * factor, self.gap_mm * factor, self.family, self.first)

    def find(self, gray: NDArray[np.uint8]) -> Found | Missing:
        detector = cv2.aruco.ArucoDetector(dictionary(self.family), detector_parameters())
        corners, ids, _ = detector.detectMarkers(gray)
        numbers = [] if ids is None else [int(i) for i in np.ravel(ids)]
        ours = [i for i, number in enumerate(numbers) if self.first <= number <= self._last]
        if len(ours) < _FEWEST:
            return self._missing(gray, numbers)
        by_number = dict(zip(np.ravel(self._board().getIds()).tolist(), self._board().getObjPoints(), strict=True))
        points = np.concatenate([np.asarray(by_number[numbers[i]], float) for i in ours])
        pixels = np.concatenate([np.asarray(corners[i], float).reshape(4, 2) for i in ours])
        return Found(pixels, points[None])

    def printed(self) -> Print:
        step = self.tag_mm + self.gap_mm
        black = [
            tag_rectangles(self.family, self.first + y * self.tags[0] + x, x * step, y * step, self.tag_mm)
            for y in range(self.tags[1])
            for x in range(self.tags[0])
        ]
        return Print(np.concatenate(black), *self._size, max(self.gap_mm, self.tag_mm / 4))

    @property
    def _last(self) -> int:
        return self.first + self.tags[0] * self.tags[1] - 1

    @property
    def _size(self) -> tuple[float, float]:
        width, height = (n * self.tag_mm + (n - 1) * self.gap_mm for n in self.tags)
        return width, height

    def _board(self) -> Any:
        ids = np.arange(self.first, self._last + 1)
        return cv2.aruco.GridBoard(self.tags, self.tag_mm / 1e3, self.gap_mm / 1e3, dictionary(self.family), ids)

    def _missing(self, gray: NDArray[np.uint8], numbers: list[int]) -> Missing:
        if numbers:
            named = ", ".join(map(str, sorted(numbers)[:5]))
            words = f"the tags {named} were found, expected at least {_FEWEST} of {self.first} to {self._last}"
            return Missing("too_few", f"{words} of {self.words}")
        other = other_family(gray, self.family)
        if other:
            return Missing("other_board", f"the tags are of the family {other}, expected {self.words}")
        return Missing("no_board", f"no tag was found, expected {self.words}")
