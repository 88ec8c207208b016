"""A node's parameters, declared from one frozen dataclass and refused at start when they are wrong."""

import dataclasses
import difflib
import sys
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cadsight_core.config.parameters import checked, from_mapping
from cadsight_core.errors import CadsightError
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

T = TypeVar("T")

_INTEGER_LIMIT = 2**63 - 1
_FLOAT_LIMIT = sys.float_info.max
_SCALARS = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
}
_ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


def declare(node: Node, cls: type[T]) -> T:
    """Declare every field of the parameter dataclass ``cls`` on ``node`` and read them once.

    Fields are bool, int, float, str, a ``Literal`` of strings, or a list or tuple of one of them; a field that is a
    parameter dataclass itself becomes parameters with its name and a point before theirs. They are read-only
    afterwards, but for those that are changeable (see :func:`on_change`). An integer is taken for a float.

    Raises:
        CadsightError: naming the node, the parameter, its value and what was allowed; a given parameter that is none
            of ``cls`` and none of rclpy's own is refused with the nearest names.
    """
    names: list[str] = []
    values = _declared_section(node, cls, "", names)
    _refuse_strangers(node, names)
    return from_mapping(cls, values, node.get_fully_qualified_name())


def on_change(node: Node, cls: type, changed: Callable[[str, Any], None]) -> None:
    """Call ``changed`` with name and value of each changeable parameter of ``cls`` that is set while ``node`` runs.

    A value that :func:`declare` would refuse is refused with the same sentence, and changes nothing.
    """
    names = {field.name for field in dataclasses.fields(cls) if field.metadata.get("changeable")}

    def check(parameters: list[Parameter[Any]]) -> SetParametersResult:
        try:
            for one in parameters:
                if one.name in names:
                    checked(cls, one.name, one.value)
        except CadsightError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def apply(parameters: list[Parameter[Any]]) -> None:
        for one in parameters:
            if one.name in names:
                changed(one.name, checked(cls, one.name, one.value))

    node.add_on_set_parameters_callback(check)
    node.add_post_set_parameters_callback(apply)


def _declared_section(node: Node, cls: type, prefix: str, names: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint, name = hints[field.name], prefix + field.name
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            values[field.name] = _declared_section(node, hint, f"{name}.", names)
            continue
        names.append(name)
        kind = _ros_type(hint, f"{cls.__name__}.{field.name}")
        values[field.name] = _widened(_declared(node, field, name, kind), kind)
    return values


def _declared(node: Node, field: "dataclasses.Field[Any]", name: str, kind: Parameter.Type) -> Any:
    default = field.default if field.default is not dataclasses.MISSING else None
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if isinstance(default, tuple):
        default = list(default)
    if node.has_parameter(name):  # `use_sim_time` is every node's own
        return node.get_parameter(name).value
    descriptor = _descriptor(field, name, kind)
    try:
        return node.declare_parameter(name, default, descriptor).value
    except InvalidParameterValueException:
        # Out of range for ROS; without its limits the value comes through to our own check and its sentence.
        descriptor.integer_range, descriptor.floating_point_range = [], []
        return node.declare_parameter(name, default, descriptor).value


def _descriptor(field: "dataclasses.Field[Any]", name: str, kind: Parameter.Type) -> ParameterDescriptor:
    metadata = field.metadata
    minimum, maximum, choices = (metadata.get(k) for k in ("minimum", "maximum", "choices"))
    # Dynamic, so that a value of another type reaches our own check and its sentence; read-only holds it there.
    descriptor = ParameterDescriptor(
        name=name,
        type=kind.value,
        description=metadata.get("description", ""),
        read_only=not metadata.get("changeable", False),
        dynamic_typing=True,
    )
    if choices is not None:
        descriptor.additional_constraints = f"one of {', '.join(map(str, choices))}"
    if minimum is None and maximum is None:
        return descriptor
    if kind is Parameter.Type.INTEGER:
        low = -_INTEGER_LIMIT if minimum is None else int(minimum)
        high = _INTEGER_LIMIT if maximum is None else int(maximum)
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=2 if metadata.get("odd") else 1)]
    elif kind is Parameter.Type.DOUBLE:
        low_, high_ = (
            -_FLOAT_LIMIT if minimum is None else float(minimum),
            _FLOAT_LIMIT if maximum is None else float(maximum),
        )
        descriptor.floating_point_range = [FloatingPointRange(from_value=low_, to_value=high_, step=0.0)]
    else:
        limits = (
            f"at least {minimum:g}" if minimum is not None else "",
            f"at most {maximum:g}" if maximum is not None else "",
        )
        descriptor.additional_constraints = "each " + " and ".join(filter(None, limits))
    return descriptor


def _ros_type(hint: Any, what: str) -> Parameter.Type:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if origin is typing.Literal and all(isinstance(a, str) for a in arguments):
        return Parameter.Type.STRING
    elements = {a for a in arguments if a is not Ellipsis}
    if origin in (list, tuple) and len(elements) == 1 and (element := elements.pop()) in _ARRAYS:
        return _ARRAYS[element]
    raise TypeError(f"{what} is {hint}, which no ROS parameter can hold")


def _widened(value: Any, kind: Parameter.Type) -> Any:
    if kind not in _ARRAYS.values():
        return value
    if value is None:  # how an empty list in YAML arrives
        return []
    if isinstance(value, str | int | float | bytes):
        return value
    widen = kind is Parameter.Type.DOUBLE_ARRAY
    return [float(v) if widen and isinstance(v, int) and not isinstance(v, bool) else v for v in value]


def _refuse_strangers(node: Node, known: Sequence[str]) -> None:
    """Refuse a parameter that nobody reads: a misspelt name is the commonest wrong parameter.

    What rclpy declares itself, such as ``use_sim_time``, is there by now; QoS overrides come with their publishers.

    Raises:
        CadsightError: naming the first of them and the names that are nearest to it.
    """
    for name in sorted(getattr(node, "_parameter_overrides", {})):
        if node.has_parameter(name) or name.startswith("qos_overrides."):
            continue
        expected = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)
        one_of = "one of " if len(expected) > 1 else ""
        raise CadsightError(
            f"{node.get_fully_qualified_name()}: the parameter {name} is none of this node's, "
            f"expected {one_of}{', '.join(expected)}"
        )
