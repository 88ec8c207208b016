"""The options of all families of detectors as arguments of one command, and out of them those of one family."""

import argparse
import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_learning.detection.families import DEFAULT, DETECTORS, detector_options, family_of, summaries
from cadsight_learning.options import DetectorOptions

from cadsight_cli.arguments.idle import refuse_idle
from cadsight_cli.arguments.options import add_option


def add_detector_options(parser: argparse.ArgumentParser) -> None:
    """One argument for each option that any family has.

    It takes what one of them takes; the others' limits are seen when the family is known.

    Raises:
        CadsightError: for a family of another package whose option is of another type than ours of that name.
    """
    for name, fields in _fields().items():
        types = {family: typing.get_type_hints(DETECTORS[family].options)[name] for family in fields}
        hint = next(iter(types.values()))
        other = next((family for family, its in types.items() if its != hint), None)
        if other is not None:
            raise CadsightError(f"the family {other} has the option {name} of {types[other]}, expected {hint}")
        metadata = dict(next(iter(fields.values())).metadata)
        if name == "family":
            metadata["description"] += f": {summaries()}"
        add_option(parser, name, hint, metadata | _widest(fields), DEFAULT if name == "family" else _defaults(fields))


def detector_options_of(args: argparse.Namespace) -> DetectorOptions:
    """The options of the family that the command line names, with its defaults for what is not given.

    Raises:
        CadsightError: for an unknown family, an option that it lacks, or a value out of its range.
    """
    given = {name: value for name in _fields() if (value := getattr(args, name)) is not None}
    family = family_of(given.setdefault("family", DEFAULT))
    known = {f.name for f in dataclasses.fields(family.options)} | set(family.retired)
    idle = {f"--{name.replace('_', '-')}": value for name, value in given.items() if name not in known}
    refuse_idle(f"with --family {given['family']}", idle)
    return detector_options(given, "the command line")


def _fields() -> dict[str, dict[str, "dataclasses.Field[Any]"]]:
    """By option and family the field, in the order in which families name them."""
    found: dict[str, dict[str, dataclasses.Field[Any]]] = {}
    for name, family in DETECTORS.items():
        for field in dataclasses.fields(family.options):
            found.setdefault(field.name, {})[name] = field
    return found


def _widest(fields: Mapping[str, "dataclasses.Field[Any]"]) -> dict[str, Any]:
    """What at least one family takes."""
    all_of_them = [field.metadata for field in fields.values()]
    lows, highs, choices = ([one[key] for one in all_of_them] for key in ("minimum", "maximum", "choices"))
    return {
        "minimum": None if None in lows else min(lows),
        "maximum": None if None in highs else max(highs),
        "choices": None if None in choices else tuple(dict.fromkeys(word for some in choices for word in some)),
    }


def _defaults(fields: Mapping[str, "dataclasses.Field[Any]"]) -> str:
    """The default of all families, or each default and whose it is."""
    families: dict[Any, list[str]] = {}
    for family, field in fields.items():
        families.setdefault(field.default, []).append(family)
    if len(families) == 1:
        return str(next(iter(families)))
    return "; ".join(f"{default} of {', '.join(its)}" for default, its in families.items())
