"""Finds the subcommand, parses its arguments and runs it."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence

from cadsight_core.errors import CadsightError

from cadsight_cli import commands


def names() -> list[str]:
    """The modules of `cadsight_cli.commands`, which are the subcommands."""
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__) if not module.name.startswith("_"))


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the subcommand named in `arguments`; all of them when none is, as for `--help`."""
    parser = argparse.ArgumentParser(
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
    parsed = build_parser(words).parse_args(words)
    try:
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
