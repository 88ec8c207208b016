"""Finds the subcommand, parses its arguments and runs it."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cadsight_core.errors import CadsightError

from cadsight_cli import commands
from cadsight_cli.arguments.types import text


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the words that it is given, and takes no empty ones."""

    def add_argument(self, *flags: Any, **settings: Any) -> argparse.Action:
        if not settings.keys() & {"type", "choices"} and settings.get("action", "append") == "append":
            settings["type"] = text
        return super().add_argument(*flags, **settings)

    def error(self, message: str) -> NoReturn:
        raise CadsightError(f"{message}; see {self.prog} --help")


def names() -> list[str]:
    """The modules of `cadsight_cli.commands`, which are the subcommands."""
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__) if not module.name.startswith("_"))


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the subcommand named in `arguments`; all of them when none is, as for `--help`."""
    parser = Parser(
        prog="cadsight", description="From a CAD model and a robot cell to a detector and a surface-normal model."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    known = names()
    first = next((word for word in arguments if not word.startswith("-")), None)
    for name in [first] if first in known else known:
        importlib.import_module(f"cadsight_cli.commands.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: what the subcommand returns, 2 for an error that the user can mend, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = build_parser(words).parse_args(words)
        return int(parsed.run(parsed) or 0)
    except CadsightError as error:
        print(f"cadsight: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("cadsight: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # `cadsight ... | head` closed the pipe; Python would complain once more when it flushes at exit.
        sys.stdout = None
        return 141
