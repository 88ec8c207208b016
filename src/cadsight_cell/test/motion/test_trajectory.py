"""Timing of paths inside the joints' limits."""

import numpy as np
import pytest
from cadsight_cell.arm import UR3E_LIMITS
from cadsight_cell.motion.trajectory import time_path
from cadsight_core.errors import CadsightError
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


def free(start, goal):
    return True


def paths(most):
    angle = st.floats(-3, 3).map(lambda v: round(v, 3))
    return st.integers(2, most).flatmap(lambda n: arrays(float, (n, 6), elements=angle))


@settings(deadline=None, max_examples=150)
@given(paths(5), st.sampled_from([1.0, 0.4, 0.05]))
def test_no_joint_exceeds_its_velocity_or_acceleration_anywhere(corners, scaling):
    assume((np.linalg.norm(np.diff(corners, axis=0), axis=1) > 0.02).all())
    trajectory = time_path(corners, UR3E_LIMITS, free, scaling)
    _, velocities, accelerations = trajectory.sample(np.linspace(0, trajectory.duration, 4000))
    assert (np.abs(velocities) <= UR3E_LIMITS.velocity * scaling).all()
    assert (np.abs(accelerations) <= UR3E_LIMITS.acceleration).all()


@settings(deadline=None, max_examples=50)
@given(paths(2))
def test_the_motion_goes_from_rest_at_the_start_to_rest_at_the_goal_on_the_straight_line(corners):
    start, goal = corners
    assume(np.linalg.norm(goal - start) > 1e-3)
    trajectory = time_path(corners, UR3E_LIMITS, free)
    positions, velocities, _ = trajectory.sample(np.linspace(0, trajectory.duration, 500))
    np.testing.assert_allclose(positions[[0, -1]], [start, goal], atol=1e-9)
    np.testing.assert_allclose(velocities[[0, -1]], 0, atol=1e-6)
    along = (positions - start) @ (goal - start) / np.sum((goal - start) ** 2)
    np.testing.assert_allclose(positions, start + along[:, None] * (goal - start), atol=1e-6)
    assert (np.diff(along) >= -1e-9).all()


@pytest.mark.parametrize(
    ("radians", "scaling", "seconds"),
    [
        # Half the way at 5 rad/s2, half back: t = 2 sqrt(d / 5).
        (0.5, 1.0, 2 * np.sqrt(0.5 / 5)),
        # At most 0.5 rad/s: ramps of 0.1 s and 0.025 rad each, 0.45 rad between them.
        (0.5, 0.5 / np.pi, 0.1 + 0.1 + 0.45 / 0.5),
    ],
)
def test_the_motion_is_as_quick_as_the_limits_allow(radians, scaling, seconds):
    corners = np.array([np.zeros(6), [radians, 0, 0, 0, 0, 0]])
    trajectory = time_path(corners, UR3E_LIMITS, free, scaling)
    assert seconds <= trajectory.duration <= seconds * 1.03


CORNER = np.array([np.zeros(6), [1.0, 0, 0, 0, 0, 0], [1.0, 1.0, 0, 0, 0, 0]])


def test_a_corner_is_cut_where_there_is_room_and_passed_closely_where_there_is_none():
    def distance_to_the_corner(is_edge_free):
        trajectory = time_path(CORNER, UR3E_LIMITS, is_edge_free)
        positions, _, _ = trajectory.sample(np.linspace(0, trajectory.duration, 5000))
        return np.linalg.norm(positions - CORNER[1], axis=1).min(), trajectory.duration

    wide, quick = distance_to_the_corner(free)
    close, slow = distance_to_the_corner(lambda start, goal: False)
    assert wide == pytest.approx(0.4 / np.sqrt(2) / 2, rel=0.02)
    assert close < 0.003
    assert quick < slow


@pytest.mark.parametrize("scaling", [0.0, -0.1, 1.01, float("nan")])
def test_a_scaling_outside_0_to_1_is_refused(scaling):
    with pytest.raises(CadsightError, match="velocity scaling"):
        time_path(CORNER, UR3E_LIMITS, free, scaling)


def test_a_path_that_stays_is_refused():
    with pytest.raises(CadsightError, match="stays where it starts"):
        time_path(np.zeros((3, 6)), UR3E_LIMITS, free)


def test_repeated_corners_do_no_harm():
    doubled = time_path(np.repeat(CORNER, 2, axis=0), UR3E_LIMITS, free)
    assert doubled.duration == time_path(CORNER, UR3E_LIMITS, free).duration
