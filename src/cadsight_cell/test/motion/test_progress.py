"""How far the arm has come by its joint states, however fast it goes."""

import numpy as np
import pytest
from cadsight_cell.arm import UR3E_LIMITS
from cadsight_cell.motion.progress import MotionProgress
from cadsight_cell.motion.trajectory import time_path
from hypothesis import given, settings
from hypothesis import strategies as st

HOME = np.array([-0.4, -1.2, 2.1, -2.5, 1.5, -1.1])
PATH = time_path(np.stack([HOME, HOME + [0.5, 0, 0, 0.3, 0, 0.8], HOME]), UR3E_LIMITS, lambda a, b: True)  # noqa: RUF005
SECOND = 1_000_000_000


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([1.0, 0.3, 0.1]), st.integers(0, 5))
def test_a_motion_at_any_speed_is_followed_to_its_end_and_never_counts_as_stalled(speed, seed):
    noise = np.random.default_rng(seed)
    progress, seen = MotionProgress(PATH, stall_s=2.0), []
    ends = PATH.duration / speed
    for seconds in np.append(np.arange(0.0, ends, 0.008), ends):
        place = PATH.sample(np.array([seconds * speed]))[0][0]
        progress.add(round(seconds * SECOND), place + noise.normal(0, np.deg2rad(0.02), 6))
        seen.append(progress.fraction - seconds * speed / PATH.duration)
        assert not progress.stalled
    assert np.abs(seen).max() < 0.05
    assert progress.fraction > 0.97


def test_an_arm_that_stands_is_stalled_after_the_time_of_its_own_stamps():
    progress = MotionProgress(PATH, stall_s=2.0)
    half = PATH.sample(np.array([PATH.duration / 4]))[0][0]
    noise = np.random.default_rng(1)
    stalled = []
    for i in range(300):
        progress.add(i * SECOND // 100, half + noise.normal(0, np.deg2rad(0.02), 6))
        stalled.append(progress.stalled)
    # The noise itself may count as an advance at its first readings.
    assert 200 <= stalled.index(True) < 260
    assert progress.fraction == pytest.approx(0.25, abs=0.03)


def test_states_that_were_lost_do_not_end_a_motion():
    progress = MotionProgress(PATH, stall_s=2.0)
    progress.add(0, HOME)
    progress.add(60 * SECOND, PATH.sample(np.array([PATH.duration * 0.4]))[0][0])
    assert not progress.stalled
    assert progress.fraction == pytest.approx(0.4, abs=0.01)


def test_on_the_way_there_the_way_back_is_not_taken_for_it():
    progress = MotionProgress(PATH, stall_s=2.0)
    progress.add(0, HOME)
    assert progress.fraction == 0.0
