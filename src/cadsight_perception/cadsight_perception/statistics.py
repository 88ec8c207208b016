"""What a node that looks counts and times; knows no ROS."""

import threading
import time
from collections import deque

import numpy as np

_RECENT = 1000


class Statistics:
    """Counts since activation, and times over the latest thousand frames; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {"processed": 0, "bad_messages": 0, "without_camera": 0, "errors": 0}
        self._latency: deque[float] = deque(maxlen=_RECENT)
        self._overhead: deque[float] = deque(maxlen=_RECENT)
        self._last_image = time.monotonic()

    def image_arrived(self) -> None:
        with self._lock:
            self._last_image = time.monotonic()

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def processed(self, latency_ms: float, overhead_ms: float) -> None:
        """A frame is done: time from its arrival to its results, and what of it was not in a model."""
        with self._lock:
            self._counts["processed"] += 1
            self._latency.append(latency_ms)
            self._overhead.append(overhead_ms)

    @property
    def silence_s(self) -> float:
        """Seconds since the latest image, or since the beginning."""
        with self._lock:
            return time.monotonic() - self._last_image

    def values(self) -> dict[str, float | int]:
        """Counts, and percentiles where there was a frame."""
        with self._lock:
            values: dict[str, float | int] = dict(self._counts)
            if self._latency:
                p50, p99 = np.percentile(self._latency, (50, 99))
                values |= {"latency_ms_p50": float(p50), "latency_ms_p99": float(p99)}
                values["overhead_ms_p50"] = float(np.median(self._overhead))
            return values
