"""When the arm is where on its path: as quick as its joints' velocities and accelerations allow."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import toppra
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from toppra.constraint import DiscretizationType, JointAccelerationConstraint, JointVelocityConstraint
from toppra.interpolator import AbstractGeometricPath

from cadsight_cell.arm import JointLimits
from cadsight_cell.motion.planner import Path

# Radians before and after a corner that are given to a curve; the least one keeps the curve within some
# millimetres of the corner, which lies inside the margin of the collision model.
LARGEST_BLEND_RAD = 0.4
SMALLEST_BLEND_RAD = 0.005
_GRID_STRAIGHT = 60
_GRID_BLEND = 40


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Points of a motion: times (N,) in s from 0, positions (N, 6) in rad, velocities (N, 6) in rad/s.

    Between points the arm follows cubics, as ros2_control's joint_trajectory_controller does.
    """

    times: Array
    positions: Array
    velocities: Array

    @property
    def duration(self) -> float:
        return float(self.times[-1])

    def sample(self, times: Array) -> tuple[Array, Array, Array]:
        """Positions, velocities and accelerations (M, 6) at ``times`` (M,), held outside the duration."""
        t = np.clip(np.asarray(times, float), 0.0, self.duration)
        i = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self.times) - 2)
        (a, b, c, d), h = (k[i] for k in self._cubics), np.diff(self.times)[i, None]
        x = (t - self.times[i])[:, None] / h
        positions = a + x * (b + x * (c + x * d))
        velocities = (b + x * (2 * c + x * 3 * d)) / h
        accelerations = (2 * c + 6 * d * x) / h**2
        return positions, velocities, accelerations

    def peaks(self) -> tuple[Array, Array]:
        """The largest velocity and acceleration (6,) of each joint, on the cubics between the points too."""
        (_, b, c, d), h = self._cubics, np.diff(self.times)[:, None]
        turning = np.clip(np.divide(-c, 3 * d, out=np.zeros_like(c), where=d != 0), 0, 1)
        between = np.abs(b + turning * (2 * c + turning * 3 * d)) / h
        ends = np.maximum(np.abs(2 * c), np.abs(2 * c + 6 * d)) / h**2
        return np.maximum(between.max(axis=0), np.abs(self.velocities).max(axis=0)), ends.max(axis=0)

    def stretched(self, factor: float) -> "Trajectory":
        """The same motion in ``factor`` times the duration."""
        return Trajectory(self.times * factor, self.positions, self.velocities / factor)

    @cached_property
    def _cubics(self) -> tuple[Array, Array, Array, Array]:
        # q(x) = a + b x + c x^2 + d x^3 for x from 0 to 1 between two points (N - 1, 6).
        h = np.diff(self.times)[:, None]
        p0, p1 = self.positions[:-1], self.positions[1:]
        m0, m1 = self.velocities[:-1] * h, self.velocities[1:] * h
        return p0, m0, 3 * (p1 - p0) - 2 * m0 - m1, 2 * (p0 - p1) + m0 + m1


def time_path(
    corners: Path, limits: JointLimits, is_edge_free: Callable[[Array, Array], bool], scaling: float = 1.0
) -> Trajectory:
    """The quickest motion along ``corners`` (N, 6), starting and ending at rest, with its corners rounded.

    TOPP-RA: Pham and Pham, IEEE T-RO 34(3), 2018.

    Args:
        is_edge_free: returns whether the straight line between two configurations (6,) may be passed; curves that
            cut a corner are checked with it.
        scaling: fraction of the velocity limits, above 0 up to 1; acceleration limits stay as they are.

    Raises:
        CadsightError: for a scaling outside (0, 1], or a path of one configuration only.
    """
    if not 0 < scaling <= 1:
        raise CadsightError(f"the velocity scaling is {scaling:g}, expected above 0 and at most 1")
    kept = _without_repeats(np.asarray(corners, float))
    if len(kept) < 2:
        raise CadsightError("the path stays where it starts, expected two different configurations")
    path = _RoundedPath(kept, is_edge_free)
    velocity = limits.velocity[:, None] * scaling * [-1, 1]
    acceleration = limits.acceleration[:, None] * [-1, 1]
    constraints = [
        JointVelocityConstraint(velocity),
        JointAccelerationConstraint(acceleration, discretization_scheme=DiscretizationType.Interpolation),
    ]
    grid = path.grid()
    algorithm = toppra.algorithm.TOPPRA(constraints, path, gridpoints=grid)
    _, speeds, _ = algorithm.compute_parameterization(0.0, 0.0)
    if speeds is None or not np.isfinite(speeds).all():
        raise CadsightError("the path found no timing inside the joints' limits, expected a smooth path")
    steps = 2 * np.diff(grid) / (speeds[1:] + speeds[:-1])
    times = np.concatenate([[0.0], np.cumsum(steps)])
    timed = Trajectory(times, path(grid), path(grid, 1) * speeds[:, None])
    # TOPP-RA holds the limits at the grid's points; the cubics between them may pass them by a percent or so.
    velocities, accelerations = timed.peaks()
    excess = max(np.max(velocities / (limits.velocity * scaling)), np.sqrt(np.max(accelerations / limits.acceleration)))
    return timed.stretched(max(excess, 1.0) * (1 + 1e-9))


