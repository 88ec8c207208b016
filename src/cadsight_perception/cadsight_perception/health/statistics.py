"""What a node counts and times while it infers; knows no ROS."""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

_RECENT = 1000
# What is refused, and what it costs.
IMAGE, CAMERA, DEPTH = "were not processed", "had no normals", "had no depth for their markers"
APPROACH = "had no approach poses"


@dataclass(frozen=True)
class Trouble:
    """What was refused lately.

    Attributes:
        sentence: how many of how many, and why the latest.
        nothing: whether no image at all was processed.
    """

    sentence: str
    nothing: bool


class Statistics:
    """Counts since activation, and times over the latest thousand frames; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {"processed": 0, "bad_messages": 0, "without_camera": 0, "errors": 0}
        self._latency: deque[float] = deque(maxlen=_RECENT)
        self._overhead: deque[float] = deque(maxlen=_RECENT)
        self._last_image = time.monotonic()
        self._silence_reported = False
        self._done: deque[float] = deque(maxlen=_RECENT)
        self._refused: dict[str, deque[float]] = {
            kind: deque(maxlen=_RECENT) for kind in (IMAGE, CAMERA, DEPTH, APPROACH)
        }
        self._reasons: dict[str, str] = {}

    def image_arrived(self) -> float | None:
        """Returns how many seconds it had been silent if that was reported (see :meth:`falls_silent`), else None."""
        with self._lock:
            silence, reported = time.monotonic() - self._last_image, self._silence_reported
            self._last_image, self._silence_reported = time.monotonic(), False
            return silence if reported else None

    def resumed(self) -> None:
        """Images are listened to again; what was silent before does not count."""
        with self._lock:
            self._last_image, self._silence_reported = time.monotonic(), False

    def falls_silent(self, limit_s: float) -> bool:
        """Whether no image came for ``limit_s``: True once a silence."""
        with self._lock:
            news = not self._silence_reported and time.monotonic() - self._last_image > limit_s
            self._silence_reported |= news
            return news

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def refused(self, kind: str, reason: str) -> None:
        """An image lacks something, :data:`IMAGE` or another of this module's kinds; ``reason`` is a sentence."""
        with self._lock:
            self._refused[kind].append(time.monotonic())
            self._reasons[kind] = reason

    def processed(self, latency_ms: float, overhead_ms: float) -> None:
        """A frame is done: time from its arrival to its results, and the part of it outside the models."""
        with self._lock:
            self._counts["processed"] += 1
            self._latency.append(latency_ms)
            self._overhead.append(overhead_ms)
            self._done.append(time.monotonic())

    @property
    def silence_s(self) -> float:
        """Seconds since the latest image, or since the beginning."""
        with self._lock:
            return time.monotonic() - self._last_image

    def trouble(self, seconds: float) -> Trouble | None:
        """What was refused in the latest ``seconds``, the worst of it, or None."""
        with self._lock:
            since = time.monotonic() - seconds
            done, lost = _later(self._done, since), _later(self._refused[IMAGE], since)
            for kind, times in self._refused.items():
                if count := _later(times, since):
                    sentence = (
                        f"{count} of {done + lost} images of the last {seconds:g} s {kind}: {self._reasons[kind]}"
                    )
                    return Trouble(sentence, nothing=kind == IMAGE and not done)
            return None

    def values(self) -> dict[str, float | int]:
        """Counts, and percentiles where there was a frame."""
        with self._lock:
            values: dict[str, float | int] = dict(self._counts)
            if self._latency:
                p50, p99 = np.percentile(self._latency, (50, 99))
                values |= {"latency_ms_p50": float(p50), "latency_ms_p99": float(p99)}
                values["overhead_ms_p50"] = float(np.median(self._overhead))
            return values


def _later(times: deque[float], since: float) -> int:
    return sum(moment >= since for moment in times)
