"""What the pages' tables of parameters have in common: their rows, and the command that writes a page."""

import argparse
import dataclasses
import importlib
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_KINDS = {"topic": "a topic's name", "name": "a name", "frame": "a frame's name", "text": "not empty"}
Row = tuple[str, str, str, str]


def markdown(first: str, rows: Iterable[Row]) -> str:
    """A table of names, defaults, what is allowed, and sentences; ``first`` heads the names."""
    lines = [f"| {first} | default | allowed | what |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def row(name: str, field: "dataclasses.Field[Any]", hint: Any, formatted: Callable[[Any], str]) -> Row:
    """The row of a parameter of type ``hint``; ``formatted`` writes a value as a user would."""
    description = field.metadata.get("description", "")
    return f"`{name}`", f"`{formatted(default_of(field))}`", _allowed(field, hint, formatted), description


def default_of(field: "dataclasses.Field[Any]") -> Any:
    """The value that a field has by default."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def class_of(name: str) -> type:
    """The dataclass ``module:Class``, imported only when a page asks for it."""
    module, _, cls = name.partition(":")
    found: type = getattr(importlib.import_module(module), cls)
    return found


def _allowed(field: "dataclasses.Field[Any]", hint: Any, formatted: Callable[[Any], str]) -> str:
    low, high, choices = (field.metadata.get(key) for key in ("minimum", "maximum", "choices"))
    if choices or typing.get_origin(hint) is typing.Literal:
        return ", ".join(f"`{formatted(choice)}`" for choice in choices or typing.get_args(hint))
    length, odd, kind = (field.metadata.get(key) for key in ("length", "odd", "kind"))
    limits = ""
    if low is not None and high is not None:
        limits = f"{low:g} to {high:g}"
    elif low is not None:
        limits = f"at least {low:g}"
    elif high is not None:
        limits = f"at most {high:g}"
    allowed = (
        f"{length} values" if length is not None else "",
        f"each {limits}" if length is not None and limits else limits,
        "odd" if odd else "",
        _KINDS[kind] if kind else "",
    )
    return ", ".join(filter(None, allowed))


def run(what: str, path: Path, page: Callable[[str], str]) -> int:
    """Print the page at ``path`` as ``page`` makes it of its text, or with ``--write`` write it."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write docs/{path.name} instead of printing it")
    args = parser.parse_args()
    made = page(path.read_text(encoding="utf-8"))
    if args.write:
        path.write_text(made, encoding="utf-8")
    else:
        print(made, end="")
    return 0
