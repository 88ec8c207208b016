"""Reads a launch file into the list of processes that it starts."""

from __future__ import annotations

import shlex
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cadsight_core.config.yaml_file import parse_yaml
from cadsight_core.errors import CadsightError

from cadsight_cli.launching.substitutions import Scope, expand, truth


@dataclass(frozen=True)
class Argument:
    """An argument that a launch file declares. `default` is as written, before substitution; None means required."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """One process. `parameters` are files and single values, in the order in which later ones win.

    ``respawn_s``: begun anew so many seconds after its end; None where it is not.
    """

    package: str
    executable: str
    name: str | None
    namespace: str | None
    arguments: tuple[str, ...]
    parameters: tuple[Path | Mapping[str, object], ...]
    remappings: tuple[tuple[str, str], ...]
    environment: Mapping[str, str]
    required: bool
    respawn_s: float | None = None

    @property
    def full_name(self) -> str | None:
        if self.name is None:
            return None
        return f"/{(self.namespace or '').strip('/')}/{self.name}".replace("//", "/")


# The attributes of each tag; whatever else stands in a file is refused, since leaving it out would change what it does.
_CONDITIONS = {"if", "unless"}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "launch": set(),
    "arg": {"name", "default", "description"},
    "choice": {"value"},
    "let": {"name", "value"} | _CONDITIONS,
    "set_env": {"name", "value"} | _CONDITIONS,
    "include": {"file"} | _CONDITIONS,
    "group": {"scoped", "forwarding"} | _CONDITIONS,
    "keep": {"name", "value"},
    "node": {"pkg", "exec", "name", "namespace", "args", "output", "on_exit", "respawn", "respawn_delay"} | _CONDITIONS,
    "param": {"name", "value", "type", "from"},
    "remap": {"from", "to"},
    "env": {"name", "value"},
}
_CHILDREN: Mapping[str, set[str]] = {
    "launch": {"arg", "let", "set_env", "include", "group", "node"},
    "group": {"keep", "let", "set_env", "include", "group", "node"},
    "arg": {"choice"},
    "include": {"arg"},
    "node": {"param", "remap", "env"},
}
_TYPES: Mapping[str, Callable[[str], object]] = {"str": str, "int": int, "float": float}
# An argument that is handed to an included file has a value instead of a default.
_INCLUDED_ARG = {"name", "value"}


@dataclass
class _Reader:
    scope: Scope
    environment: Mapping[str, str]
    nodes: list[Node] = field(default_factory=list)

    def read(self, file: Path) -> None:
        root = parse(file)
        _Evaluation(self, file).children(root)


def parse(file: Path) -> ElementTree.Element:
    """The checked XML tree of a launch file."""
    if not file.name.endswith(".launch.xml"):
        raise CadsightError(
            f"{file} is no XML launch file (NAME.launch.xml); ROS's own `ros2 launch` starts the other kinds"
        )
    try:
        root = ElementTree.parse(file).getroot()
    except OSError as error:
        raise CadsightError(f"the launch file {file} cannot be read: {error.strerror}") from None
    except ElementTree.ParseError as error:
        raise CadsightError(f"the launch file {file} is no XML: {error}") from None
    if root.tag != "launch":
        raise CadsightError(f"{file.name}: the outermost tag is <{root.tag}>; <launch> is expected")
    _check(root, file)
    return root


def arguments(file: Path) -> tuple[Argument, ...]:
    """The arguments that `file` declares."""
    return tuple(
        Argument(
            element.attrib["name"],
            element.get("default"),
            element.get("description", ""),
            tuple(choice.attrib["value"] for choice in element.findall("choice")),
        )
        for element in parse(file).findall("arg")
    )


def read(file: Path, given: Mapping[str, str], environment: Mapping[str, str]) -> list[Node]:
    """The processes that `file` starts with the arguments `given`; CadsightError for what it does not declare."""
    declared = [argument.name for argument in arguments(file)]
    for name in given:
        if name not in declared:
            raise CadsightError(f"{file.name} has no argument {name!r}; it has {', '.join(declared) or 'none'}")
    reader = _Reader(Scope(dict(given), dict(environment)), environment)
    reader.read(file)
    return reader.nodes


def _check(element: ElementTree.Element, file: Path, parent: str = "") -> None:
    allowed = _INCLUDED_ARG if (parent, element.tag) == ("include", "arg") else _ATTRIBUTES[element.tag]
    for attribute in element.attrib:
        if attribute not in allowed:
            raise CadsightError(
                f"{file.name}: the attribute {attribute!r} of <{element.tag}> is not known to `cadsight launch`; "
                f"known are {', '.join(sorted(allowed)) or 'none'}"
            )
    children = _CHILDREN.get(element.tag, set()) if parent != "include" else set()
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if child.tag not in children:
            raise CadsightError(
                f"{file.name}: the tag <{child.tag}> inside <{element.tag}> is not known to `cadsight launch`; "
                f"known are {', '.join(sorted(children)) or 'none'}"
            )
        _check(child, file, element.tag)
    missing = {"arg": ["name"], "let": ["name", "value"], "set_env": ["name", "value"], "env": ["name", "value"]}
    missing |= {"keep": ["name", "value"]}
    missing |= {"include": ["file"], "node": ["pkg", "exec"], "remap": ["from", "to"], "choice": ["value"]}
    for attribute in missing.get(element.tag, []):
        if attribute not in element.attrib:
            raise CadsightError(f"{file.name}: a <{element.tag}> has no {attribute!r}")


@dataclass
class _Evaluation:
    """One file being read; `reader` goes on from file to file."""

    reader: _Reader
    file: Path

    def text(self, value: str) -> str:
        return expand(value, self.reader.scope, self.file)

    def holds(self, element: ElementTree.Element) -> bool:
        where = f"the condition of a <{element.tag}>"
        for attribute, expected in (("if", True), ("unless", False)):
            condition = element.get(attribute)
            if condition is not None and truth(condition, self.reader.scope, self.file, where) is not expected:
                return False
        return True

    def children(self, parent: ElementTree.Element) -> None:
        handlers = {
            "arg": self.arg,
            "let": self.let,
            "set_env": self.set_env,
            "include": self.include,
            "group": self.group,
            "keep": self.keep,
            "node": self.node,
        }
        for element in parent:
            if isinstance(element.tag, str) and self.holds(element):
                handlers[element.tag](element)

    def arg(self, element: ElementTree.Element) -> None:
        name = element.attrib["name"]
        variables = self.reader.scope.variables
        if name not in variables:
            default = element.get("default")
            if default is None:
                raise CadsightError(f"{self.file.name} needs the argument {name!r}: give {name}:=VALUE")
            variables[name] = self.text(default)
        choices = [choice.attrib["value"] for choice in element.findall("choice")]
        if choices and variables[name] not in choices:
            raise CadsightError(f"{self.file.name}: {name} is {variables[name]!r}; {' or '.join(choices)} is expected")

    def let(self, element: ElementTree.Element) -> None:
        self.reader.scope.variables[self.text(element.attrib["name"])] = self.text(element.attrib["value"])

    def set_env(self, element: ElementTree.Element) -> None:
        self.reader.scope.environment[self.text(element.attrib["name"])] = self.text(element.attrib["value"])

    def include(self, element: ElementTree.Element) -> None:
        # As in ROS: what an included file is given and sets stays for the rest of the file around it.
        for child in element.findall("arg"):
            self.let(child)
        self.reader.read(Path(self.text(element.attrib["file"])))

    def group(self, element: ElementTree.Element) -> None:
        """As ROS's GroupAction: what is kept is evaluated outside; without forwarding nothing else comes in."""
        outside = self.reader.scope
        kept = {self.text(k.attrib["name"]): self.text(k.attrib["value"]) for k in element.findall("keep")}
        scoped = self.flag(element, "scoped")
        if scoped and self.flag(element, "forwarding"):
            self.reader.scope = outside.copy()
        elif scoped:
            self.reader.scope = Scope({}, dict(self.reader.environment))
        self.reader.scope.variables.update(kept)
        self.children(element)
        self.reader.scope = outside

    def flag(self, element: ElementTree.Element, name: str) -> bool:
        return truth(element.get(name, "true"), self.reader.scope, self.file, f"{name} of a <{element.tag}>")

    def keep(self, element: ElementTree.Element) -> None:
        """Was read before the rest of its group."""

    def node(self, element: ElementTree.Element) -> None:
        on_exit = element.get("on_exit")
        if on_exit not in (None, "shutdown"):
            raise CadsightError(f"{self.file.name}: on_exit is {on_exit!r}; only 'shutdown' is known")
        environment = dict(self.reader.scope.environment)
        for child in element.findall("env"):
            environment[self.text(child.attrib["name"])] = self.text(child.attrib["value"])
        name, namespace = element.get("name"), element.get("namespace")
        self.reader.nodes.append(
            Node(
                self.text(element.attrib["pkg"]),
                self.text(element.attrib["exec"]),
                None if name is None else self.text(name),
                None if namespace is None else self.text(namespace),
                tuple(self.text(word) for word in shlex.split(element.get("args", ""))),
                tuple(self.parameter(child) for child in element.findall("param")),
                tuple(
                    (self.text(child.attrib["from"]), self.text(child.attrib["to"]))
                    for child in element.findall("remap")
                ),
                environment,
                required=on_exit == "shutdown",
                respawn_s=self.respawn(element),
            )
        )

    def respawn(self, element: ElementTree.Element) -> float | None:
        scope = self.reader.scope
        if not truth(element.get("respawn", "false"), scope, self.file, f"respawn of a <{element.tag}>"):
            return None
        delay = self.text(element.get("respawn_delay", "0.0"))
        try:
            seconds = float(delay)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise CadsightError(f"{self.file.name}: respawn_delay is {delay!r}; a number of seconds is expected")
        return seconds

    def parameter(self, element: ElementTree.Element) -> Path | Mapping[str, object]:
        if "from" in element.attrib and not {"name", "value", "type"} & set(element.attrib):
            file = Path(self.text(element.attrib["from"]))
            if not file.is_file():
                raise CadsightError(f"{self.file.name}: the parameter file {file} is not there")
            return file
        if not {"name", "value"} <= set(element.attrib) or "from" in element.attrib:
            raise CadsightError(f"{self.file.name}: a <param> has either 'from' or 'name' and 'value'")
        name, value = self.text(element.attrib["name"]), self.text(element.attrib["value"])
        kind = element.get("type")
        if kind is None:
            return {name: parse_yaml(value, f"{self.file.name}: the value of {name!r}")}
        if kind not in _TYPES:
            raise CadsightError(
                f"{self.file.name}: the type {kind!r} of {name!r} is not known; known are {', '.join(_TYPES)}"
            )
        try:
            return {name: _TYPES[kind](value)}
        except ValueError:
            raise CadsightError(
                f"{self.file.name}: the parameter {name!r} is {value!r}; type {kind} is expected"
            ) from None
