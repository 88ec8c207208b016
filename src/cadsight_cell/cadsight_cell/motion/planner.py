"""Paths between joint configurations that touch nothing."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeAlias

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from ompl import base, geometric, util

from cadsight_cell.arm import JOINT_NAMES, JointLimits, Joints, joint_vector
from cadsight_cell.motion.collision import MARGIN_M, CollisionModel

# Corners (N, 6) of a path of straight lines in joint space, radians, N >= 2.
Path: TypeAlias = Array
Reason = Literal["unreachable", "colliding", "no_path"]


class NoPathError(CadsightError):
    """A motion that is refused; ``reason`` is one word for counting."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Planner(Protocol):
    """Makes a path; planning blocks for at most ``timeout_s`` and moves nothing."""

    def plan(self, start: Joints, goal: Joints, *, timeout_s: float = 2.0, seed: int = 1) -> Path:
        """Corners (N, 6) from ``start`` to ``goal``, both included.

        Raises:
            NoPathError: when an end is past a limit or touches something, or no path was found in time.
        """
        ...

    def check(self, joints: Joints, what: str) -> None:
        """Refuse a configuration that is past a limit or touches something.

        Raises:
            NoPathError: naming ``what``, and the joint with its limits or the bodies.
        """
        ...


class RrtPlanner:
    """The straight line where it is free, else RRTConnect of OMPL, simplified.

    RRT-Connect: Kuffner and LaValle, ICRA 2000. The same seed and ends give the same path.
    """

    def __init__(self, collisions: CollisionModel, limits: JointLimits) -> None:
        self._collisions = collisions
        self._limits = limits

    def check(self, joints: Joints, what: str) -> None:
        try:
            vector = joint_vector(joints)
            self._limits.check(vector, what)
        except CadsightError as error:
            raise NoPathError("unreachable", str(error)) from error
        touching = self._collisions.touching(vector)
        if touching:
            pairs = ", ".join(f"{a} and {b}" for a, b in touching[:3])
            raise NoPathError(
                "colliding", f"{what} brings together {pairs}, expected {MARGIN_M * 100:g} cm between all bodies"
            )

    def plan(self, start: Joints, goal: Joints, *, timeout_s: float = 2.0, seed: int = 1) -> Path:
        self.check(start, "the start of the motion")
        self.check(goal, "the goal of the motion")
        a, b = joint_vector(start), joint_vector(goal)
        if self._collisions.is_edge_free(a, b):
            return np.stack([a, b])
        corners = self._search(a, b, timeout_s, seed)
        if corners is None:
            raise NoPathError(
                "no_path", f"no path around the obstacles was found in {timeout_s:g} s, expected the goal to be free"
            )
        return corners

    def _search(self, start: Array, goal: Array, timeout_s: float, seed: int) -> Path | None:
        # In coordinates of metres that the arm moves at most, a step of one length is as risky in every joint.
        reach = self._collisions.reach
        space = base.RealVectorStateSpace(len(JOINT_NAMES))
        bounds = base.RealVectorBounds(len(JOINT_NAMES))
        low, high = np.minimum(start, goal) - np.pi, np.maximum(start, goal) + np.pi
        for i in range(len(JOINT_NAMES)):
            bounds.setLow(i, float(max(low[i], self._limits.lower[i]) * reach[i]))
            bounds.setHigh(i, float(min(high[i], self._limits.upper[i]) * reach[i]))
        space.setBounds(bounds)

        def joints(state: base.State) -> Array:
            return np.array([state[i] for i in range(len(JOINT_NAMES))]) / reach

        def state(vector: Array) -> base.State:
            made = space.allocState()
            for i, value in enumerate(vector * reach):
                made[i] = float(value)
            return made

        util.noOutputHandler()
        util.RNG.setSeed(max(seed, 1))
        problem = geometric.SimpleSetup(space)
        problem.setStateValidityChecker(lambda s: self._collisions.is_free(joints(s)))
        information = problem.getSpaceInformation()
        # |x|_1 <= sqrt(6) |x|_2: a segment of this length moves no point further than between an edge's samples.
        segment = 2 * MARGIN_M / np.sqrt(len(JOINT_NAMES))
        information.setStateValidityCheckingResolution(segment / space.getMaximumExtent())
        problem.setPlanner(geometric.RRTConnect(information))
        problem.setStartAndGoalStates(state(start), state(goal), 1e-6)
        problem.solve(timeout_s)
        if not problem.haveExactSolutionPath():
            return None
        problem.simplifySolution(timeout_s)
        path = problem.getSolutionPath()
        corners = np.array([joints(path.getState(i)) for i in range(path.getStateCount())])
        corners[0], corners[-1] = start, goal
        return corners


# The planners by their names; another one is a row here that makes a Planner.
PLANNERS: Mapping[str, Callable[[CollisionModel, JointLimits], Planner]] = {
    # OMPL's RRT-Connect around the file's bodies.
    "rrt_connect": RrtPlanner,
}
