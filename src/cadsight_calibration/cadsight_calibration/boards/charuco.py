"""A ChArUco board: a chessboard with a tag in each white square, so that a part of it is enough."""

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

# Of a flat board six points give a pose that does not hang on one of them.
_FEWEST = 6


@dataclass(frozen=True)
class Charuco:
    """OpenCV's ChArUco board; ``legacy`` is its layout before 4.6, which differs where the rows are even."""

    squares: tuple[int, int] = parameter((8, 6), "squares along the columns and the rows", minimum=2)
    square_mm: float = parameter(30.0, "side of a square, millimetres", minimum=0.5, maximum=1000.0)
    marker_mm: float = parameter(22.0, "side of a tag's black, millimetres", minimum=0.25, maximum=1000.0)
    family: str = parameter("5x5_100", "family of the tags, as OpenCV names it without DICT_")
    legacy: bool = parameter(False, "the layout of OpenCV before 4.6")

    def __post_init__(self) -> None:
        check(self)
        if self.marker_mm >= self.square_mm:
            raise ParameterError("marker_mm", f"is {self.marker_mm:g}, expected less than square_mm {self.square_mm:g}")
        needed = self.squares[0] * self.squares[1] // 2
        if needed > number_of_tags(self.family):
            raise ParameterError("family", f"is {self.family!r} and has too few tags, expected one of {needed} or more")

    @property
    def words(self) -> str:
        return (
            f"a ChArUco board of {self.squares[0]} x {self.squares[1]} squares of {self.square_mm:g} mm "
            f"with tags {self.family} of {self.marker_mm:g} mm"
        )

    @property
    def span_m(self) -> float:
        return float(np.hypot(self.squares[0] - 2, self.squares[1] - 2)) * self.square_mm / 1e3

    def scaled(self, factor: float) -> "Charuco":
        return Charuco(self.squares, self.square_mm * factor, self.marker_mm * factor, self.family, self.legacy)

    def find(self, gray: NDArray[np.uint8]) -> Found | Missing:
        board = self._board()
        corners, ids, _, tags = cv2.aruco.CharucoDetector(board).detectBoard(gray)
        if ids is None or len(ids) < _FEWEST:
            return self._missing(gray, 0 if ids is None else len(ids), 0 if tags is None else len(tags))
        points = np.asarray(board.getChessboardCorners(), float)[np.ravel(ids)]
        return Found(np.asarray(corners, float).reshape(-1, 2), points[None])

    def printed(self) -> Print:
        s, (columns, rows) = self.square_mm, self.squares
        odd = int(self.legacy and rows % 2 == 0)
        black = [np.array([(x * s, y * s, s, s)]) for y in range(rows) for x in range(columns) if (x + y) % 2 == odd]
        board = self._board()
        for number, corners in zip(np.ravel(board.getIds()), board.getObjPoints(), strict=True):
            x, y = np.asarray(corners, float)[0, :2] * 1e3
            black.append(tag_rectangles(self.family, int(number), x, y, self.marker_mm))
        return Print(np.concatenate(black), columns * s, rows * s, s / 2)

    def _board(self) -> Any:
        board = cv2.aruco.CharucoBoard(
            self.squares, self.square_mm / 1e3, self.marker_mm / 1e3, dictionary(self.family)
        )
        board.setLegacyPattern(self.legacy)
        return board

    def _missing(self, gray: NDArray[np.uint8], corners: int, tags: int) -> Missing:
        if corners or tags:
            words = f"{corners} corners and {tags} tags were found, expected at least {_FEWEST} corners of {self.words}"
            return Missing("too_few", words)
        _, seen, _ = cv2.aruco.ArucoDetector(dictionary(self.family), detector_parameters()).detectMarkers(gray)
        other = "" if seen else other_family(gray, self.family)
        if other:
            return Missing("other_board", f"the tags are of the family {other}, expected {self.words}")
        return Missing("no_board", f"no tag was found, expected {self.words}")
