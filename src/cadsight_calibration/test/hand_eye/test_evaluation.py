"""What is said of an answer holds against the truth of planted sets."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_calibration.hand_eye.evaluation import EvaluationParameters, evaluate
from cadsight_calibration.hand_eye.hand_eye_file import HandEye, digest, read_hand_eye, write_hand_eye
from cadsight_calibration.hand_eye.solving import SolveParameters, solve_hand_eye
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from planted import CAMERA, planted


@pytest.fixture(scope="module")
def found():
    one = planted(18, seed=3)
    solved = solve_hand_eye(one.images, one.poses, SolveParameters())
    return one, solved, evaluate(solved.problem, solved.kept_solution, EvaluationParameters())


def test_poses_left_out_miss_hardly_more_than_those_in_the_fit(found):
    _, _, figures = found
    assert figures.fitted_px.low <= figures.fitted_px.value <= figures.fitted_px.high
    assert figures.left_out_px.value < 1.5 * figures.fitted_px.value
    assert 0.1 < figures.left_out_mm.value < 5
    assert figures.warnings == ()


def test_the_covariance_covers_the_true_camera():
    squares = []
    for seed in range(5):
        one = planted(12, seed=seed, joint_noise_deg=0.05)
        solved = solve_hand_eye(one.images, one.poses, SolveParameters())
        figures = evaluate(solved.problem, solved.kept_solution, EvaluationParameters())
        off = Pose.from_matrix(np.linalg.inv(solved.solution.camera) @ one.camera)
        squares.append(float(off.translation @ np.linalg.solve(figures.covariance[3:, 3:], off.translation)))
    # Of three numbers that are normal the median is 2.4; half and double that are still a covariance to believe.
    assert 0.8 < np.median(squares) < 7.0, squares


def test_a_label_that_may_be_off_by_more_than_its_limit_is_warned_of(found):
    _, solved, figures = found
    strict = EvaluationParameters(limit_px=figures.label_px / 2, limit_deg=figures.label_deg / 2)
    warned = evaluate(solved.problem, solved.kept_solution, strict).warnings
    assert any("a label's box may be off by" in w for w in warned)
    assert any("a label's normal may be turned by" in w for w in warned)


def _hand_eye(figures):
    pose = Pose.from_rotvec([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    return HandEye(
        "eye_to_hand",
        "base",
        pose,
        CAMERA,
        "A1",
        pose.inverse(),
        figures.joint_covariance,
        figures.noise_px,
        18,
        {"images": 18},
        (),
    )


def test_the_file_reads_as_what_was_written(found, tmp_path):
    written = _hand_eye(found[2])
    path = write_hand_eye(tmp_path / "a.json", written)
    again = read_hand_eye(path)
    np.testing.assert_allclose(again.parent_from_camera.matrix, written.parent_from_camera.matrix, atol=1e-12)
    np.testing.assert_array_equal(again.covariance, written.covariance)
    assert replace(again.camera) == CAMERA
    assert (again.setup, again.parent_frame, again.serial) == ("eye_to_hand", "base", "A1")
    assert len(digest(path)) == 64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"eye_to_hand"', '"eye"'), "has the setup 'eye'"),
        (("parent_from_camera", "camera"), "has no usable"),
        (("cadsight-hand-eye-1", "other"), "expected 'cadsight-hand-eye-1'"),
    ],
)
def test_a_file_of_something_else_is_refused(change, words, found, tmp_path):
    path = write_hand_eye(tmp_path / "a.json", _hand_eye(found[2]))
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(CadsightError, match=words):
        read_hand_eye(path)
