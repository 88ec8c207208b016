"""Command line arguments out of a parameter dataclass."""

import argparse
import dataclasses
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cadsight_core.config.parameters import from_mapping

from cadsight_cli.arguments.types import number, text, whole

T = TypeVar("T")
_METAVARS: dict[type, str] = {int: "N", float: "NUMBER"}


def add_options(parser: argparse.ArgumentParser, cls: type) -> None:
    """One argument a field of ``cls``, with its type, choices, default and sentence."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        add_option(parser, field.name, hints[field.name], field.metadata, str(field.default))


def add_option(
    parser: argparse.ArgumentParser, name: str, hint: type, metadata: Mapping[str, Any], default: str
) -> None:
    """The argument of a field of that ``name``, type and metadata; ``default`` are the words for its default."""
    flag, description = f"--{name.replace('_', '-')}", metadata["description"].replace("%", "%%")
    if hint is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=description)
    else:
        parser.add_argument(
            flag, type=_type_of(hint, metadata), choices=metadata["choices"], help=f"{description} ({default})",
            metavar=None if metadata["choices"] else _METAVARS.get(hint, name.upper()),
        )  # fmt: skip


def _type_of(hint: type, metadata: Mapping[str, Any]) -> Callable[[str], Any]:
    """What argparse makes of a field's word: a number in the field's range, or a text."""
    if hint is int:
        return whole(metadata["minimum"], metadata["maximum"])
    if hint is float:
        return number(metadata["minimum"], metadata["maximum"])
    return text


def options_of(args: argparse.Namespace, cls: type[T]) -> T:
    """The dataclass with what the command line gave, and its defaults for the rest.

    Raises:
        CadsightError: for a value out of range.
    """
    return from_mapping(cls, given_options(args, cls), "the command line")


def given_options(args: argparse.Namespace, cls: type) -> dict[str, Any]:
    """The fields of the dataclass that the command line gave, by their names."""
    return {
        field.name: value
        for field in dataclasses.fields(cls)
        if (value := getattr(args, field.name)) is not None
    }
