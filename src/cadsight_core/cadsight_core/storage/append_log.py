"""Append-only files of JSON objects, one a line, that a kill cannot spoil."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import append_line, make_folder
from cadsight_core.storage.json_text import json_text


class AppendLog:
    """A file that only grows, for one writer. Its first line says of which format it is.

    Raises:
        CadsightError: as :func:`read_append_log`.
    """

    def __init__(self, path: str | Path, file_format: str) -> None:
        self.path = Path(path)
        self._format = file_format
        self._entries = read_append_log(self.path, file_format)

    @property
    def entries(self) -> tuple[dict[str, Any], ...]:
        """Oldest first."""
        return tuple(self._entries)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add an entry, which is on the disk before this returns.

        Raises:
            CadsightError: when the disk refuses it; the file stays as it was.
        """
        make_folder(self.path.parent)
        _end_line(self.path)
        if not self.path.exists() or not self.path.stat().st_size:
            append_line(self.path, json_text({"format": self._format}))
        text = json_text(dict(entry))
        append_line(self.path, text)
        self._entries.append(json.loads(text))


def read_append_log(path: str | Path, file_format: str) -> list[dict[str, Any]]:
    """The entries of a log, oldest first; none where there is no file. What a kill left of a last line is passed
    over.

    Raises:
        CadsightError: when the file cannot be read, is of another format, or a whole line of it is no object.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error
    lines = data.split(b"\n")[:-1]
    head = json_text({"format": file_format}).encode()
    if not (lines[0] == head if lines else head.startswith(data)):
        raise CadsightError(f"{path} begins with {data[:60]!r}, expected a file of the format {file_format}")
    return [_object(line, path, number) for number, line in enumerate(lines[1:], start=2)]


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise CadsightError(f"{path}, line {number}, is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise CadsightError(f"{path}, line {number}, is {line[:60]!r}, expected a JSON object")
    return found


def _end_line(path: Path) -> None:
    """Take away what a kill left of a last line, so that the next one begins a line."""
    try:
        with open(path, "r+b") as file:
            data = file.read()
            if not data.endswith(b"\n"):
                file.truncate(data.rfind(b"\n") + 1)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CadsightError(f"{path} could not be extended: {error.strerror}") from error
