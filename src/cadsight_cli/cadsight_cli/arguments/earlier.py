"""Options that had another name in an earlier version: they go on working, with a notice."""

import argparse
import sys
from typing import Any


def add_earlier(parser: argparse.ArgumentParser, earlier: str, option: argparse.Action) -> None:
    """Let the flag ``earlier`` do what ``option`` does; it is in no help text."""
    parser.add_argument(
        earlier, action=_Earlier, now=option.option_strings[-1], dest=option.dest, type=option.type or str,
        choices=option.choices, metavar=option.metavar, default=argparse.SUPPRESS, help=argparse.SUPPRESS,
    )  # fmt: skip


class _Earlier(argparse.Action):
    def __init__(self, *, now: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._now = now

    def __call__(
        self, _parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        print(f"cadsight: {flag} is called {self._now} now", file=sys.stderr)
        setattr(namespace, self.dest, values)
