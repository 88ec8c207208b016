"""The `$(...)` of launch files: var, env, dirname, find-pkg-share and equals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cadsight_core.errors import CadsightError

KNOWN = ("dirname", "env", "equals", "find-pkg-share", "var")
_TRUE = ("true", "1")
_FALSE = ("false", "0")


@dataclass
class Scope:
    """What a launch file sees: its arguments and variables, and the environment of the nodes that it starts."""

    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Scope:
        return Scope(dict(self.variables), dict(self.environment))


def expand(text: str, scope: Scope, file: Path) -> str:
    """`text` with its substitutions done, inner ones first; CadsightError names the one that cannot be done."""
    done: list[str] = []
    position = 0
    while (start := text.find("$(", position)) >= 0:
        done.append(text[position:start])
        end = _closing(text, start + 1, file)
        done.append(_substitute(text[start + 2 : end], scope, file))
        position = end + 1
    done.append(text[position:])
    return "".join(done)


def truth(text: str, scope: Scope, file: Path, where: str) -> bool:
    """The value of an `if` or `unless`."""
    value = expand(text, scope, file).strip()
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise CadsightError(f"{file.name}: {where} is {value!r}; true or false is expected")


def _closing(text: str, opening: int, file: Path) -> int:
    depth = 0
    for index in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    raise CadsightError(f"{file.name}: {text!r} opens a substitution and does not close it")


def _substitute(inside: str, scope: Scope, file: Path) -> str:
    name, _, rest = inside.strip().partition(" ")
    rest = rest.strip()
    if name == "dirname" and not rest:
        return str(file.parent)
    if name == "var" and rest:
        return _variable(expand(rest, scope, file), scope.variables, file)
    if name == "env" and rest:
        return _environment_variable(rest, scope, file)
    if name == "equals" and rest:
        words = [expand(word, scope, file) for word in _words(rest)]
        if len(words) != 2:
            raise CadsightError(f"{file.name}: $(equals ...) compares two words; {rest!r} is not two")
        return str(words[0] == words[1]).lower()
    if name == "find-pkg-share" and rest:
        package = expand(rest, scope, file)
        try:
            return get_package_share_directory(package)
        except (PackageNotFoundError, ValueError):
            raise CadsightError(f"{file.name}: the package {package!r} is not installed") from None
    raise CadsightError(f"{file.name}: $({inside}) is not known to `cadsight launch`; known are {', '.join(KNOWN)}")


def _words(text: str) -> list[str]:
    """The words of a substitution as they are written: blanks inside of another one divide nothing."""
    words, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character.isspace() and not depth:
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]


def _variable(name: str, variables: Mapping[str, str], file: Path) -> str:
    if name not in variables:
        raise CadsightError(f"{file.name}: the argument or variable {name!r} has no value; give {name}:=VALUE")
    return variables[name]


def _environment_variable(rest: str, scope: Scope, file: Path) -> str:
    name, separator, default = rest.partition(" ")
    if name in scope.environment:
        return scope.environment[name]
    if not separator:
        raise CadsightError(
            f"{file.name}: the environment variable {name!r} is not set, and there is no default for it"
        )
    return expand(default.strip().strip("'\""), scope, file)
