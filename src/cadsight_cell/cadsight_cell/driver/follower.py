"""An arm that follows joint trajectories exactly, at any time and as fast as its speed is scaled."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import ArrayLike
from scipy.interpolate import CubicHermiteSpline, interp1d

from cadsight_cell.arm import JOINT_NAMES, JointLimits

# A controller that samples at 500 Hz refuses no trajectory for what rounding adds to its velocity.
_VELOCITY_SLACK = 1.02


@dataclass(frozen=True, eq=False)
class Waypoint:
    """Seconds from the start, joint angles (6,) in radians and, where known, velocities (6,) in radians a second."""

    seconds: float
    positions: Array
    velocities: Array | None = None


@dataclass(frozen=True, eq=False)
class JointState:
    """Angles (6,) in radians and velocities (6,) in radians a second, in the order of JOINT_NAMES."""

    positions: Array
    velocities: Array


def waypoint_in_order(
    names: Sequence[str], seconds: float, positions: ArrayLike, velocities: ArrayLike = ()
) -> Waypoint:
    """A waypoint whose values come in the order of ``names``.

    Raises:
        CadsightError: for names that are not the arm's, or another number of values.
    """
    if sorted(names) != sorted(JOINT_NAMES):
        raise CadsightError(f"a trajectory is for the joints {', '.join(names) or 'none'}, expected all six of the arm")
    p, v = np.asarray(positions, float), np.asarray(velocities, float)
    if p.shape != (6,) or v.shape not in ((0,), (6,)):
        raise CadsightError(
            f"a trajectory's point has {p.size} positions and {v.size} velocities, expected 6 and either 6 or none"
        )
    order = [list(names).index(name) for name in JOINT_NAMES]
    return Waypoint(seconds, p[order], v[order] if v.size else None)


class TrajectoryFollower:
    """The arm's true motion; safe to ask from several threads. Times are seconds of one clock."""

    def __init__(self, positions: ArrayLike, limits: JointLimits) -> None:
        """Start at rest at ``positions`` (6,)."""
        self._lock = threading.Lock()
        self._limits = limits
        self._rest = np.asarray(positions, float).copy()
        self._curve: CubicHermiteSpline | interp1d | None = None
        self._duration = 0.0
        # Seconds of the trajectory that had passed at a moment, and how many pass in a second since then.
        self._passed = self._since = 0.0
        self._speed = 1.0
        limits.check(self._rest, "the arm's first position")

    def start(self, waypoints: Sequence[Waypoint], now: float) -> float:
        """Follow ``waypoints`` from where the arm is at ``now``; returns the duration in seconds at full speed.

        Between points with velocities the path is a cubic, else a straight line in joint space.

        Raises:
            CadsightError: for no points, times that do not rise, values that are not finite, positions outside
                the limits, or a path faster than the joints go.
        """
        if not waypoints:
            raise CadsightError("a trajectory has no points, expected at least one")
        here = self.at(now)
        points = [w for w in waypoints if w.seconds > 0] if waypoints[0].seconds == 0 else list(waypoints)
        times = np.array([0.0, *(w.seconds for w in points)])
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise CadsightError(f"a trajectory's times are {times[1:].tolist()}, expected positive and rising seconds")
        for point in points:
            self._limits.check(point.positions, "a trajectory's point")
        positions = np.array([here.positions, *(w.positions for w in points)])
        curve: CubicHermiteSpline | interp1d | None = None
        if points:
            velocities = [w.velocities for w in points]
            if all(v is not None for v in velocities):
                curve = CubicHermiteSpline(times, positions, np.array([here.velocities, *velocities]))
                fastest = curve.derivative()(np.linspace(0, times[-1], max(50, 5 * len(times))))
            else:
                curve = interp1d(times, positions, axis=0)
                fastest = np.diff(positions, axis=0) / np.diff(times)[:, None]
            self._check_velocity(fastest)
        with self._lock:
            self._curve, self._duration = curve, float(times[-1])
            self._passed, self._since = 0.0, now
            self._rest = positions[-1].copy()
        return float(times[-1])

    def stop(self, now: float) -> None:
        """Stay where the arm is at ``now``."""
        here = self.at(now)
        with self._lock:
            self._rest, self._curve = here.positions, None

    def scale(self, speed: float, now: float) -> None:
        """From ``now`` on, go at this fraction of the trajectory's speed: 1 as it was timed, 0 stands still."""
        with self._lock:
            self._passed, self._since, self._speed = self._at_most(self._trajectory_time(now)), now, speed

    def passed(self, now: float) -> float:
        """Seconds of the trajectory that have passed at ``now``, at most its duration."""
        with self._lock:
            return self._at_most(self._trajectory_time(now))

    def at(self, now: float) -> JointState:
        """Where the arm is at ``now``."""
        with self._lock:
            curve, duration, rest, speed = self._curve, self._duration, self._rest, self._speed
            passed = self._trajectory_time(now)
        if curve is None or passed >= duration:
            return JointState(rest.copy(), np.zeros(6))
        passed = max(passed, 0.0)
        positions = np.asarray(curve(passed))
        if isinstance(curve, CubicHermiteSpline):
            return JointState(positions, speed * np.asarray(curve(passed, 1)))
        step = min(1e-3, duration - passed)
        return JointState(positions, speed * (np.asarray(curve(passed + step)) - positions) / step)

    def _trajectory_time(self, now: float) -> float:
        return self._passed + self._speed * (now - self._since)

    def _at_most(self, passed: float) -> float:
        return min(max(passed, 0.0), self._duration)

    def _check_velocity(self, velocities: Array) -> None:
        excess = np.abs(velocities).max(axis=0) / self._limits.velocity
        joint = int(excess.argmax())
        if not excess[joint] <= _VELOCITY_SLACK:
            limit = np.rad2deg(self._limits.velocity[joint])
            raise CadsightError(
                f"a trajectory moves {JOINT_NAMES[joint]} at {excess[joint] * limit:.0f} degrees a second, "
                f"expected at most {limit:.0f}"
            )
