"""`cadsight launch`: starts our launch files without ROS's own launch."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from cadsight_core.errors import CadsightError


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "launch",
        help="start a launch file",
        description="Start an XML launch file: a path, or the name of one of ours (workcell, cell, capture, "
        "perception, replay). Where ROS has its launch, `ros2 launch cadsight NAME.launch.xml` starts the same files.",
    )
    parser.add_argument("file", metavar="FILE", help="path of a launch file, or the name of one of ours")
    parser.add_argument("given", metavar="ARG:=VALUE", nargs="*", help="arguments of the launch file")
    parser.add_argument("-s", "--show-args", action="store_true", help="print the file's arguments and start nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.launching import plan, processes

    file = find(args.file)
    if args.show_args:
        print(describe(plan.arguments(file)))
        return 0
    return processes.run(plan.read(file, parse_given(args.given), os.environ))


def find(name: str) -> Path:
    """The file called `name`, or the one of our share folder with that name."""
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    path = Path(name)
    if path.is_file():
        return path.resolve()
    if len(path.parts) > 1:
        raise CadsightError(f"the launch file {name} is not there")
    try:
        folder = Path(get_package_share_directory("cadsight")) / "launch"
    except PackageNotFoundError:
        raise CadsightError("the package 'cadsight' is not built; run `make setup`") from None
    for candidate in (folder / name, folder / f"{name}.launch.xml"):
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(file.name.removesuffix(".launch.xml") for file in folder.glob("*.launch.xml")))
    raise CadsightError(f"there is no launch file {name!r}; there are {known}")


def parse_given(words: list[str]) -> dict[str, str]:
    """`["a:=1"]` as `{"a": "1"}`."""
    given = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise CadsightError(f"{word!r} is no argument of a launch file; NAME:=VALUE is expected")
        given[name] = value
    return given


def describe(arguments) -> str:
    lines = ["Arguments (NAME:=VALUE):"]
    for argument in arguments:
        default = "required" if argument.default is None else f"default {argument.default!r}"
        choices = f", one of {', '.join(argument.choices)}" if argument.choices else ""
        lines += ["", f"  {argument.name}  ({default}{choices})", f"      {argument.description}"]
    return "\n".join(lines)
