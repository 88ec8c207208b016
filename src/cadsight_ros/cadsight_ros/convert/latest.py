"""A slot of one between a callback and a worker: the newest waits, older ones are counted."""

import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds the newest item that was put in and not taken yet."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._received = self._dropped = 0

    @property
    def received(self) -> int:
        """How many items were put in."""
        return self._received

    @property
    def dropped(self) -> int:
        """How many items a newer one pushed out before they were taken."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether nobody wants further items."""
        return self._closed

    def put(self, item: T) -> None:
        """Put the newest item in; one that still waits is dropped."""
        with self._changed:
            self._received += 1
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item, waiting for one; None after the time-out or once closed."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self._item is None and not self._closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake whoever waits; an item that is still in can be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
