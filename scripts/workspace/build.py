"""Our own packages, built by colcon so that the sources stay where they are (--symlink-install)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from workspace.environment import with_byte_code
from workspace.say import call, say

_BUILD_FILES = ("package.xml", "CMakeLists.txt", "setup.py", "setup.cfg", "*.msg", "*.srv", "*.action")


def inputs(root: Path) -> list[Path]:
    """The files whose contents decide what colcon builds; Python sources are linked, not copied, and need no build."""
    files = [root / "package.xml", root / "CMakeLists.txt", root / "colcon_defaults.yaml", root / "colcon.meta"]
    for pattern in _BUILD_FILES:
        files += (root / "src").rglob(pattern)
    return [file for file in files if file.is_file()]


def names(root: Path) -> Iterator[str]:
    """The names of linked data: a new file has to be linked, a changed one has not."""
    for folder in (root / "launch", root / "config"):
        yield from (str(path.relative_to(root)) for path in sorted(folder.rglob("*")) if path.is_file())
    for package in sorted((root / "src").glob("*/resource/*")):
        yield str(package.relative_to(root))


def build(root: Path, venv: Path, environment: Mapping[str, str]) -> None:
    say("Building our packages with colcon")
    call([venv / "bin/colcon", "build", "--symlink-install"], "building our packages", cwd=root, env=environment)
    compile_sources(root, venv, environment)


def compile_sources(root: Path, venv: Path, environment: Mapping[str, str]) -> None:
    """Byte code beside our linked sources; a second, once. Python makes a changed file's anew where it may."""
    command: list[str | Path] = [venv / "bin/python", "-m", "compileall", "-q", root / "src"]
    call(command, "compiling our sources to byte code", cwd=root, env=with_byte_code(environment))
