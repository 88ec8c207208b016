"""Random configurations around a home."""

import numpy as np
import pytest
from cadsight_cell.motion.poses import PoseSampler
from cadsight_core.errors import CadsightError

HOME = np.array([0.1, -1.2, 1.3, -0.4, 0.5, -0.6])
SPREAD = np.array([0.3, 0.0, 0.0, 0.5, 0.5, 1.0])


def test_poses_stay_inside_the_spread_and_fill_it():
    poses = np.array([PoseSampler(HOME, SPREAD, 1).pose(i)[0] for i in range(300)]) - HOME
    assert (np.abs(poses) <= SPREAD).all()
    assert (np.ptp(poses, axis=0) >= 1.9 * SPREAD).all()


def test_a_pose_depends_on_the_seed_and_its_number_alone():
    first, second, other = PoseSampler(HOME, SPREAD, 1), PoseSampler(HOME, SPREAD, 1), PoseSampler(HOME, SPREAD, 2)
    forward = [first.pose(i)[0] for i in range(5)]
    backward = [second.pose(i)[0] for i in reversed(range(5))][::-1]
    np.testing.assert_array_equal(forward, backward)
    assert not np.allclose(other.pose(0)[0], forward[0])


def test_refused_tries_are_counted_by_reason():
    sampler = PoseSampler(HOME, SPREAD, 1, lambda joints: "left" if joints[0] < HOME[0] else "")
    tries = [sampler.pose(i) for i in range(50)]
    assert all(joints[0] >= HOME[0] for joints, _ in tries)
    assert sum(refused.get("left", 0) for _, refused in tries) == pytest.approx(50, abs=25)


def test_a_spread_that_never_fits_is_given_up_in_a_sentence():
    sampler = PoseSampler(HOME, SPREAD, 1, lambda joints: "colliding", max_tries=7)
    with pytest.raises(CadsightError, match=r"none of 7 poses around home could be used \(7 colliding\)"):
        sampler.pose(0)


def test_a_negative_spread_is_refused():
    with pytest.raises(CadsightError, match="spread"):
        PoseSampler(HOME, -SPREAD, 1)
