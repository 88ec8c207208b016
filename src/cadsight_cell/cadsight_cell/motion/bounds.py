"""What a motion must keep to beside the joints' limits: where the tool may be and how fast it may go.

Held on the timed trajectory, between its points too: samples lie so close that no point of the arm moves further than
STEP_M from one to the next, and what they must keep to is narrowed by half of that.
"""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError, ParameterError
from cadsight_core.geometry import Array

from cadsight_cell.arm import Arm, JointLimits
from cadsight_cell.motion.trajectory import Trajectory

STEP_M = 0.002
_AXES = "xyz"


@dataclass(frozen=True)
class BoundParameters:
    """Bounds of every motion; by default none but the arm's own."""

    largest_acceleration: float = parameter(
        5.0, "of every joint, radians a second squared; the arm's own at most", minimum=0.05, maximum=5.0
    )
    largest_tool_speed: float = parameter(
        0.0, "of tool0, metres a second; quicker motions are slowed down to it; 0 for any", minimum=0.0, maximum=5.0
    )
    lowest_tool: float = parameter(-10.0, "least height of tool0 in base_link, metres", minimum=-10.0, maximum=10.0)
    workspace_lower: tuple[float, ...] = parameter(
        (-10.0, -10.0, -10.0),
        "least x, y and z of tool0 in base_link, metres",
        minimum=-10.0,
        maximum=10.0,
        length=3,
    )
    workspace_upper: tuple[float, ...] = parameter(
        (10.0, 10.0, 10.0), "largest x, y and z of tool0 in base_link, metres", minimum=-10.0, maximum=10.0, length=3
    )

    def __post_init__(self) -> None:
        check(self)
        for axis, low, high in zip(_AXES, self.workspace_lower, self.workspace_upper, strict=True):
            if not low < high:
                raise ParameterError(
                    "workspace_upper", f"has {axis} {high:g}, expected more than workspace_lower's {low:g}"
                )


class Bounds:
    """Applies :class:`BoundParameters` to motions. Not for several threads at once, as the arm is not."""

    def __init__(self, parameters: BoundParameters, arm: Arm) -> None:
        self._p, self._arm = parameters, arm
        self._lower = np.array(parameters.workspace_lower, float)
        self._lower[2] = max(self._lower[2], parameters.lowest_tool)
        self._upper = np.array(parameters.workspace_upper, float)

    @property
    def _bounded(self) -> bool:
        free = BoundParameters()
        lower, upper = np.array(free.workspace_lower), np.array(free.workspace_upper)
        return bool(self._p.largest_tool_speed or (self._lower > lower).any() or (self._upper < upper).any())

    def limits(self, limits: JointLimits) -> JointLimits:
        """The joints' limits with the acceleration that is allowed."""
        return replace(limits, acceleration=np.minimum(limits.acceleration, self._p.largest_acceleration))

    def held(self, trajectory: Trajectory, reach: Array) -> Trajectory:
        """The trajectory, slowed down where the tool would be too quick.

        Args:
            reach: (6,) metres that no point of the arm exceeds for a radian of each joint.

        Raises:
            CadsightError: when the tool would leave its workspace, naming where.
        """
        if not self._bounded:
            return trajectory
        times = _close_times(trajectory, reach)
        positions = trajectory.sample(times)[0]
        places = np.array([self._arm.forward(q).translation for q in positions])
        self._check_places(places, times)
        if not self._p.largest_tool_speed:
            return trajectory
        # Between two samples of a millimetre or two the speed changes by less than the twentieth that is left.
        speeds = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(times)
        excess = 1.05 * float(speeds.max()) / self._p.largest_tool_speed
        return trajectory.stretched(excess) if excess > 1 else trajectory

    def _check_places(self, places: Array, times: Array) -> None:
        # What is not bounded is ten metres away, so that the half step never counts there.
        outside = np.maximum(self._lower + STEP_M / 2 - places, places - self._upper + STEP_M / 2)
        if not (outside > 0).any():
            return
        row, axis = np.unravel_index(int(outside.argmax()), outside.shape)
        value = places[row, axis]
        raise CadsightError(
            f"the motion takes the tool to {_AXES[axis]} = {value:.3f} m in base_link after {times[row]:.1f} s, "
            f"expected {self._lower[axis]:g} to {self._upper[axis]:g} m and {1000 * STEP_M / 2:g} mm from them"
        )


def _close_times(trajectory: Trajectory, reach: Array) -> Array:
    """Times (M,) between which no point of the arm moves further than STEP_M."""
    parts = [np.zeros(1)]
    # Between two points of a trajectory a joint goes at most at its peak there, which the whole's bounds.
    peak = trajectory.peaks()[0]
    for begin, end in zip(trajectory.times[:-1], trajectory.times[1:], strict=True):
        number = int(np.ceil(float(reach @ peak) * (end - begin) / STEP_M)) or 1
        parts.append(begin + (end - begin) * np.arange(1, number + 1) / number)
    return np.concatenate(parts)
