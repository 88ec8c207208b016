"""Options that do nothing beside others: they are refused, as whoever gave them expects that they count."""

import argparse
from collections.abc import Mapping
from typing import Any

from cadsight_core.errors import CadsightError


def refuse_idle(where: str, options: Mapping[str, Any]) -> None:
    """Refuse the first of ``options`` (flag to value; left out: None, False or empty) that was given.

    Args:
        where: why they do nothing, such as ``without --split``.

    Raises:
        CadsightError: naming the option and ``where``.
    """
    for flag, value in options.items():
        if value is not None and value is not False and value not in ("", [], ()):
            raise CadsightError(f"{flag} was given and does nothing {where}, expected it left out")


def workers_of(args: argparse.Namespace) -> int:
    """The number that ``--workers`` gives, 1 where it is left out; a cluster has workers of its own.

    Raises:
        CadsightError: when it came with ``--cluster``.
    """
    if args.cluster:
        refuse_idle("with --cluster, whose workers do the work", {"--workers": args.workers})
    return args.workers or 1
