"""Files that a command writes where it was told to: never over what we did not write.

What has a mark of ours, a page's generator or the keys of a JSON object, replaces an earlier one of its kind.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically

GENERATOR = '<meta name="generator" content="CADsight">'
# What stands in the head of pages that earlier versions wrote without naming their generator.
_EARLIER_PAGES = (b"<title>CADsight: ", b".wrong img { outline: .25rem solid #d55e00; }")
_HEAD = 8192

# Whether the bytes of a file are an earlier output of ours.
Ours = Callable[[bytes], bool]


def json_with(*keys: str, form: str = "") -> Ours:
    """Tells a JSON object that has all of ``keys``, and the ``format`` that is given."""

    def ours(data: bytes) -> bool:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and set(keys) <= found.keys() and form in ("", found.get("format"))

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
        CadsightError: for a folder or device, a file of others, and a place that cannot be looked at.
    """
    try:
        place = Path(path).resolve()
        if not os.path.lexists(place):
            return place
        if not place.is_file():
            raise CadsightError(f"{path} is no file, expected one, or a name that is free")
        data = place.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # a RuntimeError for links that lead in a circle
        raise CadsightError(f"the file {path} could not be looked at: {error}") from error
    if not ours(data):
        raise CadsightError(f"{path} is no earlier output of ours of this kind, expected another name")
    return place


def write_output(path: str | Path, text: str, ours: Ours) -> Path:
    """Write a file that is new, or in the place of an earlier one of ours; returns ``path``.

    Raises:
        CadsightError: as :func:`refuse_foreign_file`, and when the disk refuses the bytes.
    """
    write_atomically(refuse_foreign_file(path, ours), text)
    return Path(path)
