"""VIA's table: the CSV that VIA exports, a row a region, as the entries that its JSON has."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import head_of
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.formats.reading.notes import Notes

SUFFIX = ".csv"
_FILENAME, _SHAPE, _REGION = "filename", "region_shape_attributes", "region_attributes"
# The first version of VIA begins its header with a number sign; spreadsheets of some countries part by semicolons.
_HEADER = re.compile(r'#?\s*"?filename"?\s*([,;\t])')
_SEEN = 4096


@dataclass(frozen=True)
class _Row:
    """A row by the names of its columns; ``line`` is its last one, from 1."""

    line: int
    cells: dict[str, str]


def is_via_table(path: Path) -> bool:
    """Whether a file has the header of VIA's table, in whatever encoding."""
    try:
        with open(path, "rb") as file:
            head = (
                file.read(_SEEN).replace(b"\0", b"").decode("latin-1").removeprefix("\xef\xbb\xbf").lstrip("\xff\xfe")
            )
    except OSError:
        return False
    first = head.partition("\n")[0]
    return bool(_HEADER.match(first)) and _SHAPE in first and first.count(_REGION) > 0


def names_in(path: Path) -> list[str]:
    """The names of the images in VIA's table; none of one that cannot be read."""
    try:
        return list(dict.fromkeys(row.cells[_FILENAME] for row in _rows(path)))
    except CadsightError:
        return []


def entries_of(path: Path, notes: Notes) -> dict[str, dict[str, Any]]:
    """The images of VIA's table by VIA's keys, each with ``filename``, ``size``, ``file_attributes``, ``regions``.

    Raises:
        CadsightError: for a file that is in another encoding or no table; and unless ``notes`` collects them, for the
            first row that cannot be used and the first image with another number of rows than the file states.
    """
    entries: dict[str, dict[str, Any]] = {}
    counts: dict[str, tuple[str, int]] = {}
    regions: dict[str, list[dict[str, Any]]] = {}
    rows: Counter[str] = Counter()
    for row in _rows(path):
        name, size = row.cells[_FILENAME], row.cells.get("file_size", "")
        if not name:
            notes.problem("odd label", path, "the row names no image, expected a filename", row.line, loses="labels")
            continue
        key = f"{name}{size}"
        if key not in entries:
            attributes = _object(row.cells.get("file_attributes", "")) or {}
            regions[key] = []
            entries[key] = {"filename": name, "size": size, "file_attributes": attributes, "regions": regions[key]}
        counts[key] = row.cells.get("region_count", "").strip(), row.line
        cells = {column: row.cells[column] for column in (_SHAPE, _REGION)}
        shape, region = map(_object, cells.values())
        rows[key] += shape != {}
        if shape is None or region is None:
            column = _SHAPE if shape is None else _REGION
            text = f"{column} is {cells[column]!r}, expected an object in JSON, its numbers finite"
            notes.problem("odd label", path, text, row.line, loses="labels")
        elif shape:
            regions[key].append({"shape_attributes": shape, "region_attributes": region})
    for key, (count, line) in counts.items():
        if count.isdecimal() and int(count[:9]) != rows[key]:
            name = entries[key]["filename"]
            text = f"{name!r} is said to have {count} regions and has {rows[key]} rows, expected as many"
            notes.problem("odd label", path, text, line, loses="labels")
    return entries


def _object(cell: str) -> dict[str, Any] | None:
    """What a cell of JSON holds, nothing for an empty one; None where it is no object."""
    return head_of(cell.encode() if cell.strip() else b"{}", dict[str, Any])


def _rows(path: Path) -> Iterator[_Row]:
    text = read_text(path)
    found = _HEADER.match(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=found[1] if found else ",", strict=True)
    names: list[str] = []
    try:
        for cells in lines:
            if not names:
                names = [cell.strip().removeprefix("#").strip() for cell in cells]
                if not {_FILENAME, _SHAPE, _REGION} <= set(names):
                    raise CadsightError(f"{path} begins with {cells!r}, expected the columns of VIA's table")
            elif any(cell.strip() for cell in cells):
                if len(cells) != len(names):
                    raise CadsightError(
                        f"{path}, line {lines.line_num}: the row has {len(cells)} columns, expected {len(names)}"
                    )
                yield _Row(lines.line_num, dict(zip(names, cells, strict=True)))
    except csv.Error as error:
        raise CadsightError(f"{path}, line {lines.line_num}: it is no table ({error}), expected whole rows") from error
