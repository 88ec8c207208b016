"""How far the arm has come along its trajectory, by the joint states alone, and whether it still comes on."""

import numpy as np
from cadsight_core.geometry import Array

from cadsight_cell.motion.trajectory import Trajectory

# An advance is more than a reading's noise: 0.1 degrees summed over the way of all joints.
ADVANCE_RAD = 2e-3
# Radians of a trajectory's way between two samples of it.
_STEP_RAD = 2e-3
# How far ahead the arm is looked for between two states.
_WINDOW_RAD = 0.4


class MotionProgress:
    """Follows one motion. The clock is the joint states' own, so that a slow listener does not end a motion.

    The arm is at the sample of its trajectory that its joints are nearest to, and never goes back.
    """

    def __init__(self, trajectory: Trajectory, stall_s: float) -> None:
        """``stall_s``: seconds between stamps without an advance after which the arm counts as stalled."""
        coarse: Array = np.arange(50, dtype=np.float64) * (trajectory.duration / 49)
        length = float(np.abs(np.diff(trajectory.sample(coarse)[0], axis=0)).sum())
        number = max(int(length / _STEP_RAD), 2)
        times: Array = np.arange(number, dtype=np.float64) * (trajectory.duration / (number - 1))
        self._places = trajectory.sample(times)[0]
        self._way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self._places, axis=0), axis=1))])
        self._times = times / trajectory.duration
        self._stall_ns = round(stall_s * 1e9)
        self._at = 0
        self._marked_way = 0.0
        self._marked_ns: int | None = None
        self._newest_ns = 0

    def add(self, stamp_ns: int, positions: Array) -> None:
        """Take in joint angles (6,) in radians at their stamp."""
        far = np.linalg.norm(self._places[self._at :] - positions, axis=1)
        near = int(np.searchsorted(self._way, self._way[self._at] + _WINDOW_RAD, side="right")) - self._at
        nearest = _first_nearest(far[:near])
        # Further on only when states were lost: a path may cross itself.
        self._at += nearest if far[nearest] < _WINDOW_RAD / 2 else _first_nearest(far)
        self._newest_ns = stamp_ns
        if self._marked_ns is None or self._way[self._at] >= self._marked_way + ADVANCE_RAD:
            self._marked_ns, self._marked_way = stamp_ns, float(self._way[self._at])

    @property
    def fraction(self) -> float:
        """Of the trajectory's duration that has been covered, 0 to 1."""
        return float(self._times[self._at])

    @property
    def stalled(self) -> bool:
        """Whether the arm has not come on for so long."""
        return self._marked_ns is not None and self._newest_ns - self._marked_ns >= self._stall_ns


def _first_nearest(distances: Array) -> int:
    """The first of those that are as near as the nearest, but for noise: on a way there and back, the one there."""
    return int(np.flatnonzero(distances <= distances.min() + ADVANCE_RAD)[0])
