"""Joint readings by name and by stamp."""

import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES
from cadsight_cell.joint_states import JointHistory, JointJumps, JointOrder, JointReading
from cadsight_core.errors import CadsightError

MILLISECOND = 1_000_000


def reading(ms, angle, velocity=0.0):
    return JointReading(ms * MILLISECOND, np.full(6, float(angle)), np.full(6, float(velocity)))


def history(*readings):
    made = JointHistory(seconds=1.0)
    for r in readings:
        made.add(r)
    return made


def test_joints_are_taken_by_name_out_of_a_longer_list():
    names = ["finger", *reversed(JOINT_NAMES)]
    values = [9.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    np.testing.assert_array_equal(JointOrder().pick(names, values, "the state"), [0, 1, 2, 3, 4, 5])


def test_an_order_that_changes_is_followed():
    order = JointOrder()
    np.testing.assert_array_equal(order.pick(JOINT_NAMES, range(6), "the state"), [0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(order.pick(JOINT_NAMES[::-1], range(6), "the state"), [5, 4, 3, 2, 1, 0])


@pytest.mark.parametrize(
    ("names", "values", "words"),
    [
        (JOINT_NAMES[:5], [0.0] * 5, "expected wrist_3_joint too"),
        ([], [], "names no joint"),
        (JOINT_NAMES, [], "has 0 values, expected one for each of 6 names"),
    ],
)
def test_a_state_that_lacks_something_is_refused(names, values, words):
    with pytest.raises(CadsightError, match=words):
        JointOrder().pick(names, values, "the state")


def test_a_stamp_between_two_readings_is_interpolated():
    at = history(reading(0, 0.0, 1.0), reading(100, 1.0, 3.0)).at(25 * MILLISECOND)
    assert at.stamp_ns == 25 * MILLISECOND
    np.testing.assert_allclose(at.positions, 0.25)
    np.testing.assert_allclose(at.velocities, 1.5)


def test_a_stamp_of_a_reading_is_that_reading():
    made = history(reading(0, 0.0), reading(100, 1.0))
    np.testing.assert_array_equal(made.at(0).positions, 0.0)
    np.testing.assert_array_equal(made.at(100 * MILLISECOND).positions, 1.0)


def test_a_stamp_that_no_reading_follows_yet_is_unknown():
    assert history(reading(0, 0.0)).at(1) is None
    assert history().at(0) is None


def test_a_stamp_in_a_gap_or_before_the_history_is_refused():
    made = history(reading(500, 0.0), reading(900, 1.0))
    with pytest.raises(CadsightError, match=r"gap of 0.40 s"):
        made.at(600 * MILLISECOND)
    with pytest.raises(CadsightError, match=r"begin 0.100 s after the image's stamp"):
        made.at(400 * MILLISECOND)


def test_old_readings_are_forgotten():
    made = history(*(reading(100 * i, i) for i in range(30)))
    with pytest.raises(CadsightError, match="begin"):
        made.at(1800 * MILLISECOND)
    np.testing.assert_allclose(made.at(1950 * MILLISECOND).positions, 19.5)


def test_a_clock_that_jumps_back_starts_afresh():
    made = history(reading(5000, 1.0), reading(100, 2.0), reading(200, 2.0))
    np.testing.assert_array_equal(made.at(150 * MILLISECOND).positions, 2.0)
    assert made.newest.stamp_ns == 200 * MILLISECOND


def test_rest_begins_with_the_first_slow_reading_after_the_last_quick_one():
    made = history(reading(0, 0), reading(10, 0, 0.5), reading(20, 0, 0.001), reading(30, 0, -0.002))
    assert made.still_since(0.01) == 20 * MILLISECOND
    made.add(reading(40, 0, -0.5))
    assert made.still_since(0.01) is None


def test_a_reading_that_no_joint_can_have_come_to_is_a_jump_until_the_readings_are_steady_again():
    jumps = JointJumps(np.full(6, np.pi))
    assert not jumps.add(0, np.zeros(6))
    # 8 ms at half a turn a second are 0.025 rad, and 0.1 rad more are let through.
    assert not jumps.add(8 * MILLISECOND, np.full(6, 0.12))
    assert jumps.sentence is None
    assert jumps.add(16 * MILLISECOND, np.array([0.12, 0.12, 0.42, 0.12, 0.12, 0.12]))
    assert "elbow_joint by 17 degrees in 8 ms" in jumps.sentence
    steady = np.array([0.12, 0.12, 0.42, 0.12, 0.12, 0.12])
    jumps.add(1000 * MILLISECOND, steady)
    assert jumps.sentence is not None
    jumps.add(1017 * MILLISECOND, steady)
    assert jumps.sentence is None


def test_a_long_silence_in_which_the_arm_may_have_moved_is_no_jump():
    jumps = JointJumps(np.full(6, np.pi))
    jumps.add(0, np.zeros(6))
    assert not jumps.add(2000 * MILLISECOND, np.full(6, 3.0))
