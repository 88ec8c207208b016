"""The arm's kinematics against the manufacturer's published numbers."""

import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES, LINK_NAMES, UR3E_LIMITS, Arm, joint_mapping, joint_vector
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from hypothesis import given, settings
from hypothesis import strategies as st

# Denavit-Hartenberg parameters that Universal Robots publishes for the UR3e: a, d in metres, alpha in radians.
DENAVIT_HARTENBERG = [
    (0.0, 0.15185, np.pi / 2),
    (-0.24355, 0.0, 0.0),
    (-0.2132, 0.0, 0.0),
    (0.0, 0.13105, np.pi / 2),
    (0.0, 0.08535, -np.pi / 2),
    (0.0, 0.0921, 0.0),
]
BASE_LINK_FROM_BASE = Pose.from_rotvec([0.0, 0.0, np.pi])

angles = st.lists(st.floats(-2 * np.pi, 2 * np.pi), min_size=6, max_size=6)


@pytest.fixture(scope="module")
def arm() -> Arm:
    return Arm()


def published(joints: list[float]) -> Pose:
    pose = BASE_LINK_FROM_BASE
    for theta, (a, d, alpha) in zip(joints, DENAVIT_HARTENBERG, strict=True):
        c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
        link = [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]]
        pose = pose @ Pose.from_matrix(link)
    return pose


@settings(deadline=None)
@given(angles)
def test_the_tool_is_where_the_published_numbers_put_it(joints):
    ours, expected = Arm().forward(joints), published(joints)
    np.testing.assert_allclose(ours.matrix, expected.matrix, atol=2e-9)


def test_stretched_out_the_tool_lies_at_the_sum_of_the_links(arm):
    tool = arm.forward(np.zeros(6))
    np.testing.assert_allclose(tool.translation, [0.24355 + 0.2132, 0.13105 + 0.0921, 0.15185 - 0.08535], atol=1e-9)


def test_the_order_of_a_mapping_does_not_matter(arm):
    joints = dict(zip(JOINT_NAMES, [0.1, -1.2, 1.3, -0.4, 0.5, -0.6], strict=True))
    turned = dict(reversed(joints.items()))
    np.testing.assert_array_equal(arm.forward(turned).matrix, arm.forward(joints).matrix)
    assert joint_mapping(turned) == joints


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        ({**dict.fromkeys(JOINT_NAMES, 0.0), "finger_joint": 0.0}, "'finger_joint' is unknown"),
        (dict.fromkeys(JOINT_NAMES[:5], 0.0), "'wrist_3_joint' has no value"),
        ([0.0] * 5, r"shape \(5,\) came, expected 6 values"),
    ],
)
def test_joints_that_do_not_fit_are_refused_by_name(arm, joints, words):
    with pytest.raises(CadsightError, match=words):
        arm.forward(joints)


@pytest.mark.parametrize(
    ("index", "value", "words"),
    [
        (0, 6.3, r"shoulder_pan_joint at 361.0 degrees, expected -360 to 360 degrees"),
        (2, -3.2, r"elbow_joint at -183.3 degrees, expected -180 to 180 degrees"),
        (4, np.nan, r"wrist_2_joint at nan degrees"),
        (5, np.inf, r"wrist_3_joint at inf degrees, expected a finite angle"),
    ],
)
def test_a_joint_past_its_limit_is_named_with_value_and_limits(index, value, words):
    joints = np.zeros(6)
    joints[index] = value
    with pytest.raises(CadsightError, match="the goal has " + words):
        UR3E_LIMITS.check(joints, "the goal")


def test_wrist_3_turns_without_end():
    UR3E_LIMITS.check([0, 0, 0, 0, 0, 20.0], "the goal")


def test_the_jacobian_is_the_derivative_of_the_tool(arm):
    joints, step = joint_vector([0.3, -1.1, 1.4, -0.7, 0.9, 2.0]), 1e-6
    jacobian = arm.jacobian(joints)
    for i in range(6):
        before, after = (arm.forward(joints + sign * step * np.eye(6)[i]) for sign in (-1, 1))
        np.testing.assert_allclose((after.translation - before.translation) / (2 * step), jacobian[:3, i], atol=1e-7)
        turn = Pose(after.rotation @ before.rotation.T, np.zeros(3)).rotvec / (2 * step)
        np.testing.assert_allclose(turn, jacobian[3:, i], atol=1e-7)


def test_every_link_has_a_pose_and_the_last_is_the_tool(arm):
    joints = [0.3, -1.1, 1.4, -0.7, 0.9, 2.0]
    links = arm.links(joints)
    assert tuple(links) == LINK_NAMES
    np.testing.assert_array_equal(links["tool0"].matrix, arm.forward(joints).matrix)
    np.testing.assert_allclose(links["shoulder_link"].translation, [0, 0, 0.15185])
