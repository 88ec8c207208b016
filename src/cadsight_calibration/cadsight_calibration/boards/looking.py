"""The boards in a folder's images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress_if_many

from cadsight_calibration.boards.board import Board
from cadsight_calibration.boards.found import Found
from cadsight_calibration.fault import Fault

# Pixels from black to white across an edge; OpenCV's own advice is three for a sharp image.
_BLURRED_PX = 6.0


@dataclass(frozen=True, eq=False)
class Looked:
    """What images of one camera show.

    Attributes:
        rows: index of each image with a board among those that were given; found: its board.
        faults: the images without a board, and the blurred ones.
    """

    size: ImageSize
    rows: tuple[int, ...]
    found: tuple[Found, ...]
    faults: tuple[Fault, ...]


def look_for(board: Board, paths: Sequence[Path], names: Sequence[str]) -> Looked:
    """The board in each of some images.

    Raises:
        CadsightError: for an image that cannot be read, and images of several sizes.
    """
    faults: list[Fault] = []
    sizes: dict[ImageSize, list[str]] = {}
    rows, found = [], []
    for i in with_progress_if_many(range(len(paths)), len(paths), "boards"):
        gray = np.asarray(cv2.cvtColor(read_image(paths[i]), cv2.COLOR_RGB2GRAY), np.uint8)
        sizes.setdefault(ImageSize(gray.shape[1], gray.shape[0]), []).append(names[i])
        seen = board.find(gray)
        if not isinstance(seen, Found):
            faults.append(Fault(seen.reason, (names[i],), f"{names[i]}: {seen.words}"))
        elif seen.blur_px > _BLURRED_PX:
            words = f"{names[i]} is blurred: black turns to white over {seen.blur_px:.1f} px, expected at most"
            faults.append(Fault("blurred", (names[i],), f"{words} {_BLURRED_PX:g}; it is left out"))
        else:
            rows.append(i)
            found.append(seen)
    size = max(sizes, key=lambda s: len(sizes[s]))
    for other, some in sizes.items():
        if other != size:
            raise CadsightError(
                f"{some[0]} has {other.width} x {other.height} pixels and others have {size.width} x {size.height}, "
                "expected images of one size"
            )
    return Looked(size, tuple(rows), tuple(found), tuple(faults))
