import numpy as np
import pytest
from cadsight_core.geometry import Pose, angle_between, unit
from core_strategies import directions, poses, vectors
from hypothesis import given

HALF = np.sqrt(0.5)


def test_a_quarter_turn_about_z_takes_x_to_y_and_then_adds_the_translation():
    pose = Pose.from_quaternion((0, 0, HALF, HALF), (1, 2, 3))
    np.testing.assert_allclose(pose.apply([[1, 0, 0], [0, 1, 0]]), [[1, 3, 3], [0, 2, 3]], atol=1e-12)
    np.testing.assert_allclose(pose.rotate([1, 0, 0]), [0, 1, 0], atol=1e-12)


def test_a_product_applies_its_right_side_first():
    turn, shift = Pose.from_rotvec((0, 0, np.pi / 2)), Pose.from_rotvec((0, 0, 0), (1, 0, 0))
    np.testing.assert_allclose((turn @ shift).apply([0, 0, 0]), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose((shift @ turn).apply([0, 0, 0]), [1, 0, 0], atol=1e-12)


@given(poses, poses, vectors)
def test_a_product_is_one_pose_after_the_other(a, b, point):
    np.testing.assert_allclose((a @ b).apply(point), a.apply(b.apply(point)), atol=1e-9)


@given(poses, vectors)
def test_the_inverse_brings_points_back(pose, point):
    np.testing.assert_allclose(pose.inverse().apply(pose.apply(point)), point, atol=1e-9)
    np.testing.assert_allclose((pose @ pose.inverse()).matrix, np.eye(4), atol=1e-9)


@given(poses)
def test_json_matrix_quaternion_and_rotation_vector_hold_the_same_pose(pose):
    for copy in (
        Pose.from_json(pose.to_json()),
        Pose.from_matrix(pose.matrix),
        Pose.from_quaternion(pose.quaternion, pose.translation),
        Pose.from_rotvec(pose.rotvec, pose.translation),
    ):
        np.testing.assert_allclose(copy.matrix, pose.matrix, atol=1e-9)
    assert pose.quaternion[3] >= 0


def test_json_names_the_quaternion_in_the_order_of_ros():
    data = Pose.from_rotvec((0, 0, np.pi / 2), (1, 2, 3)).to_json()
    np.testing.assert_allclose(data["rotation_xyzw"], [0, 0, HALF, HALF])
    assert data["translation_m"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("a", "b", "degrees"),
    [
        ((1, 0, 0), (0, 5, 0), 90.0),
        ((0, 0, 2), (0, 0, -1), 180.0),
        ((0, 0, 1), (0, 0, 7), 0.0),
        ((1, 1, 0), (1, 0, 0), 45.0),
        ((0, 0, 1), (1e-9, 0, 1), np.degrees(1e-9)),
    ],
)
def test_the_angle_between_directions_does_not_depend_on_their_length(a, b, degrees):
    assert angle_between(a, b) == pytest.approx(degrees, rel=1e-9, abs=1e-15)


def test_angles_are_taken_row_by_row():
    np.testing.assert_allclose(angle_between([[1, 0, 0], [0, 1, 0]], [0, 1, 0]), [90, 0], atol=1e-12)


@given(directions, poses)
def test_rotations_keep_angles_and_lengths(direction, pose):
    turned = pose.rotate(direction)
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(direction))
    other = pose.rotate([0, 0, 1])
    assert angle_between(turned, other) == pytest.approx(angle_between(direction, [0, 0, 1]), abs=1e-6)


def test_unit_leaves_zero_alone():
    np.testing.assert_allclose(unit([[0, 0, 0], [3, 0, 4]]), [[0, 0, 0], [0.6, 0, 0.8]])
