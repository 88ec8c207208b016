"""How many of something come in a second, and whether that is fewer than was asked for."""

import threading
from collections import deque

# Fewer than this fraction of what was asked for are too few: drivers round, and a stamp may be late.
_ENOUGH = 0.8
# Fewer images tell no rate.
_FEWEST = 5


class Rate:
    """Counts by moments that are given to it, over the latest ``span_s`` seconds of them; safe between threads.

    Args:
        asked: so many a second; 0: nothing is too few.
    """

    def __init__(self, asked: float = 0.0, span_s: float = 5.0) -> None:
        self._asked, self._span_s = asked, span_s
        self._moments: deque[float] = deque()
        self._lock = threading.Lock()
        self._told = False

    def came(self, seconds: float) -> None:
        """One came at ``seconds`` of any clock; one that goes back begins anew."""
        with self._lock:
            if self._moments and seconds <= self._moments[-1]:
                self._moments.clear()
            self._moments.append(seconds)
            while len(self._moments) > _FEWEST and seconds - self._moments[0] > self._span_s:
                self._moments.popleft()

    @property
    def per_second(self) -> float | None:
        """The rate; None until enough came."""
        with self._lock:
            if len(self._moments) < _FEWEST:
                return None
            return (len(self._moments) - 1) / (self._moments[-1] - self._moments[0])

    @property
    def shortfall(self) -> str:
        """``5.0 images a second for 15 asked`` where too few come, else nothing."""
        rate = self.per_second
        if not self._asked or rate is None or rate >= _ENOUGH * self._asked:
            return ""
        return f"{rate:.1f} images a second for {self._asked:g} asked"

    def falls_short(self) -> bool:
        """Whether too few come: True once until enough come again."""
        short = bool(self.shortfall)
        news = short and not self._told
        self._told = short
        return news
