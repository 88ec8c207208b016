"""The simulated arm on its way: positions and velocities by hand, and what it refuses."""

import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES, UR3E_LIMITS
from cadsight_cell.driver.follower import TrajectoryFollower, Waypoint, waypoint_in_order
from cadsight_core.errors import CadsightError

HOME = np.array([0.1, -1.2, 2.0, -2.5, 1.5, 0.0])
STEP = np.array([0.8, 0.0, -0.4, 0.2, 0.0, 1.6])
STILL = np.zeros(6)


def follower() -> TrajectoryFollower:
    return TrajectoryFollower(HOME, UR3E_LIMITS)


# Fractions s of the path in 2 s: 3 s^2 - 2 s^3 of the step, at 6 s (1 - s) / 2 of the step a second.
@pytest.mark.parametrize(
    ("seconds", "fraction", "speed"),
    [(0.0, 0.0, 0.0), (0.5, 0.15625, 0.5625), (1.0, 0.5, 0.75), (1.5, 0.84375, 0.5625), (2.0, 1.0, 0.0), (9.0, 1.0, 0)],
)
def test_between_points_with_velocities_the_path_is_a_cubic(seconds: float, fraction: float, speed: float) -> None:
    arm = follower()
    assert arm.start([Waypoint(2.0, HOME + STEP, STILL)], now=100.0) == 2.0
    state = arm.at(100.0 + seconds)
    np.testing.assert_allclose(state.positions, HOME + fraction * STEP, atol=1e-12)
    np.testing.assert_allclose(state.velocities, speed * STEP, atol=1e-12)


@pytest.mark.parametrize(
    ("seconds", "fraction", "speed"), [(0.5, 0.25, 0.5), (1.5, 0.625, 0.25), (2.5, 0.875, 0.25), (3.0, 1.0, 0.0)]
)
def test_between_points_without_velocities_the_path_is_straight(seconds: float, fraction: float, speed: float) -> None:
    arm = follower()
    arm.start([Waypoint(1.0, HOME + 0.5 * STEP), Waypoint(3.0, HOME + STEP)], now=0.0)
    state = arm.at(seconds)
    np.testing.assert_allclose(state.positions, HOME + fraction * STEP, atol=1e-12)
    np.testing.assert_allclose(state.velocities, speed * STEP, atol=1e-9)


def test_a_stopped_arm_stays_where_it_was() -> None:
    arm = follower()
    arm.start([Waypoint(2.0, HOME + STEP, STILL)], now=0.0)
    arm.stop(1.0)
    for now in (1.0, 5.0):
        np.testing.assert_allclose(arm.at(now).positions, HOME + 0.5 * STEP, atol=1e-12)
        assert not arm.at(now).velocities.any()


def test_a_new_trajectory_begins_where_the_arm_is_at_its_speed() -> None:
    arm = follower()
    arm.start([Waypoint(2.0, HOME + STEP, STILL)], now=0.0)
    arm.start([Waypoint(2.0, HOME, STILL)], now=1.0)
    np.testing.assert_allclose(arm.at(1.0).positions, HOME + 0.5 * STEP, atol=1e-12)
    np.testing.assert_allclose(arm.at(1.0).velocities, 0.75 * STEP, atol=1e-12)
    np.testing.assert_allclose(arm.at(3.0).positions, HOME, atol=1e-12)


NAN = HOME + np.array([0, 0, np.nan, 0, 0, 0])
FAST = np.array([0, 1.6, 0, 0, 0, 0])
BEYOND = HOME + np.array([0, 0, 1.5, 0, 0, 0])


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([], "no points, expected at least one"),
        ([(1.0, HOME), (1.0, HOME)], r"times are \[1\.0, 1\.0\], expected positive and rising"),
        ([(2.0, HOME), (1.0, HOME)], r"times are \[2\.0, 1\.0\]"),
        ([(-1.0, HOME)], r"times are \[-1\.0\]"),
        ([(np.nan, HOME)], r"times are \[nan\]"),
        ([(1.0, NAN)], "elbow_joint at nan degrees"),
        ([(1.0, BEYOND)], r"elbow_joint at 200\.5 degrees, expected -180 to 180"),
        # 1.6 rad in 0.4 s are 229 degrees a second.
        ([(0.4, HOME + FAST)], "shoulder_lift_joint at 229 degrees a second, expected at most 180"),
        ([(0.2, HOME + STEP)], "shoulder_pan_joint at 229 degrees a second, expected at most 180"),
    ],
)
def test_a_trajectory_that_no_arm_can_follow_is_refused_and_moves_nothing(points: list, sentence: str) -> None:
    arm = follower()
    with pytest.raises(CadsightError, match=sentence):
        arm.start([Waypoint(t, np.asarray(q, float)) for t, q in points], now=0.0)
    np.testing.assert_array_equal(arm.at(1.0).positions, HOME)


def test_values_are_taken_by_the_joints_names() -> None:
    names = list(reversed(JOINT_NAMES))
    point = waypoint_in_order(names, 1.0, [6, 5, 4, 3, 2, 1], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert point.positions.tolist() == [1, 2, 3, 4, 5, 6]
    assert point.velocities is not None
    assert point.velocities.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.mark.parametrize(
    ("names", "positions", "velocities", "sentence"),
    [
        (JOINT_NAMES[:5], [0] * 5, [], "expected all six of the arm"),
        ([*JOINT_NAMES[:5], "thumb"], [0] * 6, [], "thumb, expected all six"),
        ([], [], [], "for the joints none"),
        (JOINT_NAMES, [0] * 5, [], "has 5 positions and 0 velocities"),
        (JOINT_NAMES, [0] * 6, [0] * 2, "has 6 positions and 2 velocities"),
    ],
)
def test_other_joints_or_numbers_of_values_are_refused(
    names: list, positions: list, velocities: list, sentence: str
) -> None:
    with pytest.raises(CadsightError, match=sentence):
        waypoint_in_order(names, 1.0, positions, velocities)


def test_a_scaled_arm_takes_the_same_way_more_slowly_and_a_halted_one_goes_on_where_it_stood() -> None:
    arm = follower()
    arm.scale(0.5, now=0.0)
    assert arm.start([Waypoint(2.0, HOME + STEP, STILL)], now=10.0) == 2.0
    state = arm.at(12.0)  # a second of the trajectory: half-way, at half of 0.75 of the step a second
    np.testing.assert_allclose(state.positions, HOME + 0.5 * STEP, atol=1e-12)
    np.testing.assert_allclose(state.velocities, 0.375 * STEP, atol=1e-12)
    arm.scale(0.0, now=12.0)
    np.testing.assert_allclose(arm.at(99.0).positions, HOME + 0.5 * STEP, atol=1e-12)
    np.testing.assert_allclose(arm.at(99.0).velocities, STILL)
    arm.scale(1.0, now=100.0)
    assert arm.passed(100.5) == pytest.approx(1.5)
    np.testing.assert_allclose(arm.at(100.5).positions, HOME + 0.84375 * STEP, atol=1e-12)
    assert arm.passed(200.0) == 2.0
    np.testing.assert_allclose(arm.at(200.0).positions, HOME + STEP, atol=1e-12)