def _without_repeats(corners: Array) -> Array:
    moved = np.linalg.norm(np.diff(corners, axis=0), axis=1) > 1e-6
    return corners[np.concatenate([[True], moved])]


@dataclass(frozen=True, eq=False)
class _Segment:
    """q(s) = start + direction s + bend s^2 for s in 0 to length."""

    start: Array
    direction: Array
    bend: Array
    length: float


class _RoundedPath(AbstractGeometricPath):
    """Straight lines joined by parabolas with continuous direction; s is radians along the straight lines."""

    def __init__(self, corners: Array, is_edge_free: Callable[[Array, Array], bool]) -> None:
        steps = np.diff(corners, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        directions = steps / lengths[:, None]
        blends = [0.0]
        for i in range(1, len(corners) - 1):
            room = min(LARGEST_BLEND_RAD, lengths[i - 1] / 2, lengths[i] / 2)
            blends.append(_blend(corners[i], directions[i - 1], directions[i], room, is_edge_free))
        blends.append(0.0)
        self._segments: list[_Segment] = []
        for i in range(len(directions)):
            straight = lengths[i] - blends[i] - blends[i + 1]
            if straight > 1e-9:
                start = corners[i] + directions[i] * blends[i]
                self._segments.append(_Segment(start, directions[i], np.zeros(6), straight))
            if i + 1 < len(directions):
                self._segments.append(_parabola(corners[i + 1], directions[i], directions[i + 1], blends[i + 1]))
        self._breaks = np.concatenate([[0.0], np.cumsum([p.length for p in self._segments])])

    def grid(self) -> Array:
        """Increasing values of s that include every joint between segments."""
        parts = []
        for i, segment in enumerate(self._segments):
            number = _GRID_BLEND if segment.bend.any() else _GRID_STRAIGHT
            parts.append(np.linspace(self._breaks[i], self._breaks[i + 1], number, endpoint=False))
        return np.concatenate([*parts, self._breaks[-1:]])

    @property
    def dof(self) -> int:
        return 6

    @property
    def path_interval(self) -> Array:
        return self._breaks[[0, -1]]

    def __call__(self, path_positions: float | Array, order: int = 0) -> Array:
        s = np.atleast_1d(np.asarray(path_positions, float))
        index = np.clip(np.searchsorted(self._breaks, s, side="right") - 1, 0, len(self._segments) - 1)
        out = np.empty((len(s), 6))
        for row, (i, value) in enumerate(zip(index, s, strict=True)):
            segment, x = self._segments[i], value - self._breaks[i]
            if order == 0:
                out[row] = segment.start + x * (segment.direction + x * segment.bend)
            elif order == 1:
                out[row] = segment.direction + 2 * x * segment.bend
            else:
                out[row] = 2 * segment.bend
        return out[0] if np.ndim(path_positions) == 0 else out


def _parabola(corner: Array, before: Array, after: Array, blend: float) -> _Segment:
    return _Segment(corner - before * blend, before, (after - before) / (4 * blend), 2 * blend)


def _blend(
    corner: Array, before: Array, after: Array, room: float, is_edge_free: Callable[[Array, Array], bool]
) -> float:
    blend = room
    while blend > SMALLEST_BLEND_RAD:
        segment = _parabola(corner, before, after, blend)
        points = [segment.start + x * (segment.direction + x * segment.bend) for x in np.linspace(0, segment.length, 7)]
        if all(is_edge_free(a, b) for a, b in itertools.pairwise(points)):
            return blend
        blend /= 2
    return min(SMALLEST_BLEND_RAD, room)
