"""JSON that is written while it is made, so that a file may be larger than the memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.storage.json_text import json_text


@dataclass(frozen=True)
class Members:
    """An object out of keys and values that come one by one."""

    items: Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Elements:
    """An array out of values that come one by one."""

    items: Iterable[Any]


def write_json(path: Path, value: Any) -> None:
    """Write a value; members and elements of it are made in the order of the file, and none is kept.

    Raises:
        CadsightError: for a number that is not finite.
    """
    with open(path, "w") as file:
        _write(value, file.write)


def plain(value: Any) -> Any:
    """The same as dictionaries and lists."""
    if isinstance(value, Members):
        return {k: plain(v) for k, v in value.items}
    return [plain(v) for v in value.items] if isinstance(value, Elements) else value


def _write(value: Any, write: Callable[[str], Any]) -> None:
    if isinstance(value, Members):
        separator = "{"
        for key, member in value.items:
            write(f"{separator}{json_text(key)}: ")
            _write(member, write)
            separator = ", "
        write("}" if separator != "{" else "{}")
    elif isinstance(value, Elements):
        separator = "["
        for element in value.items:
            write(separator)
            _write(element, write)
            separator = ", "
        write("]" if separator != "[" else "[]")
    else:
        write(json_text(value))
