"""Parameters as frozen dataclasses: type, default, range and a sentence each, checked in one place.

Nodes declare them to ROS and commands read them from YAML; both refuse a bad value with its name,
the value that came and what was allowed.
"""

import dataclasses
import logging
import math
import re
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeVar

from cadsight_core.errors import CadsightError, ParameterError

T = TypeVar("T")

_log = logging.getLogger(__name__)

# What every generator of random numbers takes, and what training makes of a seed for each epoch fits into 64 bits.
LARGEST_SEED = 2**32 - 1

Kind = Literal["topic", "name", "frame", "text"]
_TOKENS = r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*"
# ROS allows a full topic name so many characters, and the node's namespace may still come before it.
_LONGEST_NAME = 200
# What a text must look like, and the words for it. ROS's own rules for names: rclpy's validate_topic_name.
_KINDS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "topic": (
        re.compile(rf"(~/|/)?{_TOKENS}"),
        "a topic's name: words of letters, digits and underscores with / between them, none beginning with a digit",
    ),
    "name": (
        re.compile(_TOKENS),
        "a name of letters, digits and underscores that does not begin with a digit",
    ),
    "frame": (re.compile(r"[^\s/]\S*"), "the name of a frame: not empty, no / at its beginning and no blanks"),
    "text": (re.compile(r".*\S.*", re.DOTALL), "a text that is not empty"),
}


def parameter(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Collection[Any] | None = None,
    kind: Kind | None = None,
    length: int | None = None,
    odd: bool = False,
    finite: bool = True,
    earlier: str = "",
    changeable: bool = False,
) -> Any:
    """A dataclass field with a sentence and, where they apply, what its values must be.

    All but ``length`` hold for each element of a list or tuple.

    Args:
        minimum, maximum: inclusive limits.
        choices: the allowed values.
        kind: what a text names; ``text`` is any that is not empty.
        length: how many elements a list or tuple has.
        odd: whether a whole number must be odd.
        finite: whether NaN and the infinities are refused.
        earlier: the name that the field had in earlier versions, whose files are still read.
        changeable: whether a node takes another value while it runs.
    """
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "choices": choices}
    metadata |= {"kind": kind, "length": length, "odd": odd, "finite": finite, "earlier": earlier}
    metadata |= {"changeable": changeable}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def redefined(cls: type, name: str, default: Any, **changes: Any) -> Any:
    """The field ``name`` of a parameter dataclass with another default, for a class that is derived from it.

    ``changes`` are those of the arguments of :func:`parameter` that differ.
    """
    metadata = next(f.metadata for f in dataclasses.fields(cls) if f.name == name)
    return parameter(default, **{**metadata, **changes})


def check(instance: Any) -> None:
    """Refuse the first field of a parameter dataclass that has a wrong type or is out of its range.

    Raises:
        ParameterError: naming the field, its value and what was allowed.
    """
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        _check_field(field, hints[field.name], getattr(instance, field.name))


def checked(cls: type, name: str, value: Any) -> Any:
    """The value that the field ``name`` of a parameter dataclass takes from a file: converted, of its type, in range.

    Raises:
        ParameterError: as :func:`check`.
    """
    field = next(f for f in dataclasses.fields(cls) if f.name == name)
    hint = typing.get_type_hints(cls)[name]
    converted = _converted(value, hint)
    _check_field(field, hint, converted)
    return converted


def from_mapping(cls: type[T], mapping: Mapping[str, Any], where: str) -> T:
    """Build the parameter dataclass ``cls`` from a mapping, such as a YAML section read at ``where``.

    Integers are accepted for floats, lists for tuples, and mappings for parameter dataclasses.

    Raises:
        CadsightError: for an unknown key, a missing key without a default, a wrong type or a value out of range.
    """
    if not isinstance(mapping, Mapping):
        raise CadsightError(f"{where} holds {mapping!r}, expected a mapping of {cls.__name__}")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    mapping = {current_name(fields, key, mapping, where): value for key, value in mapping.items()}
    unknown = sorted(set(mapping) - set(fields), key=str)  # YAML has keys that are numbers
    if unknown:
        raise CadsightError(f"{where} has the unknown key {unknown[0]!r}, expected one of {', '.join(sorted(fields))}")
    missing = sorted(
        name
        for name, f in fields.items()
        if name not in mapping and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    )
    if missing:
        raise CadsightError(f"{where} lacks the key {missing[0]!r}: {fields[missing[0]].metadata.get('description')}")
    values = {name: _nested(value, hints[name], f"{where}: {name}") for name, value in mapping.items()}
    try:
        return cls(**{name: _converted(value, hints[name]) for name, value in values.items()})
    except CadsightError as error:
        raise error.at(where) from error


