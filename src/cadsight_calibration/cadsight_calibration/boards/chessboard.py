"""A chessboard, found by its inner corners."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import ParameterError
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_calibration.boards.found import Found, Missing
from cadsight_calibration.boards.printing import Print

_FLAGS = cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY | cv2.CALIB_CB_NORMALIZE_IMAGE
# The smallest piece of a board that OpenCV finds and grows.
_PIECE = (3, 3)
# Part of a square by which a lens may shift a corner against the others.
_UNEVEN = 0.25


@dataclass(frozen=True)
class Chessboard:
    """Squares of two colours; one of 9 x 7 inner corners has 10 x 8 squares."""

    corners: tuple[int, int] = parameter((9, 7), "inner corners along the columns and the rows", minimum=3)
    square_mm: float = parameter(20.0, "side of a square, millimetres", minimum=0.5, maximum=1000.0)

    def __post_init__(self) -> None:
        check(self)
        if max(self.corners) > 100:
            raise ParameterError("corners", f"is {list(self.corners)}, expected at most 100 each way")

    @property
    def words(self) -> str:
        return f"a chessboard of {self.corners[0]} x {self.corners[1]} inner corners, squares of {self.square_mm:g} mm"

    @property
    def span_m(self) -> float:
        return float(np.hypot(self.corners[0] - 1, self.corners[1] - 1)) * self.square_mm / 1e3

    @property
    def looks_alike(self) -> int:
        """In how many of its turns it looks the same, by shape and colour."""
        columns, rows = self.corners
        if columns == rows:
            return 4 if columns % 2 == 0 else 2
        return 2 if (columns + rows) % 2 == 0 else 1

    def scaled(self, factor: float) -> "Chessboard":
        return Chessboard(self.corners, self.square_mm * factor)

    def find(self, gray: NDArray[np.uint8]) -> Found | Missing:
        columns, rows = self.corners
        found, corners = cv2.findChessboardCornersSB(gray, self.corners, flags=_FLAGS)
        if found:
            grid: Array = np.asarray(corners, float).reshape(rows, columns, 2)
        else:
            seen = _largest(gray)
            if seen is None or sorted(seen.shape[:2]) != sorted((rows, columns)):
                return self._missing(seen, gray.shape)
            grid = seen if seen.shape[:2] == (rows, columns) else seen.transpose(1, 0, 2)
        if not _is_even(grid):
            return Missing("no_board", f"corners were found that lie on no even grid, expected {self.words}")
        if _is_mirrored(grid):
            grid = grid[:, ::-1]
        orders = [grid, grid[::-1, ::-1]]
        if columns == rows:
            turned = grid.transpose(1, 0, 2)
            orders += [turned[:, ::-1], turned[::-1]]
        # Where the colours tell the orders apart, the cell at the first corner is the dark one.
        alike = orders
        if self.looks_alike < len(orders):
            alike = [order for order in orders if _first_cell_is_dark(gray, order)] or orders
        flat = grid.reshape(-1, 1, 2).astype(np.float32)
        sharp: Any = cv2.estimateChessboardSharpness(gray, self.corners, flat)[0]
        return self._found(alike, float(sharp[0]))

    def printed(self) -> Print:
        columns, rows = self.corners[0] + 1, self.corners[1] + 1
        s = self.square_mm
        black = [(x * s, y * s, s, s) for y in range(rows) for x in range(columns) if (x + y) % 2 == 0]
        return Print(np.array(black, float), columns * s, rows * s, s)

    def _found(self, orders: list[Array], blur_px: float) -> Found:
        """Pixels stay as they lie in the first order, and points say what they are in each."""
        columns, rows = self.corners
        pixels = orders[0].reshape(-1, 2)
        y, x = np.mgrid[:rows, :columns]
        points = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3) * self.square_mm / 1e3
        place = {tuple(p): i for i, p in enumerate(pixels.tolist())}
        sorted_points = np.empty((len(orders), len(points), 3))
        for o, order in enumerate(orders):
            sorted_points[o, [place[tuple(p)] for p in order.reshape(-1, 2).tolist()]] = points
        return Found(pixels, sorted_points, blur_px)

    def _missing(self, grid: Array | None, image: tuple[int, ...]) -> Missing:
        """Why the board is not there, from the largest one that is."""
        wanted = f"expected {self.words}"
        if grid is None:
            return Missing("no_board", f"no chessboard was found, {wanted}")
        large, small = max(grid.shape[:2]), min(grid.shape[:2])
        seen = f"{large} x {small} inner corners"
        if large > max(self.corners) or small > min(self.corners):
            return Missing("other_board", f"the chessboard has {seen}, {wanted}")
        if _reaches_border(grid, image):
            return Missing("cut_off", f"{seen} of the chessboard lie in the image, which cuts it off, {wanted}")
        return Missing("other_board", f"the chessboard shows {seen}, so it is another one or partly covered, {wanted}")


def _largest(gray: NDArray[np.uint8]) -> Array | None:
    """The corners (R, C, 2) of the largest chessboard of any size, None where there is none."""
    flags = cv2.CALIB_CB_LARGER | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY | cv2.CALIB_CB_NORMALIZE_IMAGE
    found, corners, meta = cv2.findChessboardCornersSBWithMeta(gray, _PIECE, flags)
    return np.asarray(corners, float).reshape(*meta.shape, 2) if found else None


def _is_even(grid: Array) -> bool:
    """Whether corners (R, C, 2) lie where a flat grid seen from anywhere has them, but for a lens."""
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]]
    flat = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2).astype(float)
    homography, _ = cv2.findHomography(flat, grid.reshape(-1, 1, 2))
    if homography is None:
        return False
    off = np.linalg.norm(cv2.perspectiveTransform(flat, homography)[:, 0] - grid.reshape(-1, 2), axis=-1)
    step = np.linalg.norm(np.diff(grid, axis=1), axis=-1).min()
    return bool(off.max() < _UNEVEN * step)


def _is_mirrored(grid: Array) -> bool:
    """Whether rows and columns of a (R, C, 2) grid turn the other way than those of a board seen from its front."""
    right, down = grid[0, -1] - grid[0, 0], grid[-1, 0] - grid[0, 0]
    return bool(right[0] * down[1] - right[1] * down[0] < 0)


def _first_cell_is_dark(gray: NDArray[np.uint8], grid: Array) -> bool:
    centres = (grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:]) / 4
    rows, columns = np.mgrid[: centres.shape[0], : centres.shape[1]]
    x = np.clip(np.rint(centres[..., 0]), 0, gray.shape[1] - 1).astype(int)
    y = np.clip(np.rint(centres[..., 1]), 0, gray.shape[0] - 1).astype(int)
    even = (rows + columns) % 2 == 0
    return bool(gray[y, x][even].mean() < gray[y, x][~even].mean())


def _reaches_border(grid: Array, shape: tuple[int, ...]) -> bool:
    """Whether another row of corners beyond one side could not be seen, since the image ends there."""
    beyond = np.concatenate(
        [
            grid[0] + 1.5 * (grid[0] - grid[1]),
            grid[-1] + 1.5 * (grid[-1] - grid[-2]),
            grid[:, 0] + 1.5 * (grid[:, 0] - grid[:, 1]),
            grid[:, -1] + 1.5 * (grid[:, -1] - grid[:, -2]),
        ]
    )
    return bool((beyond < 0).any() or (beyond[:, 0] > shape[1] - 1).any() or (beyond[:, 1] > shape[0] - 1).any())
