"""Joint readings by name, and between the stamps at which they came."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array

from cadsight_cell.arm import JOINT_NAMES


@dataclass(frozen=True, eq=False)
class JointReading:
    """Positions and velocities (6,) in the order of JOINT_NAMES, in rad and rad/s, at a stamp in nanoseconds."""

    stamp_ns: int
    positions: Array
    velocities: Array


class JointOrder:
    """Takes the arm's joints out of a driver's lists, whose order is its own."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] | None = None
        self._index: list[int] = []

    def pick(self, names: Sequence[str], values: Sequence[float], what: str) -> Array:
        """Values (6,) in the order of JOINT_NAMES.

        Raises:
            CadsightError: when a joint is missing, or there are fewer values than names.
        """
        if tuple(names) != self._names:
            missing = [n for n in JOINT_NAMES if n not in names]
            if missing:
                raise CadsightError(f"{what} names {', '.join(names) or 'no joint'}, expected {missing[0]} too")
            self._names = tuple(names)
            self._index = [self._names.index(n) for n in JOINT_NAMES]
        if len(values) != len(names):
            raise CadsightError(f"{what} has {len(values)} values, expected one for each of {len(names)} names")
        return np.array([values[i] for i in self._index], float)


class JointHistory:
    """The latest readings, for looking up a stamp between two of them."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._length_ns = int(seconds * 1e9)
        self._readings: deque[JointReading] = deque()

    def add(self, reading: JointReading) -> None:
        """Keep ``reading``; one that is older than the newest starts the history afresh (a clock that jumped)."""
        if self._readings and reading.stamp_ns <= self._readings[-1].stamp_ns:
            if reading.stamp_ns == self._readings[-1].stamp_ns:
                return
            self._readings.clear()
        self._readings.append(reading)
        while reading.stamp_ns - self._readings[0].stamp_ns > self._length_ns:
            self._readings.popleft()

    @property
    def newest(self) -> JointReading | None:
        return self._readings[-1] if self._readings else None

    def at(self, stamp_ns: int, largest_gap_s: float = 0.2) -> JointReading | None:
        """The reading at ``stamp_ns``, interpolated between its neighbours; None before the later one has come.

        Raises:
            CadsightError: when the stamp is older than the history, or its neighbours lie too far apart.
        """
        if not self._readings or self._readings[-1].stamp_ns < stamp_ns:
            return None
        stamps = [r.stamp_ns for r in self._readings]
        i = bisect_left(stamps, stamp_ns)
        after = self._readings[i]
        if after.stamp_ns == stamp_ns:
            return after
        if i == 0:
            raise CadsightError(
                f"the joint states begin {(after.stamp_ns - stamp_ns) / 1e9:.3f} s after the image's stamp, expected "
                "them to cover it"
            )
        before = self._readings[i - 1]
        gap = after.stamp_ns - before.stamp_ns
        if gap > largest_gap_s * 1e9:
            raise CadsightError(
                f"the joint states have a gap of {gap / 1e9:.2f} s at the image's stamp, expected at most "
                f"{largest_gap_s:g} s"
            )
        fraction = (stamp_ns - before.stamp_ns) / gap
        return JointReading(
            stamp_ns,
            before.positions + fraction * (after.positions - before.positions),
            before.velocities + fraction * (after.velocities - before.velocities),
        )

    def still_since(self, velocity_rad_s: float) -> int | None:
        """Stamp of the first of the newest readings that are all slower than ``velocity_rad_s``; None when moving."""
        since = None
        for reading in reversed(self._readings):
            if np.abs(reading.velocities).max() > velocity_rad_s:
                break
            since = reading.stamp_ns
        return since


# Beyond what the joint's velocity explains, a reading may differ by this from the one before it.
_JUMP_RAD = 0.1
_CALM_NS = 1_000_000_000


class JointJumps:
    """Notices readings that no joint can have moved to since the reading before."""

    def __init__(self, velocity: Array) -> None:
        """``velocity`` (6,) in rad/s is what the joints reach."""
        self._velocity = velocity
        self._last: tuple[int, Array] | None = None
        self._jumped_ns: int | None = None
        self._sentence = ""

    def add(self, stamp_ns: int, positions: Array) -> bool:
        """Take in joint angles (6,) in radians; whether they have jumped."""
        last, self._last = self._last, (stamp_ns, positions)
        if last is None or stamp_ns <= last[0]:
            return False
        seconds = (stamp_ns - last[0]) / 1e9
        excess = np.abs(positions - last[1]) - self._velocity * seconds
        joint = int(excess.argmax())
        if excess[joint] <= _JUMP_RAD:
            return False
        self._jumped_ns = stamp_ns
        moved = np.rad2deg(abs(positions[joint] - last[1][joint]))
        self._sentence = (
            f"the joint states jumped: {JOINT_NAMES[joint]} by {moved:.0f} "
            f"degrees in {1000 * seconds:.0f} ms, expected the way of a real joint: look at its encoder and at who "
            "else publishes /joint_states"
        )
        return True

    @property
    def sentence(self) -> str | None:
        """The latest jump, until the readings have been steady for a second of their own time."""
        if self._jumped_ns is None or self._last is None or self._last[0] - self._jumped_ns > _CALM_NS:
            return None
        return self._sentence
