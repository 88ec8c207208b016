"""XML of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cadsight_core.errors import CadsightError

_HEAD = 1 << 16


def read_xml(path: Path) -> ElementTree.Element:
    """The root of a file.

    Raises:
        CadsightError: when it cannot be read, is broken, or defines entities of its own, which no labelling tool does.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error
    if b"<!ENTITY" in data:
        raise CadsightError(f"{path} defines entities, expected plain XML")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # LookupError for an unknown encoding
        raise CadsightError(f"{path} is not XML ({error}), expected a whole file") from error


def root_of(path: Path) -> str:
    """The name of the root element, '' where the file is no XML; only the file's head is read."""
    parser: Any = ElementTree.XMLPullParser(["start"])
    try:
        with open(path, "rb") as file:
            parser.feed(file.read(_HEAD))
        return next((str(element.tag) for _, element in parser.read_events()), "")
    except (OSError, ElementTree.ParseError, LookupError, ValueError):
        return ""


def text(element: ElementTree.Element, path: str, otherwise: str = "") -> str:
    """The stripped text of the first element at ``path``."""
    return (element.findtext(path) or otherwise).strip()


def number(words: str, what: str) -> float:
    """A finite number.

    Raises:
        CadsightError: for anything else, with ``what`` it is.
    """
    try:
        value = float(words)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise CadsightError(f"{what} is {words!r}, expected a finite number")
    return value


def elements(root: ElementTree.Element, *names: str) -> Iterator[ElementTree.Element]:
    """The direct children of any of these names, in their order."""
    return (child for child in root if child.tag in names)
