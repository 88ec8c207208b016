"""Where the tool may be and how fast, on the way too."""

import numpy as np
import pytest
from cadsight_cell.arm import UR3E_LIMITS, Arm
from cadsight_cell.motion.bounds import BoundParameters, Bounds
from cadsight_cell.motion.collision import CollisionModel
from cadsight_cell.motion.trajectory import time_path
from cadsight_core.errors import CadsightError, ParameterError
from hypothesis import given, settings
from hypothesis import strategies as st

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
ARM = Arm()
REACH = CollisionModel(Arm()).reach
# The elbow folds and opens again: the tool is lowest half-way.
LOW = HOME + [0, 0.35, 0, 0, 0, 0]  # noqa: RUF005


def motion(*corners, limits=UR3E_LIMITS):
    return time_path(np.stack(corners), limits, lambda a, b: True)


def heights(trajectory, samples=3000):
    times = np.linspace(0, trajectory.duration, samples)
    return np.array([ARM.forward(q).translation[2] for q in trajectory.sample(times)[0]])


@settings(deadline=None, max_examples=15)
@given(st.floats(0.05, 0.6), st.integers(0, 100))
def test_the_tool_is_nowhere_quicker_than_its_bound_and_the_way_stays_the_same(speed, seed):
    goal = HOME + np.random.default_rng(seed).uniform(-0.8, 0.8, 6)
    before = motion(HOME, goal)
    held = Bounds(BoundParameters(largest_tool_speed=speed), ARM).held(before, REACH)
    times = np.linspace(0, held.duration, 4000)
    places = np.array([ARM.forward(q).translation for q in held.sample(times)[0]])
    assert (np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(times)).max() <= speed
    np.testing.assert_array_equal(held.positions, before.positions)


def test_a_height_that_is_passed_between_two_good_ends_is_refused():
    path = motion(HOME, LOW, HOME)
    lowest, ends = heights(path).min(), heights(path)[[0, -1]].min()
    assert lowest < ends - 0.02
    bound = (lowest + ends) / 2
    with pytest.raises(CadsightError, match=r"takes the tool to z = 0\.\d+ m in base_link after .* s, expected 0\."):
        Bounds(BoundParameters(lowest_tool=bound), ARM).held(path, REACH)
    assert Bounds(BoundParameters(lowest_tool=lowest - 0.002), ARM).held(path, REACH) is path


@pytest.mark.parametrize(("axis", "sign"), [(0, 1), (0, -1), (1, 1), (1, -1), (2, 1)])
def test_each_side_of_the_workspace_is_held(axis, sign):
    path = motion(HOME, HOME + [0.5, 0.1, -0.3, 0, 0, 0])  # noqa: RUF005
    places = np.array([ARM.forward(q).translation for q in path.sample(np.linspace(0, path.duration, 2000))[0]])
    sides = {"workspace_lower": [-10.0] * 3, "workspace_upper": [10.0] * 3}
    side, end = ("workspace_upper", places[:, axis].max()) if sign > 0 else ("workspace_lower", places[:, axis].min())
    sides[side][axis] = end + sign * 0.002
    assert Bounds(BoundParameters(**{k: tuple(v) for k, v in sides.items()}), ARM).held(path, REACH) is path
    sides[side][axis] = end - sign * 0.002
    with pytest.raises(CadsightError, match="takes the tool to " + "xyz"[axis]):
        Bounds(BoundParameters(**{k: tuple(v) for k, v in sides.items()}), ARM).held(path, REACH)


def test_the_acceleration_is_the_smaller_one():
    limits = Bounds(BoundParameters(largest_acceleration=0.7), ARM).limits(UR3E_LIMITS)
    path = motion(HOME, LOW, limits=limits)
    assert np.abs(path.sample(np.linspace(0, path.duration, 3000))[2]).max() <= 0.7


def test_a_workspace_without_room_is_refused():
    with pytest.raises(ParameterError, match=r"has y 0\.1, expected more than workspace_lower's 0\.2"):
        BoundParameters(workspace_lower=(-1.0, 0.2, 0.0), workspace_upper=(1.0, 0.1, 1.0))
