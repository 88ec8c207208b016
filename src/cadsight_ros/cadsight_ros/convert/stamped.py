"""The newest few items by their stamps, for a worker that has an image and wants what belongs to it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Stamped(Generic[T]):
    """Keeps the ``size`` items with the latest stamps. Stamps in nanoseconds."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._items: dict[int, T] = {}

    def put(self, stamp_ns: int, item: T) -> None:
        """Keep an item, in place of the one with the earliest stamp where there are too many."""
        with self._changed:
            self._items[stamp_ns] = item
            while len(self._items) > self._size:
                del self._items[min(self._items)]
            self._changed.notify_all()

    def wake(self) -> None:
        """Have whoever waits look again at what else may end the wait."""
        with self._changed:
            self._changed.notify_all()

    def at(self, stamp_ns: int, in_vain: Callable[[], bool], timeout_s: float = 1.0) -> T | None:
        """The item of this very stamp, or None.

        Waits for it as long as none so late has come, where any came at all; no longer than ``timeout_s``, and not
        once ``in_vain`` says so, which is asked after each change and each :meth:`wake`.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._items and max(self._items) < stamp_ns and not in_vain():
                if not self._changed.wait(max(end - time.monotonic(), 0.0)):
                    break
            return self._items.get(stamp_ns)
