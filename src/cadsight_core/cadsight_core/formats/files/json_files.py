"""JSON of others, read fast and checked against a typed description, so a wrong type is a sentence with its position.

msgspec reads and checks a COCO file of 130 MB in a third of pydantic's time (``cadsight benchmark labels`` measures the
whole reader).
"""

import codecs
import contextlib
import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import text_of
from cadsight_core.storage.json_text import not_finite

T = TypeVar("T")

_LOCATION = re.compile(r"(?P<what>.*?)(?: - at `\$?(?P<where>[^`]*)`)?$", re.DOTALL)


def read_json(path: Path) -> Any:
    """Parsed JSON in UTF-8, or in UTF-16 with a byte order mark; all its numbers are finite.

    Raises:
        CadsightError: when the file is missing, in another encoding, its JSON is cut short or broken, or a number in it
            is not finite, with its position.
    """
    return parse_json(json_bytes(path), path)


def json_bytes(path: Path) -> bytes:
    """The file's JSON in UTF-8 without a byte order mark.

    Raises:
        CadsightError: when it cannot be read or is in another encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text_of(data, path).encode()
    return data


def parse_json(data: bytes, path: Path) -> Any:
    """What ``data``, the bytes of ``path``, hold.

    Raises:
        CadsightError: as :func:`read_json`.
    """
    try:
        with without_collection():
            return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _broken(data, path, error) from error


def head_of(data: bytes, kind: type[T]) -> T | None:
    """The parts of JSON that ``kind`` (of ``msgspec.Raw`` for what is not looked into) names, None where it is other.

    A few per cent of the time that reading takes.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def checked(value: Any, kind: type[T], start: str = "") -> T:
    """``value`` as the typed description ``kind``.

    Args:
        start: the position of the value, as errors begin, such as ``annotations[3]``.

    Raises:
        CadsightError: for a wrong type or a missing key, with its position; the file is for the caller to name.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise CadsightError(sentence(error, start)) from error


def sentence(error: msgspec.ValidationError, start: str = "") -> str:
    """What came, what was expected, and at which position."""
    found = _LOCATION.match(str(error))
    what = found["what"] if found else str(error)
    where = start + ((found["where"] or "") if found else "")
    what = what.replace("Object missing required field", "it lacks the key").replace("Expected", "expected")
    expected = re.match(r"expected (?P<wanted>.*), got (?P<came>.*)", what, re.DOTALL)
    if expected:
        what = f"is {expected['came'].strip('`')}, expected {expected['wanted'].replace('`', '')}"
        return f"{where.lstrip('.') or 'it'} {what}"
    what = what.replace("`", "'")
    return f"{where.lstrip('.')}: {what}" if where else what


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Millions of new objects make Python search for cycles again and again, and JSON has none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _broken(data: bytes, path: Path, error: Exception) -> CadsightError:
    """Why JSON could not be read: its encoding, a number that is not finite, or that it is broken."""
    try:
        text = text_of(data, path)
    except CadsightError as other:
        return other
    try:
        # Python's reader takes NaN and Infinity, as pandas writes them.
        value = json.loads(text)
    except (ValueError, RecursionError) as broken:
        return CadsightError(f"{path} is not JSON ({broken}), expected a whole file")
    where = next(not_finite(value), None)
    if where is not None:
        return CadsightError(f"{path}: {where[0]} is {where[1]}, expected a finite number")
    return CadsightError(f"{path} is not JSON ({error}), expected a whole file")
