"""Boards drawn to scale: PDF and SVG for the printer, PNG for a screen."""

import io
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_file import write_noted
from numpy.typing import NDArray

from cadsight_calibration.boards.board import Board
from cadsight_calibration.boards.printing import Print

FORMATS = (".pdf", ".svg", ".png")
_INCH_MM = 25.4
# Room for the line below the board that says how to check the print.
_CAPTION_MM = 14.0
_LARGEST_PNG = 200_000_000


def write_board(board: Board, path: str | Path, dots_per_inch: int = 300) -> Path:
    """Draw a board into a file whose name ends in one of FORMATS; the page is as large as board, margin and caption.

    Raises:
        CadsightError: for another ending, a file of others in the way, or a PNG of more pixels than a viewer opens.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise CadsightError(f"the file {path} ends in {kind!r}, expected one of {', '.join(FORMATS)}")
    page = board.printed()
    data = _png(page, dots_per_inch) if kind == ".png" else _vectors(page, board.words, kind[1:])
    write_noted(path, data)
    return path


def board_image(board: Board, pixels_per_mm: float) -> NDArray[np.uint8]:
    """The board and the white around it as an image (H, W), without a caption."""
    page = board.printed()
    return _raster(page, pixels_per_mm, 0.0)


def _raster(page: Print, scale: float, below_mm: float) -> NDArray[np.uint8]:
    width = round((page.width_mm + 2 * page.margin_mm) * scale)
    height = round((page.height_mm + 2 * page.margin_mm + below_mm) * scale)
    if width * height > _LARGEST_PNG:
        raise CadsightError(
            f"the board takes {width} x {height} pixels, expected at most {_LARGEST_PNG}: fewer --dpi, or a PDF"
        )
    image = np.full((height, width), 255, np.uint8)
    for x, y, w, h in page.rectangles:
        left, right = (round((v + page.margin_mm) * scale) for v in (x, x + w))
        top, bottom = (round((v + page.margin_mm) * scale) for v in (y, y + h))
        image[top:bottom, left:right] = 0
    return image


def _png(page: Print, dots_per_inch: int) -> bytes:
    from PIL import Image

    image = _raster(page, dots_per_inch / _INCH_MM, 0.0)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", dpi=(dots_per_inch, dots_per_inch))
    return buffer.getvalue()


def _vectors(page: Print, words: str, kind: str) -> bytes:
    import matplotlib
    from matplotlib.collections import PatchCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    margin = page.margin_mm
    width, height = page.width_mm + 2 * margin, page.height_mm + 2 * margin + _CAPTION_MM
    # The same file each time: no date, and names that do not hang on chance.
    with matplotlib.rc_context({"svg.hashsalt": "cadsight", "svg.fonttype": "none"}):
        figure = Figure(figsize=(width / _INCH_MM, height / _INCH_MM))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(-margin, width - margin)
        axes.set_ylim(height - margin, -margin)
        axes.axis("off")
        black = [Rectangle((x, y), w, h) for x, y, w, h in page.rectangles]
        axes.add_collection(PatchCollection(black, facecolor="black", edgecolor="none", antialiaseds=False))
        bar = 100.0 if page.width_mm >= 100 else 50.0 if page.width_mm >= 50 else 10.0
        below = page.height_mm + margin + 2
        axes.plot([0, bar], [below, below], color="0.4", linewidth=0.6, solid_capstyle="butt")
        for end in (0.0, bar):
            axes.plot([end, end], [below - 1.2, below + 1.2], color="0.4", linewidth=0.6)
        size = min(8.0, 1.9 * page.width_mm / max(len(words), 60) / 0.5)
        text = f"CADsight: {words}"
        hint = f"Print at 100 %, no fitting. The line above must be {bar:g} mm long."
        for line, what in enumerate((text, hint)):
            axes.text(0, below + 3 + 3.4 * line, what, fontsize=size, color="0.4", verticalalignment="top")
        buffer = io.BytesIO()
        date: dict[str, None] = {"CreationDate": None} if kind == "pdf" else {"Date": None}
        figure.savefig(buffer, format=kind, metadata=date)
    return buffer.getvalue()
