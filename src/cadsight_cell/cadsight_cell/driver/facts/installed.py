"""What an installed driver understands, and what our launch files give to it."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError

from cadsight_cell.driver.facts.driver_facts import Driver


@dataclass(frozen=True)
class InstalledDriver:
    """A driver as it lies on this machine; ``controllers`` is empty where it has no file of them."""

    version: str
    arguments: frozenset[str]
    controllers: frozenset[str]


def installed(driver: Driver, share: Path) -> InstalledDriver:
    """Read a driver's share folder; nothing of it is run.

    Raises:
        CadsightError: when a file of it is missing, or is not what its name says.
    """
    arguments = frozenset().union(*(arguments_of(share / name) for name in driver.launch_files))
    controllers = controllers_of(share / driver.controllers_file) if driver.controllers_file else frozenset()
    found = re.search(r"<version>\s*([^<\s]+)\s*</version>", _text(share / "package.xml"))
    if found is None:
        raise CadsightError(f"{share / 'package.xml'} names no version, expected <version>")
    return InstalledDriver(found[1], arguments, controllers)


def arguments_of(launch_file: Path) -> frozenset[str]:
    """The arguments that a launch file in Python declares: one by one, or as a list of dicts with name and default.

    Raises:
        CadsightError: when the file is missing or no Python, or declares none.
    """
    try:
        tree = ast.parse(_text(launch_file))
    except SyntaxError as error:
        raise CadsightError(f"{launch_file} is no Python ({error}), expected a launch file") from error
    names = frozenset(_declared(tree))
    if not names:
        raise CadsightError(f"{launch_file} declares no argument, expected a launch file with some")
    return names


def _declared(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
            if function == "DeclareLaunchArgument":
                yield from _word(given[0])
        elif isinstance(node, ast.Dict):
            values = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
            if "default" in values and "name" in values:
                yield from _word(values["name"])


def _word(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def controllers_of(file: Path) -> frozenset[str]:
    """The controllers that the parameters of a controller manager name with their types.

    Raises:
        CadsightError: when the file is missing or names none.
    """
    names = frozenset(re.findall(r"^ +([\w.]+):[ \t]*\n +type:[ \t]*\S", _text(file), re.MULTILINE))
    if not names:
        raise CadsightError(f"{file} names no controller, expected the parameters of a controller manager")
    return names


def passed(launch_file: Path, package: str) -> frozenset[str]:
    """The launch arguments that one of our launch files in XML gives to a driver's, in the group that includes it.

    A variable that is only there for another one of the group is none.
    """
    names: set[str] = set()
    for group in ElementTree.parse(launch_file).iter("group"):
        if any(f"find-pkg-share {package})" in each.get("file", "") for each in group.findall("include")):
            lets = group.findall("let")
            used = set(re.findall(r"\$\(var ([\w.]+)\)", " ".join(each.get("value", "") for each in lets)))
            given = {each.get("name", "") for each in [*group.findall("keep"), *lets, *group.findall("include/arg")]}
            names |= given - used
    return frozenset(names)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CadsightError(f"cannot read {file} ({error.strerror}), expected a file of the driver") from error
