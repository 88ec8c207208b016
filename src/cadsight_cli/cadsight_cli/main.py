"""Finds the subcommand, parses its arguments and runs it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cadsight_core.errors import CadsightError

from cadsight_cli import commands
from cadsight_cli.arguments.types import text

# Set by the shell's function that argcomplete writes.
_COMPLETING = "_ARGCOMPLETE"


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the words that it is given, and takes no empty ones.

    Attributes:
        default_action: the sub-command that is meant where the first word names none.
    """

    default_action: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # Where the first word is still to be completed, it may become any of them.
        if self.default_action is not None and args is not None and not (_COMPLETING in os.environ and not args):
            known = next(a.choices for a in self._actions if isinstance(a, argparse._SubParsersAction))
            if not args or args[0] not in (*known, "-h", "--help"):
                args = [self.default_action, *args]
        return super().parse_known_args(args, namespace)

    def add_argument(self, *flags: Any, **settings: Any) -> argparse.Action:
        if not settings.keys() & {"type", "choices"} and settings.get("action", "append") == "append":
            settings["type"] = text
        return super().add_argument(*flags, **settings)

    def error(self, message: str) -> NoReturn:
        raise CadsightError(f"{message}; see {self.prog} --help")


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the subcommand named in `arguments`; all of them when none is, as for `--help`."""
    parser = Parser(
        prog="cadsight", description="From a CAD model and a robot cell to a detector and a surface-normal model."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    known = commands.modules()
    first = next((word for word in arguments if not word.startswith("-")), None)
    for name in [first] if first in known else known:
        importlib.import_module(known[name]).add_parser(subparsers)
    return parser


def complete() -> NoReturn:
    """Answer the shell that asks how the words of ``COMP_LINE`` may go on, and end (see env.sh)."""
    import argcomplete

    argcomplete.autocomplete(build_parser(os.environ["COMP_LINE"].split()[1:2]), always_complete_options="long")
    raise SystemExit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: what the subcommand returns, 2 for an error that the user can mend, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and _COMPLETING in os.environ:
        complete()
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
