"""JSON files of ours, each an object whose ``format`` says what it is and of which version."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError


def read_document(path: str | Path, form: str, what: str) -> dict[str, Any]:
    """The object in the file at ``path``, without its ``format``.

    Args:
        form: the ``format`` that it must have, such as ``cadsight-model-1``.
        what: what lies in the file's folder, such as ``model``, for the sentences of errors.

    Raises:
        CadsightError: when the file cannot be read, is not JSON or no object, or has another format.
    """
    path = Path(path)
    try:
        text = path.read_text()
    except OSError as error:
        raise CadsightError(
            f"{path.parent} holds no {what}: {path.name} could not be read ({error.strerror}), expected one"
        ) from error
    except UnicodeDecodeError as error:
        raise CadsightError(f"{path} is not JSON ({error}), expected a {what}") from error
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CadsightError(f"{path} is not JSON ({error}), expected a {what}") from error
    if not isinstance(found, dict):
        raise CadsightError(f"{path} holds a {type(found).__name__}, expected the object of a {what}")
    came = found.pop("format", None)
    if came != form:
        raise CadsightError(f"{path} has the format {came!r}, expected {form!r}")
    return found


@contextlib.contextmanager
def taken_from(what: str, expected: str) -> Iterator[None]:
    """A key that is missing or of another type, met while objects are made of a document, becomes a sentence.

    Args:
        what: what is made, such as ``a trial``.
        expected: what the file should be.

    Raises:
        CadsightError: naming what is not usable.
    """
    try:
        yield
    except CadsightError:  # of a part, which names the fault already
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CadsightError(f"{what} has no usable {error}, expected {expected}") from error


def document_in(data: bytes, form: str) -> dict[str, Any] | None:
    """What :func:`read_document` gives of a file with these bytes, None where it would refuse them."""
    found = json_of(data)
    return found if isinstance(found, dict) and found.pop("format", None) == form else None


def json_of(data: bytes) -> Any:
    """The value of some JSON, None for bytes that are no JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
