"""ROS domains that are held by one process of a machine at a time, so that runs beside each other never meet."""

import contextlib
import os
import socket
from collections.abc import Iterator
from functools import cache

from cadsight_core.errors import CadsightError

# Below 102: from there on Linux hands out the ports of a domain to anyone.
DOMAINS = range(1, 101)


@contextlib.contextmanager
def claimed_domain(first: int | None = None) -> Iterator[int]:
    """A domain that nobody else has claimed, until the body ends or the process dies.

    ``first`` is the one to try first, by default one that follows from the process's number.

    Raises:
        CadsightError: when all are claimed.
    """
    number, holder = _claim(os.getpid() if first is None else first - DOMAINS.start)
    with holder:
        yield number


def own_domain() -> int:
    """The domain of this process, the same one at each call and held until the process ends."""
    return _held()[0]


@cache
def _held() -> tuple[int, socket.socket]:
    return _claim(os.getpid())


def _claim(offset: int) -> tuple[int, socket.socket]:
    for step in range(len(DOMAINS)):
        number = DOMAINS[(offset + step) % len(DOMAINS)]
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # An abstract name: no file stays behind, and it is known where the ports of the domain are known.
            holder.bind(f"\0cadsight-domain-{number}")
        except OSError:
            holder.close()
        else:
            return number, holder
    raise CadsightError(
        f"every ROS domain from {DOMAINS[0]} to {DOMAINS[-1]} is claimed on this machine, expected a free one: "
        "end a run that uses one"
    )
