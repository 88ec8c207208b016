"""What every kind of board can do, and how one is read from YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from cadsight_core.config.parameters import from_mapping
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray

from cadsight_calibration.boards.april_grid import AprilTagGrid
from cadsight_calibration.boards.charuco import Charuco
from cadsight_calibration.boards.chessboard import Chessboard
from cadsight_calibration.boards.found import Found, Missing
from cadsight_calibration.boards.printing import Print

Gray = NDArray[np.uint8]


@runtime_checkable
class Board(Protocol):
    """A flat pattern; its frame has x to the right and y down as it is drawn, z into the board, in metres."""

    @property
    def words(self) -> str:
        """What it is, for sentences: ``a chessboard of 9 x 7 inner corners, 20 mm``."""

    @property
    def span_m(self) -> float:
        """The longest distance between two of its points."""

    def find(self, gray: Gray) -> Found | Missing:
        """The board in an image (H, W), or why it is not there."""

    def printed(self) -> Print:
        """How it looks on paper."""

    def scaled(self, factor: float) -> "Board":
        """The same board with all lengths multiplied."""


KINDS: Mapping[str, type] = {"chessboard": Chessboard, "charuco": Charuco, "april_tag_grid": AprilTagGrid}


def board_from(value: Any, where: str) -> Board:
    """The board that a YAML value describes: one key, the kind, with its sizes.

    Raises:
        CadsightError: for another kind, or sizes that a board cannot have.
    """
    if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in KINDS:
        came = sorted(map(str, value)) if isinstance(value, Mapping) else value
        raise CadsightError(f"{where} is {came!r}, expected one key of {', '.join(KINDS)} with the board's sizes")
    ((kind, sizes),) = value.items()
    board: Board = from_mapping(KINDS[kind], sizes, f"{where}: {kind}")
    return board


def load_board(path: str | Path) -> Board:
    """The board in a YAML file.

    Raises:
        CadsightError: when it cannot be read, and as :func:`board_from`.
    """
    return board_from(read_yaml(path, "the board "), f"the board {path}")
