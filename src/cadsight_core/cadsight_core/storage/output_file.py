"""Files that a command writes where the user wants them: never over what we did not write.

What has a mark of ours, a page's generator or the keys of a JSON object, replaces an earlier one of its kind. Where a
format has no room for a mark a hidden note beside the file keeps its SHA-256: once edited it is its user's.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import document_in, json_of
from cadsight_core.storage.files import write_atomically, writing_atomically
from cadsight_core.storage.json_text import json_text

GENERATOR = '<meta name="generator" content="CADsight">'
# What stands in the head of pages that earlier versions wrote without naming their generator.
_EARLIER_PAGES = (b"<title>CADsight: ", b".wrong img { outline: .25rem solid #d55e00; }")
_HEAD = 8192
_NOTE, _NOTE_FORMAT = ".cadsight-output", "cadsight-note-1"

# Whether the bytes of a file are an earlier output of ours.
Ours = Callable[[bytes], bool]


def json_with(*keys: str, form: str = "") -> Ours:
    """Recognises a JSON object that has all of ``keys``, and the ``format`` that is given."""

    def ours(data: bytes) -> bool:
        found = document_in(data, form) if form else json_of(data)
        return isinstance(found, dict) and set(keys) <= found.keys()

    return ours


def is_page(data: bytes) -> bool:
    """Whether this is a page of ours."""
    head = data[:_HEAD]
    return head.lstrip().lower().startswith(b"<!doctype html>") and any(
        sign in head for sign in (GENERATOR.encode(), *_EARLIER_PAGES)
    )


def refuse_foreign_file(path: str | Path, ours: Ours) -> Path:
    """Where an output at ``path`` goes, links followed: a name that is free, or an earlier output of ours.

    Raises:
        CadsightError: for a folder or device, a file of others, and a path that cannot be looked at.
    """
    try:
        resolved = Path(path).resolve()
        if not os.path.lexists(resolved):
            return resolved
        if not resolved.is_file():
            raise CadsightError(f"{path} is no file, expected one, or a name that is free")
        data = resolved.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # a RuntimeError for links that lead in a circle
        raise CadsightError(f"the file {path} could not be looked at: {error}") from error
    if not ours(data):
        raise CadsightError(f"{path} is no earlier output of ours of this kind, expected another name")
    return resolved


def is_ours(path: str | Path, ours: Ours) -> bool:
    """Whether an earlier output of ours is there."""
    try:
        return refuse_foreign_file(path, ours).exists()
    except CadsightError:
        return False


def write_output(path: str | Path, text: str, ours: Ours) -> Path:
    """Write a file that is new, or in the place of an earlier one of ours; returns ``path``.

    Raises:
        CadsightError: as :func:`refuse_foreign_file`, and when the disk refuses the bytes.
    """
    write_atomically(refuse_foreign_file(path, ours), text)
    return Path(path)


def write_same(path: str | Path, data: bytes, *, flushed: bool = True) -> None:
    """Write a file that is new; one that is there must have these bytes, as when a command is given again.

    Args:
        flushed: as in :func:`cadsight_core.storage.files.writing_atomically`.

    Raises:
        CadsightError: when something else is there, and when the disk refuses the bytes.
    """
    path = Path(path)
    if os.path.lexists(path):
        if not path.is_file() or path.read_bytes() != data:
            raise CadsightError(f"{path} is there and is something else than what is written, expected another folder")
        return
    with writing_atomically(path, flushed=flushed) as file:
        file.write(data)


def noted(path: str | Path) -> Ours:
    """Recognises what :func:`writing_noted` wrote at ``path``, unless it was changed since."""
    try:
        note = document_in(_note_of(Path(path).resolve()).read_bytes(), _NOTE_FORMAT)
    except (OSError, RuntimeError, ValueError):  # a ValueError for a name that no file can have
        note = None
    sums = note.get("sha256") if note else None
    if not isinstance(sums, list):
        return lambda _: False
    return lambda data: hashlib.sha256(data).hexdigest() in sums


class NotedFile:
    """A file that is being written."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._sum = write, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._write(data)
        self._sum.update(data)

    @property
    def sha256(self) -> str:
        """Of what was written until now, in hex digits."""
        return self._sum.hexdigest()


@contextlib.contextmanager
def writing_noted(path: str | Path) -> Iterator[NotedFile]:
    """A file of a format without room for a mark, to write piece by piece; at the end it is new, or in the place of
    an earlier one of ours that nobody changed. When anything is raised it vanishes.

    Raises:
        CadsightError: as :func:`refuse_foreign_file`, and when the disk refuses the bytes.
    """
    target = refuse_foreign_file(path, noted(path))
    with writing_atomically(target) as file:
        written = NotedFile(file.write)
        yield written
        # Both until it is replaced: after a kill it is the old or the new.
        sums = [hashlib.sha256(target.read_bytes()).hexdigest()] if target.exists() else []
        note = {"format": _NOTE_FORMAT, "sha256": [*sums, written.sha256]}
        write_atomically(_note_of(target), json_text(note) + "\n")


def write_noted(path: str | Path, data: bytes) -> None:
    """Write such a file in one piece.

    Raises:
        CadsightError: as :func:`writing_noted`.
    """
    with writing_noted(path) as file:
        file.write(data)


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}{_NOTE}")
