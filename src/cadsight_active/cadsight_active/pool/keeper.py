"""Brings images and what was seen in them together, and goes on when the disk does not: what a node has a pool do."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb

from cadsight_active.pool.pool import Decision, Pool
from cadsight_active.pool.seen import Seen

T = TypeVar("T")

# Images that wait for what was seen in them: as many as come while a slow model infers.
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
    """Offers a pool the images whose results come, by their stamps.

    An image comes before its result. Stamps are compared for equality alone and time is taken from a clock that never
    goes back, so a camera's or a machine's clock may be set back.

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
        names = ("kept", "duplicate", "known", "full", "too_soon", "unmatched", "refused")
        self._counts = dict.fromkeys(names, 0)
        self._trouble = ""

    def image(self, stamp_ns: int, image: T) -> None:
        """An image came; it waits for what is seen in it."""
        with self._lock:
            # Of two with one stamp, as after a clock was set back, the result is of the later one.
            self._waiting[stamp_ns] = image
            self._waiting.move_to_end(stamp_ns)
            if len(self._waiting) > _WAITING:
                self._waiting.popitem(last=False)
                self._counts["unmatched"] += 1

    def seen(self, seen: Seen) -> Decision | None:
        """A result came: what becomes of its image; None where nothing does. Not for two threads at once."""
        with self._lock:
            image = self._waiting.pop(seen.stamp_ns, None)
            now = self._clock()
            if image is None:
                self._counts["unmatched"] += 1
                return None
            if self._last is not None and now - self._last < self._least_s:
                self._counts["too_soon"] += 1
                return None
            self._last = now
        try:
            decision = self._pool.offer(self._to_image(image), seen)
        except CadsightError as error:
            with self._lock:
                self._counts["refused"] += 1
                self._trouble = str(error)
            return None
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
