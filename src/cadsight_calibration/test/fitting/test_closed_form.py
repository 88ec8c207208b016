"""The hand-eye equation in closed form."""

import numpy as np
from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fitting.closed_form import solve
from cadsight_core.geometry import Pose
from hypothesis import given, settings
from hypothesis import strategies as st


def _poses(rng, count):
    return np.stack([Pose.from_rotvec(rng.normal(size=3), rng.normal(size=3)).matrix for _ in range(count)])


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 8))
def test_exact_motions_give_the_camera_and_the_board_exactly(seed, count):
    rng = np.random.default_rng(seed)
    camera, board, *motions = _poses(rng, count + 2)
    boards = inverse(camera) @ np.array(motions) @ board
    found = solve(np.array(motions), boards)
    assert found is not None
    np.testing.assert_allclose(found[0], camera, atol=1e-6)
    np.testing.assert_allclose(found[1], board, atol=1e-6)


def test_turns_about_one_axis_alone_give_no_answer():
    rng = np.random.default_rng(0)
    motions = np.stack([Pose.from_rotvec([0, 0, a], rng.normal(size=3)).matrix for a in (0.0, 0.4, 1.1, 2.0)])
    camera, board = _poses(rng, 2)
    assert solve(motions, inverse(camera) @ motions @ board) is None
