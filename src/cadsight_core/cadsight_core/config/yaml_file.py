"""YAML as every file of ours and others' is read and written.

Read by the core rules of YAML 1.2, so that ``on``, ``no``, dates and ``1:30`` stay text; so do numbers that begin with
a zero, which are part numbers. Written so that readers of YAML 1.1, such as ROS's, read the same values.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from cadsight_core.errors import CadsightError

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
# Of each tag that a plain scalar may have: its form, and the characters that it may begin with.
_FORMS: tuple[tuple[str, "re.Pattern[str]", str], ...] = (
    ("null", re.compile(r"~|null|Null|NULL|"), "~nN\0"),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
)
# A file of a few lines can stand for more than any memory holds, by naming the same list again and again.
_MOST_VALUES = 1_000_000


class _DuplicateKeyError(yaml.MarkedYAMLError):
    """A mapping has a key twice."""

    def __init__(self, key: Any, first: int, second: int) -> None:
        super().__init__(problem=f"the key {key!r} is there twice")
        self.key, self.lines = key, (first + 1, second + 1)


class _Resolver(yaml.resolver.BaseResolver):
    """Decides the type of a plain scalar."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for _name, _form, _first in _FORMS:
    _whole = re.compile(f"(?:{_form.pattern})$")
    _Resolver.add_implicit_resolver(_TAG + _name, _whole, ["" if c == "\0" else c for c in _first])
_Resolver.add_implicit_resolver(_TAG + "merge", re.compile(r"<<$"), ["<"])


class _Constructor(yaml.constructor.SafeConstructor):
    """Makes values of nodes; of the tags that a file may write out, those of the core schema alone."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {}

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        if not _INT.fullmatch(text):
            raise yaml.constructor.ConstructorError(None, None, f"{text!r} is no whole number", node.start_mark)
        try:
            return int(text, 0)
        except ValueError as error:  # of more digits than Python reads
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        text = self.construct_scalar(node)
        if not _FLOAT.fullmatch(text):
            raise yaml.constructor.ConstructorError(None, None, f"{text!r} is no number", node.start_mark)
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        text = str(self.construct_scalar(node)).lower()
        if text not in ("true", "false"):
            raise yaml.constructor.ConstructorError(None, None, f"{text!r} is not true or false", node.start_mark)
        return text == "true"


for _name in ("null", "bool", "int", "float", "str", "seq", "map"):
    _Constructor.add_constructor(_TAG + _name, getattr(_Constructor, f"construct_yaml_{_name}"))
# What is left is refused.
_Constructor.yaml_constructors[None] = _Constructor.construct_undefined


class _Loader(
    yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer, _Constructor, _Resolver
):
    """Composes nodes and refuses a key that a mapping has twice."""

    def __init__(self, stream: str | bytes) -> None:
        yaml.reader.Reader.__init__(self, stream)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)
        _Constructor.__init__(self)
        _Resolver.__init__(self)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key = key_node.value if key_node.tag == _TAG + "merge" else self.construct_object(key_node)
            if key in lines:  # 1, 1.0 and true are one key of a dict
                raise _DuplicateKeyError(key, lines[key], key_node.start_mark.line)
            lines[key] = key_node.start_mark.line
        return node

    def single(self) -> yaml.Node | None:
        """The only document's root."""
        node: yaml.Node | None = self.get_single_node()
        if node is not None and _unfolded(node, {}) > _MOST_VALUES:
            raise yaml.MarkedYAMLError(problem=f"its aliases stand for more than {_MOST_VALUES} values")
        return node


def _unfolded(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for, its aliases followed."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST_VALUES + 1  # what one that holds itself stands for
    children = [n for pair in node.value for n in pair] if isinstance(node, yaml.MappingNode) else node.value
    known[id(node)] = 1 + sum(_unfolded(child, known) for child in children)
    return known[id(node)]


class _Dumper(yaml.SafeDumper):
    """Quotes each text that YAML 1.1 or 1.2 reads as something else; lists of plain values take one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        plain = not any(isinstance(v, list | tuple | dict) for v in data)
        return self.represent_sequence(_TAG + "seq", data, flow_style=plain)

    def represent_dict(self, data: Any) -> yaml.MappingNode:
        return self.represent_mapping(_TAG + "map", data, flow_style=not data)


for _name, _form, _first in _FORMS:
    _Dumper.add_implicit_resolver(
        _TAG + _name, re.compile(f"(?:{_form.pattern})$"), ["" if c == "\0" else c for c in _first]
    )
_Dumper.add_implicit_resolver(_TAG + "bool", re.compile(r"[yYnN]$"), list("yYnN"))
_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(tuple, _Dumper.represent_list)
_Dumper.add_representer(dict, _Dumper.represent_dict)


def compose_yaml(text: str | bytes, where: str) -> yaml.Node | None:
    """The root of the only document in ``text``, whose nodes know their lines; None of an empty one.

    Args:
        where: what the text is, as errors begin, such as ``the file a.yaml``.

    Raises:
        CadsightError: when it is not YAML, a mapping has a key twice, or its aliases unfold without measure.
    """
    return _reading(text, where)[1]


def node_value(node: yaml.Node, where: str) -> Any:
    """The plain value of a node of :func:`compose_yaml`.

    Raises:
        CadsightError: for a tag outside YAML's core schema.
    """
    try:
        return _Constructor().construct_document(node)
    except yaml.YAMLError as error:
        raise _refusal(error, where) from error


def parse_yaml(text: str | bytes, where: str) -> Any:
    """The plain value of ``text``; None of an empty one.

    Raises:
        CadsightError: as :func:`compose_yaml`, and for a tag outside YAML's core schema.
    """
    loader, node = _reading(text, where)
    try:
        return None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _refusal(error, where) from error


def read_yaml(path: str | Path, what: str = "the file ") -> Any:
    """The plain value of a file in UTF-8 or UTF-16, None of an empty one.

    Args:
        what: the file's kind, as errors begin.

    Raises:
        CadsightError: when it cannot be read, and as :func:`parse_yaml`.
    """
    return parse_yaml(yaml_bytes(path, what), f"{what}{path}")


def yaml_bytes(path: str | Path, what: str = "the file ") -> bytes:
    """What stands in a file.

    Raises:
        CadsightError: when it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for a name with a zero byte
        raise CadsightError(f"{what}{path} could not be read: {getattr(error, 'strerror', error)}") from error


def dump_yaml(data: Any) -> str:
    """YAML of plain values that reads as the same values by :func:`parse_yaml` and by readers of YAML 1.1."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000)
    return text


def _reading(text: str | bytes, where: str) -> tuple[_Loader, yaml.Node | None]:
    try:
        loader = _Loader(text)
        return loader, loader.single()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refusal(error, where) from error
    except RecursionError as error:
        raise CadsightError(f"{where} is nested too deeply, expected YAML of fewer levels") from error


def _refusal(error: Exception, where: str) -> CadsightError:
    if isinstance(error, _DuplicateKeyError):
        first, second = error.lines
        return CadsightError(
            f"{where} has the key {error.key!r} in line {first} and in line {second}, expected it once"
        )
    return CadsightError(f"{where} is not YAML: {' '.join(str(error).split())}, expected YAML 1.2")
