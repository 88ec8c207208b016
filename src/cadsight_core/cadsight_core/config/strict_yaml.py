"""YAML files read into parameter dataclasses; what is wrong is refused with its file, line and key."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from cadsight_core.config.parameters import checked, current_name
from cadsight_core.config.yaml_file import compose_yaml, node_value, yaml_bytes
from cadsight_core.errors import CadsightError, ParameterError

T = TypeVar("T")
Key = str | int
# Makes a value of a type out of the value in the file and the file's folder, such as a path out of a name.
Readers = Mapping[Any, Callable[[Any, Path], Any]]


class Document:
    """One YAML file whose values know their lines."""

    def __init__(self, path: str | Path) -> None:
        """Read the file.

        Raises:
            CadsightError: when it cannot be read, is not YAML, has a key twice or holds something else than keys and
                values.
        """
        self.path = Path(path)
        node = compose_yaml(yaml_bytes(self.path), f"the file {self.path}")
        if not isinstance(node, yaml.MappingNode):
            raise CadsightError(f"the file {self.path} holds no keys and values, expected a mapping")
        self._root = node

    def value(self, key: str) -> Any:
        """The value of a key at the top of the file, None where it has none."""
        return next((self._plain(value) for name, value in self._root.value if name.value == key), None)

    def where(self, keys: Sequence[Key] = ()) -> str:
        """File, line and key of a value, such as ``box.yaml line 7, walls.height``; its holder's line if absent."""
        node: yaml.Node = self._root
        line = node.start_mark.line
        for key in keys:
            inner, at = _child(node, key)
            if inner is None:
                break
            node, line = inner, at
        return self._at(line, keys)

    def build(self, cls: type[T], readers: Readers | None = None) -> T:
        """The dataclass that the file describes; keys that it lacks have their defaults, those of a section the
        values that the section has as a default where it stands.

        Raises:
            CadsightError: for an unknown or missing key, a wrong type, a value out of range, or what the
                dataclass itself refuses, with file, line and key.
        """
        built: T = self._dataclass(self._root, cls, (), readers or {}, None)
        return built

    def _plain(self, node: yaml.Node) -> Any:
        return node_value(node, f"the file {self.path}")

    def _at(self, line: int, keys: Sequence[Key]) -> str:
        name = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")
        return f"{self.path} line {line + 1}" + (f", {name}" if name else "")

    def _build(self, node: yaml.Node, hint: Any, keys: tuple[Key, ...], readers: Readers, standing: Any = None) -> Any:
        """The value of type ``hint``, not yet checked where it is plain; ``standing`` is what holds without it."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType) and type(None) in arguments:
            if self._plain(node) is None:
                return None
            rest = [a for a in arguments if a is not type(None)]
            return self._build(node, rest[0], keys, readers, standing) if len(rest) == 1 else self._plain(node)
        if hint in readers:
            try:
                return readers[hint](self._plain(node), self.path.parent)
            except CadsightError as error:
                raise error.at(self._at(node.start_mark.line, keys)) from error
        if dataclasses.is_dataclass(hint):
            return self._dataclass(node, hint, keys, readers, standing)
        if (
            origin is tuple
            and len(arguments) == 2
            and arguments[1] is Ellipsis
            and _is_structured(arguments[0], readers)
        ):
            if not isinstance(node, yaml.SequenceNode):
                raise CadsightError(f"{self._at(node.start_mark.line, keys)} is {self._plain(node)!r}, expected a list")
            return tuple(self._build(n, arguments[0], (*keys, i), readers) for i, n in enumerate(node.value))
        return self._plain(node)

    def _dataclass(self, node: yaml.Node, cls: Any, keys: tuple[Key, ...], readers: Readers, standing: Any) -> Any:
        here = self._at(node.start_mark.line, keys)
        if not isinstance(node, yaml.MappingNode):
            raise CadsightError(f"{here} is {self._plain(node)!r}, expected keys and values of {cls.__name__}")
        hints = typing.get_type_hints(cls)
        fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
        values: dict[str, Any] = {}
        given = [self._plain(key_node) for key_node, _ in node.value]
        for key, (key_node, value_node) in zip(given, node.value, strict=True):
            at = key_node.start_mark.line
            name = current_name(fields, key, given, self._at(at, keys)) if isinstance(key, str) else key
            if not isinstance(name, str) or name not in fields:
                raise CadsightError(
                    f"{self._at(at, keys)} has the unknown key {name!r}, expected one of {', '.join(sorted(fields))}"
                )
            value = self._build(value_node, hints[name], (*keys, name), readers, _standing(fields[name], standing))
            try:
                values[name] = checked(cls, name, value)
            except CadsightError as error:
                raise error.at(self._at(at, (*keys, name))) from error
        for name, field in fields.items():
            missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if missing and name not in values:
                raise CadsightError(f"{here} lacks the key {name!r}: {field.metadata.get('description', '')}")
        kept = {name: getattr(standing, name) for name in fields} if isinstance(standing, cls) else {}
        try:
            return cls(**{**kept, **values})
        except CadsightError as error:
            named = error.parameter if isinstance(error, ParameterError) else None
            raise error.at(self.where((*keys, named)) if named in values else here) from error


def _standing(field: "dataclasses.Field[Any]", holder: Any) -> Any:
    """What holds of a field that the file does not name."""
    if holder is not None:
        return getattr(holder, field.name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _is_structured(hint: Any, readers: Readers) -> bool:
    return hint in readers or dataclasses.is_dataclass(hint)


def _child(node: yaml.Node, key: Key) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value, name.start_mark.line
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key].start_mark.line
    return None, 0
