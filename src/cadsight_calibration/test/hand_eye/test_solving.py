"""Sets with a known truth: the camera is found, and each planted fault is named."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_calibration.data.reading import Reading
from cadsight_calibration.fitting.problem import Refinement
from cadsight_calibration.hand_eye.prior_checks import apart, check_size
from cadsight_calibration.hand_eye.solving import SolveParameters, solve_hand_eye
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from planted import BOARD, CAMERA, planted, with_joints

PLAIN = SolveParameters()
REFUSED = "expected the description to say so"


def _solved(one, parameters=PLAIN):
    return solve_hand_eye(one.images, one.poses, parameters)


@pytest.mark.parametrize("in_hand", [False, True])
def test_the_camera_is_found_beside_the_arm_and_in_its_hand(in_hand):
    # In the hand the board leaves the image at small turns, which need sharper corners for the same result.
    noise = {"spread": 0.2, "noise_px": 0.05, "joint_noise_deg": 0.005} if in_hand else {}
    one = planted(15, in_hand=in_hand, **noise)
    found = _solved(one)
    assert found.faults == ()
    assert len(found.kept) == 15
    mm, deg = apart(found.solution.camera, one.camera)
    assert mm < 1.5, mm
    assert deg < 0.15, deg


def test_exact_corners_and_joints_give_the_camera_exactly():
    one = planted(8, noise_px=0.0, joint_noise_deg=0.0)
    mm, deg = apart(_solved(one).solution.camera, one.camera)
    assert mm < 1e-3
    assert deg < 1e-4


def test_two_poses_that_were_exchanged_are_named_and_left_out():
    one = planted()
    joints = one.poses.numbers.joints.copy()
    joints[[4, 11]] = joints[[11, 4]]
    (fault,) = _solved(with_joints(one, joints)).faults
    assert (fault.kind, fault.images) == ("exchanged", ("04.png", "11.png"))
    assert "04.png and 11.png: the poses of the arm were exchanged" in fault.sentence


def test_a_joint_that_reads_wrong_is_named_with_the_angle_that_would_fit():
    one = planted()
    joints = one.poses.numbers.joints.copy()
    true = joints[7, 3]
    joints[7, 3] += 4.0
    (fault,) = _solved(with_joints(one, joints)).faults
    assert (fault.kind, fault.images) == ("joint_reading", ("07.png",))
    assert "joint 4 reads" in fault.sentence
    assert abs(float(fault.sentence.split(", and ")[1].split()[0]) - true) < 0.3


def test_an_image_of_another_pose_of_the_set_is_named_with_that_pose():
    one = planted()
    found = list(one.images.found)
    found[9] = found[2]
    (fault,) = _solved(replace(one, images=replace(one.images, found=tuple(found)))).faults
    assert (fault.kind, fault.images) == ("same_image", ("09.png", "02.png"))


def test_an_image_of_an_arm_that_stood_elsewhere_is_named():
    one = planted()
    joints = one.poses.numbers.joints.copy()
    joints[3] += (6.0, -5.0, 4.0, 7.0, -6.0, 5.0)
    (fault,) = _solved(with_joints(one, joints)).faults
    assert (fault.kind, fault.images) == ("does_not_fit", ("03.png",))
    assert "the arm stood elsewhere, or the board is another one" in fault.sentence


@pytest.mark.parametrize("step_mm", [3.0, 25.0])
def test_a_mount_that_moved_half_way_is_named_with_where_and_how_far(step_mm):
    move = Pose.from_rotvec([0.0, 0.0, np.radians(0.5)], [step_mm / 1e3, 0, 0]).matrix
    one = planted(24, moved=(13, move))
    found = _solved(one)
    (fault,) = found.faults
    assert (fault.kind, fault.images) == ("mount_moved", ("12.png", "13.png"))
    assert abs(float(fault.sentence.split("moved by ")[1].split()[0]) - step_mm) < 1.0
    assert len(found.kept) == 24
    assert apart(found.solution.camera, one.camera)[0] < 2.0


def test_a_camera_that_was_knocked_half_way_is_named_and_the_later_place_taken():
    knock = Pose.from_rotvec([np.radians(1.0), 0.0, 0.0], [0.0, 0.0, 0.02]).matrix
    one = planted(24, knocked=(10, knock))
    found = _solved(one)
    (fault,) = found.faults
    assert (fault.kind, fault.images) == ("camera_moved", ("09.png", "10.png"))
    assert apart(found.solution.camera, one.camera @ knock)[0] < 3.0


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading("eye_to_hand", "radians"), "its angles are read as degrees"),
        (Reading("eye_in_hand", "degrees"), "its setup is read as eye_to_hand"),
        (Reading("eye_to_hand", "degrees", shift=1), "each image is given the pose"),
    ],
)
def test_a_set_that_fits_in_another_reading_is_refused_with_that_reading(reading, words):
    one = planted(12)
    if reading.shift:
        joints = np.roll(one.poses.numbers.joints, 1, axis=0)
        one, reading = with_joints(one, joints), one.poses.reading
    with pytest.raises(CadsightError, match=words) as error:
        _solved(replace(one, poses=replace(one.poses, reading=reading)))
    assert str(error.value).endswith(REFUSED)


def test_fewer_than_five_images_are_refused():
    with pytest.raises(CadsightError, match="4 images of cam show the board at a pose of the arm, expected at least 5"):
        _solved(planted(4))


def test_poses_that_turn_about_one_axis_are_refused_with_the_axis():
    one = planted(10, spread=np.array([0.3, 0, 0, 0, 0, 0]))
    with pytest.raises(CadsightError, match=r"turn about one axis, \(0\.00, 0\.00, 1\.00\) in the base"):
        _solved(one)


def test_images_that_are_not_of_these_poses_are_refused():
    one, other = planted(12), planted(12, seed=5)
    with pytest.raises(CadsightError, match="are these the poses of these images"):
        _solved(replace(one, poses=other.poses))


SMALL = Camera(ImageSize(1920, 1080), 1575.0, 1582.5, 954.25, 556.75, CAMERA.distortion)
CUT = Camera(ImageSize(1920, 1080), 1050.0, 1055.0, 636.0 + 320, 371.0 + 180, CAMERA.distortion)


@pytest.mark.parametrize(("camera", "how"), [(SMALL, "scaled"), (CUT, "cut out around the centre")])
def test_intrinsics_of_another_size_are_named_and_fitted_to_the_images(camera, how):
    one = planted(12)
    found = _solved(replace(one, images=replace(one.images, camera=camera)))
    (fault,) = found.faults
    assert fault.kind == "image_size"
    assert f"they fit images that were {how} to that size" in fault.sentence
    assert apart(found.solution.camera, one.camera)[0] < 2.0


def test_intrinsics_of_another_shape_are_refused():
    one = planted(8)
    camera = replace(CAMERA, size=ImageSize(640, 480))
    with pytest.raises(CadsightError, match="are of 640 x 480 pixels and its images have 1280 x 720"):
        _solved(replace(one, images=replace(one.images, camera=camera)))


@pytest.mark.parametrize("scale", [0.8, 1.05])
def test_a_board_of_another_size_than_said_is_named_with_the_factor(scale):
    found = _solved(planted(scale=scale))
    fault = check_size(found.problem, found.kept_solution, BOARD.words)
    assert fault is not None
    assert abs(float(fault.sentence.split("board is ")[1].split()[0]) - scale) < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_a_set_without_fault_gives_no_alarm(seed):
    found = _solved(planted(20, seed=seed, joint_noise_deg=0.05))
    assert found.faults == ()
    assert check_size(found.problem, found.kept_solution, BOARD.words) is None


def test_offsets_of_joints_are_found_where_they_are_asked_for():
    one = planted(30)
    offsets = np.array([0.0, 1.2, -1.0, 0.8, 1.0, 0.0])
    wrong = with_joints(one, one.poses.numbers.joints + offsets)
    plain = _solved(wrong)
    refined = _solved(wrong, SolveParameters(refinement=Refinement(joint_offsets=True)))
    assert np.median(refined.rms) < 0.6 * np.median(plain.rms)
    # Of the first joint and the last nothing is known apart from camera and board.
    np.testing.assert_allclose(np.degrees(refined.solution.offsets[1:4]), -offsets[1:4], atol=0.3)
