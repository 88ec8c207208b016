"""A camera that was knocked is told from one that stands, by a few images."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_calibration.hand_eye.drift import check_place
from cadsight_calibration.hand_eye.evaluation import EvaluationParameters, evaluate
from cadsight_calibration.hand_eye.hand_eye_file import HandEye
from cadsight_calibration.hand_eye.solving import SolveParameters, solve_hand_eye
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, unit
from planted import CAMERA, planted


@pytest.fixture(scope="module")
def hand_eye():
    one = planted(15)
    solved = solve_hand_eye(one.images, one.poses, SolveParameters())
    figures = evaluate(solved.problem, solved.kept_solution, EvaluationParameters())
    camera, board = (Pose.from_matrix(m) for m in (solved.solution.camera, solved.solution.boards[0]))
    covariance, noise = figures.joint_covariance, figures.noise_px
    return HandEye("eye_to_hand", "base", camera, CAMERA, "", board, covariance, noise, 15, {}, ())


@pytest.mark.parametrize("seed", range(10))
def test_a_camera_that_stands_gives_no_alarm(hand_eye, seed):
    new = planted(5, seed=100 + seed)
    found = check_place(hand_eye, new.images, new.poses)
    assert not found.moved, found.p_value
    assert found.before_px < 1.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("mm", "deg"), [(2.0, 0.0), (0.0, 0.3)])
def test_a_camera_that_was_knocked_is_told_from_five_images(hand_eye, seed, mm, deg):
    rng = np.random.default_rng(seed)
    turn, move = unit(rng.normal(size=(2, 3)))
    knock = Pose.from_rotvec(turn * np.radians(deg), move * mm * 1e-3)
    new = planted(5, seed=200 + seed, knocked=(0, knock.matrix))
    found = check_place(hand_eye, new.images, new.poses)
    assert found.moved, found.p_value
    # Five images tell a turn from a shift of the camera badly, and that it has moved well.
    assert abs(found.mm - mm) < 3.0
    assert abs(found.deg - deg) < 0.2
    assert found.after_px < found.before_px


def test_images_of_another_size_are_refused(hand_eye):
    new = planted(5)
    with pytest.raises(CadsightError, match="have 640 x 480 pixels and the calibration is of 1280 x 720"):
        check_place(hand_eye, replace(new.images, size=ImageSize(640, 480)), new.poses)


def test_no_image_with_a_board_is_refused(hand_eye):
    new = planted(5)
    with pytest.raises(CadsightError, match="no image of cam shows the board"):
        check_place(hand_eye, replace(new.images, images=(), found=()), new.poses)
