"""Brings images and what was seen in them together, and goes on when the disk does not: what a node has a pool do."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb

from cadsight_active.pool.pool import Decision, Pool
from cadsight_active.pool.seen import Seen

T = TypeVar("T")

# Images that wait for what was seen in them, and the other way round: as many as come while a slow model infers.
_WAITING = 16


@dataclass(frozen=True)
class KeeperOptions:
    """How often the pool is asked."""

    max_hz: float = parameter(
        5.0, "images a second that the pool decides of at most; others are left out", minimum=0.01, maximum=1000.0
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class KeeperStatus:
    """What became of the images.

    Attributes:
        counts: how many were kept, duplicate, known or full by the pool's decision; too_soon by ``max_hz``; unmatched,
            whose result came without an image or not at all; refused, which were none or which the disk did not take.
        trouble: why the last one was not kept that should have been; empty where it was.
    """

    counts: dict[str, int]
    trouble: str


class Keeper(Generic[T]):
    """Offers a pool the images whose results come, by their stamps; either may come first.

    Stamps are compared for equality alone and time is taken from a clock that never goes back, so a camera's or a
    machine's clock may be set back.

    Args:
        to_image: makes the pixels (H, W, 3) of what was given as an image.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        pool: Pool,
        options: KeeperOptions,
        to_image: Callable[[T], Rgb],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool, self._to_image, self._clock = pool, to_image, clock
        self._least_s = 1.0 / options.max_hz
        self._last: float | None = None
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, T] = OrderedDict()
        self._early: OrderedDict[int, Seen] = OrderedDict()
        names = ("kept", "duplicate", "known", "full", "too_soon", "unmatched", "refused")
        self._counts = dict.fromkeys(names, 0)
        self._trouble = ""

    def image(self, stamp_ns: int, image: T) -> tuple[Seen, Decision] | None:
        """An image came: what was seen in it and what becomes of it; None where it waits for that. Not for two threads
        at once, :meth:`seen` included."""
        with self._lock:
            early = self._early.pop(stamp_ns, None)
            if early is None:
                self._wait(self._waiting, stamp_ns, image)
                return None
        return early, self._decided(image, early)

    def seen(self, seen: Seen) -> tuple[Seen, Decision] | None:
        """A result came: likewise; None where it waits for its image."""
        with self._lock:
            image = self._waiting.pop(seen.stamp_ns, None)
            if image is None:
                self._wait(self._early, seen.stamp_ns, seen)
                return None
        return seen, self._decided(image, seen)

    def _wait(self, waiting: OrderedDict[int, Any], stamp_ns: int, what: Any) -> None:
        # Of two with one stamp, as after a clock was set back, the later one counts.
        waiting[stamp_ns] = what
        waiting.move_to_end(stamp_ns)
        if len(waiting) > _WAITING:
            waiting.popitem(last=False)
            self._counts["unmatched"] += 1

    def _decided(self, image: T, seen: Seen) -> Decision:
        with self._lock:
            now = self._clock()
            if self._last is not None and now - self._last < self._least_s:
                self._counts["too_soon"] += 1
                return Decision("too_soon")
            self._last = now
        try:
            decision = self._pool.offer(self._to_image(image), seen)
        except CadsightError as error:
            with self._lock:
                self._counts["refused"] += 1
                self._trouble = str(error)
            return Decision("refused")
        with self._lock:
            self._counts[decision.verdict] += 1
            if decision.verdict == "full":
                self._trouble = (
                    f"the pool is full: its {self._pool.store.size_bytes} bytes are images in use or as informative, "
                    f"and max_bytes is {self._pool.options.max_bytes}, expected labels for them or a larger one"
                )
            elif decision.verdict == "kept":
                self._trouble = ""
        return decision

    def status(self) -> KeeperStatus:
        """Since the start; for any thread."""
        with self._lock:
            return KeeperStatus(dict(self._counts), self._trouble)
