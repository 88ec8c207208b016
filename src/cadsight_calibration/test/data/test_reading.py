"""Numbers in any unit and form are the same pose; tables of values worked out by hand."""

import math

import numpy as np
import pytest
from cadsight_calibration.arm.chain import MODELS, Chain, model
from cadsight_calibration.data.reading import ArmNumbers, Reading, inverse, rotations
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from hypothesis import given
from hypothesis import strategies as st

# A quarter turn about z, then (in the turned frame) a quarter turn about x.
QUARTER = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], float)
H = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("form", "numbers", "unit"),
    [
        ("euler_zyx", [90, 0, 90], "degrees"),
        ("fixed_xyz", [90, 0, 90], "degrees"),
        ("fixed_xyz", [math.pi / 2, 0, math.pi / 2], "radians"),
        ("euler_xyz", [90, 90, 0], "degrees"),
        ("fixed_zyx", [0, 90, 90], "degrees"),
        ("quaternion_xyzw", [0.5, 0.5, 0.5, 0.5], "radians"),
        ("quaternion_wxyz", [0.5, 0.5, 0.5, 0.5], "radians"),
        ("rotation_vector", [120 / math.sqrt(3)] * 3, "degrees"),
        ("matrix", [0, 0, 1, 1, 0, 0, 0, 1, 0], "radians"),
    ],
)
def test_every_form_gives_the_same_turn(form, numbers, unit):
    np.testing.assert_allclose(rotations(np.array([numbers], float), form, unit)[0], QUARTER, atol=1e-12)


def test_the_two_orders_of_a_quaternion_differ():
    numbers = np.array([[H, 0.0, 0.0, H]])
    about_x = rotations(numbers, "quaternion_xyzw", "radians")[0]
    about_z = rotations(numbers, "quaternion_wxyz", "radians")[0]
    np.testing.assert_allclose(about_x @ (0, 1, 0), (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(about_z @ (1, 0, 0), (0, 1, 0), atol=1e-12)


@pytest.mark.parametrize(
    ("form", "numbers", "words"),
    [
        ("quaternion_xyzw", [0, 0, 0, 0], "a quaternion is zero"),
        ("euler_xyz", [1, 2, 3, 4], "4 numbers, expected 3"),
        ("matrix", [1, 0, 0, 0, 1, 0, 0, 0, 2], "is off by 3 from a rotation"),
        ("matrix", [1, 0, 0, 0, 1, 0, 0, 0, -1], "expected one of a pose"),
    ],
)
def test_numbers_that_are_no_rotation_are_refused(form, numbers, words):
    with pytest.raises(CadsightError, match=words):
        rotations(np.array([numbers], float), form, "radians")


def test_millimetres_and_the_inverse_are_read_as_said():
    numbers = ArmNumbers(position=np.array([[100.0, 0, 0]]), rotation=np.array([[0.0, 0, 90]]))
    reading = Reading("eye_to_hand", "degrees", "mm", "euler_xyz")
    pose = numbers.tool_poses(reading)[0]
    np.testing.assert_allclose(pose[:3, 3], (0.1, 0, 0), atol=1e-12)
    other = numbers.tool_poses(Reading("eye_to_hand", "degrees", "mm", "euler_xyz", inverted=True))[0]
    np.testing.assert_allclose(other @ pose, np.eye(4), atol=1e-12)


@given(st.integers(0, 10_000))
def test_the_inverse_of_a_pose_is_that_of_its_matrix(seed):
    rng = np.random.default_rng(seed)
    pose = Pose.from_rotvec(rng.normal(size=3), rng.normal(size=3)).matrix
    np.testing.assert_allclose(inverse(pose[None])[0], np.linalg.inv(pose), atol=1e-9)


def test_a_ur3e_at_zero_reaches_along_its_links():
    # At zero the upper arm and the forearm lie along -x, and the last three joints point sideways and down.
    pose = MODELS["ur3e"].forward(np.zeros((1, 6)))[0]
    np.testing.assert_allclose(pose[:3, 3], (-0.24355 - 0.2132, -0.13105 - 0.0921, 0.15185 - 0.08535), atol=1e-12)


def test_the_modified_convention_is_another_table_of_the_same_arm():
    # A planar arm of two links of 0.3 m: standard has the lengths at their own joints, modified at the next one.
    lengths, zero = np.array([0.3, 0.3]), np.zeros(2)
    standard = Chain(lengths, zero, zero, zero)
    modified = Chain(np.array([0.0, 0.3]), zero, zero, zero, "modified")
    angles = np.array([[0.3, -1.1]])
    end = modified.forward(angles)[0] @ Pose(np.eye(3), np.array([0.3, 0, 0])).matrix
    np.testing.assert_allclose(standard.forward(angles)[0], end, atol=1e-12)


def test_an_unknown_arm_is_refused():
    with pytest.raises(CadsightError, match="the arm 'kuka' is not known, expected one of ur3, ur3e"):
        model("kuka")
