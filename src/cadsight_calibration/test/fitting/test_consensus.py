"""Views that are ambiguous one by one, and of which some are wrong, agree on one camera."""

import numpy as np
from cadsight_calibration.fitting.consensus import board_poses, candidates
from cadsight_calibration.fitting.views import Views
from cadsight_calibration.hand_eye.prior_checks import apart
from planted import CAMERA, planted


def _views(one):
    return Views.of(one.images.images, one.images.found), one.poses.numbers.tool_poses(one.poses.reading)


def test_each_view_has_two_poses_for_each_order_and_one_of_them_is_near_the_truth():
    one = planted(8)
    views, _ = _views(one)
    for poses, true in zip(board_poses(views, CAMERA), one.seen, strict=True):
        assert poses.shape == (4, 4, 4)
        assert min(apart(pose, true)[1] for pose in poses) < 5.0


def test_the_camera_is_near_though_a_third_of_the_poses_are_wrong():
    one = planted(15)
    views, motions = _views(one)
    motions[[1, 4, 7, 10, 13]] = motions[[4, 7, 10, 13, 1]]
    best = candidates(views, motions, CAMERA)[0]
    mm, deg = apart(best.camera, one.camera)
    assert mm < 40
    assert deg < 4


def test_the_same_seed_gives_the_same_candidates():
    one = planted(12)
    views, motions = _views(one)
    first, second = candidates(views, motions, CAMERA, 3), candidates(views, motions, CAMERA, 3)
    assert [c.score for c in first] == [c.score for c in second]
    np.testing.assert_array_equal(first[0].camera, second[0].camera)
