"""Images and crops made on demand, so that a set larger than the memory can be learned from."""

import os
from collections.abc import Callable
from typing import Protocol, TypeVar

from cadsight_core.datasets.derived import OneByOne

# What one training keeps in memory of the images that it learns from; small sets are kept whole.
_MOST_BYTES = 2 * 2**30


class HasBytes(Protocol):
    """What takes memory."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=HasBytes)


def training_bytes() -> int:
    """Bytes to keep of what is learned from: at most a quarter of the machine's memory."""
    return min(_MOST_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)


class OnDemand(OneByOne[T]):
    """``make(number)`` for each number below ``count``; the first ones that fit into ``keep`` bytes are kept.

    An epoch takes each once in a new order: whichever are kept, as large a part of them is found again, and kept ones
    need never make room.
    """

    def __init__(self, count: int, make: Callable[[int], T], keep: int) -> None:
        self._count, self._make, self._room = count, make, keep
        self._kept: dict[int, T] = {}

    def __len__(self) -> int:
        return self._count

    def item(self, number: int) -> T:
        if number in self._kept:
            return self._kept[number]
        made = self._make(number)
        if made.nbytes <= self._room:
            self._room -= made.nbytes
            self._kept[number] = made
        return made
