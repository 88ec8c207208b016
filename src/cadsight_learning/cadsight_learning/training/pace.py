"""How fast a training goes, and how long it takes from there."""

import statistics
import time
from collections import deque

# Enough to see what is usual, few enough to see it change.
_STEPS = 30
# The first step allocates and chooses kernels: it says nothing of those that follow.
_WARM_UP, _LEAST = 1, 3


class Pace:
    """Seconds of the steps of this process, and of its evaluating of epochs."""

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._evaluating = 0.0
        self._seen = 0
        self._last = time.monotonic()

    def begin(self) -> None:
        """What comes now is a step."""
        self._last = time.monotonic()

    def stepped(self) -> None:
        """A step is over, and the next begins."""
        now = time.monotonic()
        self._seen += 1
        if self._seen > _WARM_UP:
            self._steps.append(now - self._last)
        self._last = now

    def evaluated(self) -> None:
        """An epoch was evaluated since the last step."""
        self._evaluating = time.monotonic() - self._last

    @property
    def step(self) -> float | None:
        """Median seconds of the last steps, or None while too few were measured."""
        return statistics.median(self._steps) if len(self._steps) >= _LEAST else None

    def left(self, steps: int, epochs: int) -> float | None:
        """Seconds that ``steps`` and the evaluating of ``epochs`` take at this pace, or None as above."""
        return None if self.step is None else self.step * steps + self._evaluating * epochs