def current_name(fields: Mapping[str, "dataclasses.Field[Any]"], key: Any, given: Collection[Any], where: str) -> Any:
    """The field that ``key`` names, also by the name that it had in earlier versions, which is then noted.

    Args:
        fields: those of a parameter dataclass by their names.
        given: all keys that came, so that nothing is given twice.
        where: the file, for the note.
    """
    if key in fields:
        return key
    for name, field in fields.items():
        if key == field.metadata.get("earlier") and name not in given:
            _log.warning("%s has the key %r, which is called %r now", where, key, name)
            return name
    return key


def by_first_names(instance: Any) -> dict[str, Any]:
    """What ``dataclasses.asdict`` gives of a parameter dataclass, but each field under the name that it had first.

    A digest of it stays what it was in the version before a field was renamed.
    """
    return {
        field.metadata.get("earlier") or field.name: _by_first_names(getattr(instance, field.name))
        for field in dataclasses.fields(instance)
    }


def _by_first_names(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return by_first_names(value)
    if isinstance(value, list | tuple):
        return type(value)(_by_first_names(one) for one in value)
    return value


def _nested(value: Any, hint: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_mapping(hint, value, where)
    return value


def _converted(value: Any, hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType) and value is not None:
        (hint, *others) = [h for h in typing.get_args(hint) if h is not type(None)]
        return value if others else _converted(value, hint)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if origin is tuple and isinstance(value, list | tuple):
        arguments = typing.get_args(hint)
        element = arguments[0] if arguments else Any
        return tuple(_converted(v, element) for v in value)
    if origin is list and isinstance(value, list | tuple):
        (element,) = typing.get_args(hint) or (Any,)
        return [_converted(v, element) for v in value]
    return value


def _is_a(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is Any or hint is None:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_is_a(value, h) if h is not type(None) else value is None for h in typing.get_args(hint))
    if origin is tuple:
        arguments = typing.get_args(hint)
        if not isinstance(value, tuple):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return all(_is_a(v, arguments[0]) for v in value)
        return len(value) == len(arguments) and all(_is_a(v, h) for v, h in zip(value, arguments, strict=True))
    if origin is list:
        return isinstance(value, list) and all(_is_a(v, typing.get_args(hint)[0]) for v in value)
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin is not None:
        return isinstance(value, origin)
    if hint in (int, float) and isinstance(value, bool):
        return False
    if hint is float:
        return isinstance(value, int | float)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _type_name(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin in (tuple, list) and arguments and all(a is float or a is int for a in arguments if a is not Ellipsis):
        kind = "whole numbers" if int in arguments else "numbers"
        return f"a list of {kind}" if origin is list or Ellipsis in arguments else f"{len(arguments)} {kind}"
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _check_field(field: "dataclasses.Field[Any]", hint: Any, value: Any) -> None:
    if not _is_a(value, hint):
        raise ParameterError(
            field.name,
            f"is {value!r}, expected {_type_name(hint)}: {field.metadata.get('description', '')}",
        )
    length = field.metadata.get("length")
    if length is not None and len(value) != length:
        raise ParameterError(
            field.name,
            f"is {list(value)}, expected {length} values: {field.metadata['description']}",
        )
    for element in value if isinstance(value, list | tuple) else (value,):
        # Where it may be left out, nothing is in range.
        if element is not None:
            _check_range(field, element)
            _check_form(field, element)


def _check_range(field: "dataclasses.Field[Any]", value: Any) -> None:
    minimum, maximum, choices = (field.metadata.get(k) for k in ("minimum", "maximum", "choices"))
    if choices is not None and value not in choices:
        raise ParameterError(field.name, f"is {value!r}, expected one of {', '.join(map(str, choices))}")
    # Written so that NaN, which compares false with everything, is refused too.
    below = minimum is not None and not value >= minimum
    above = maximum is not None and not value <= maximum
    if below or above:
        allowed = " and ".join(
            text
            for text in (
                f"at least {minimum:g}" if minimum is not None else "",
                f"at most {maximum:g}" if maximum is not None else "",
            )
            if text
        )
        raise ParameterError(field.name, f"is {value!r}, expected {allowed}")


def _check_form(field: "dataclasses.Field[Any]", value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value) and field.metadata.get("finite", True):
        raise ParameterError(field.name, f"is {value!r}, expected a finite number")
    if field.metadata.get("odd") and value % 2 == 0:
        raise ParameterError(field.name, f"is {value!r}, expected an odd number")
    kind = field.metadata.get("kind")
    if kind is None:
        return
    form, expected = _KINDS[kind]
    if not form.fullmatch(value):
        raise ParameterError(field.name, f"is {value!r}, expected {expected}")
    if kind in ("topic", "name") and len(value) > _LONGEST_NAME:
        raise ParameterError(
            field.name,
            f"has {len(value)} characters, expected at most {_LONGEST_NAME} of a name",
        )
