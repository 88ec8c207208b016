"""The motion node with the simulated cell's controller: it moves, and says in a sentence why it does not."""

import time

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from cadsight_cell.arm import JOINT_NAMES
from cadsight_ros.convert.messages import joints_by_name, stamp_ns
from cell_nodes import HELD, Program, running_cell, until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState

HOME = dict(zip(JOINT_NAMES, [-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489], strict=True))


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with running_cell(tmp_path_factory.mktemp("cell"), {"home_joints": list(HOME.values())}) as running:
        yield running


@pytest.fixture(scope="module")
def states(cell):
    received = []
    cell.node.create_subscription(JointState, "/joint_states", received.append, qos_profile_sensor_data)
    until(lambda: received, 120.0)
    return received


def now(states):
    """The joints as they were after this call; older states may still be waiting to be heard."""
    called = time.time_ns()
    until(lambda: stamp_ns(states[-1].header.stamp) > called, 120.0)
    return joints_by_name(states[-1], JOINT_NAMES)


def test_a_named_joint_moves_and_the_others_keep_their_place(cell, states):
    before = now(states)
    result = cell.move({"wrist_3_joint": HOME["wrist_3_joint"] + 0.5})
    assert (result.success, result.reason) == (True, "")
    assert result.message.startswith("moved in ")
    # Joint readings have a noise of 0.02 degrees, which a motion starts from.
    np.testing.assert_allclose(now(states), before + 0.5 * np.eye(6)[5], atol=np.deg2rad(0.15))
    assert cell.move(HOME).success


def test_progress_comes_while_the_arm_moves(cell):
    seen = []
    running = cell.motion.send(cell.goal({"wrist_1_joint": HOME["wrist_1_joint"] + 0.3}, 0.1), lambda f: seen.append(f))
    assert running.wait(120)[1].success
    progress = [f.progress for f in seen]
    assert progress == sorted(progress)
    assert all(0 <= p <= 1 for p in progress)
    assert cell.move(HOME).success


@pytest.mark.parametrize(
    ("joints", "scaling", "reason", "words"),
    [
        ({"elbow": 0.1}, 0.0, "unreachable", "the goal names the joint 'elbow', expected some of shoulder_pan_joint"),
        ({"elbow_joint": 3.5}, 0.0, "unreachable", "has elbow_joint at 200.5 degrees, expected -180 to 180 degrees"),
        ({"elbow_joint": float("nan")}, 0.0, "unreachable", "has elbow_joint at nan degrees"),
        ({"shoulder_lift_joint": 0.3}, 0.0, "colliding", "the goal of the motion brings together"),
        ({}, 0.0, "unreachable", "the goal names 0 joints and has 0 positions"),
        ({"wrist_3_joint": 0.0}, 1.5, "refused", "the velocity scaling is 1.5, expected above 0 and at most 1"),
    ],
)
def test_a_goal_that_cannot_be_is_answered_in_a_sentence(cell, states, joints, scaling, reason, words):
    before = now(states)
    result = cell.move(joints, scaling)
    assert (result.success, result.reason) == (False, reason)
    assert words in result.message
    np.testing.assert_allclose(now(states), before, atol=np.deg2rad(0.15))


def test_a_cancelled_motion_stops_the_arm_on_its_way(cell, states):
    goal = {"shoulder_pan_joint": HOME["shoulder_pan_joint"] + 1.0}
    running = cell.motion.send(cell.goal(goal, 0.1))
    until(lambda: now(states)[0] > HOME["shoulder_pan_joint"] + 0.02, 120.0)
    running.cancel()
    status, result = running.wait(60)
    assert (status, result.reason) == (GoalStatus.STATUS_CANCELED, "cancelled")
    time.sleep(0.3)
    stopped, count_then = now(states), len(states)
    until(lambda: len(states) > count_then + 10, 120.0)
    later = now(states)
    np.testing.assert_allclose(stopped, later, atol=np.deg2rad(0.15))
    assert HOME["shoulder_pan_joint"] < stopped[0] < goal["shoulder_pan_joint"] - 0.1
    assert cell.move(HOME).success


def test_a_second_motion_is_refused_while_one_runs(cell, states):
    running = cell.motion.send(cell.goal({"wrist_3_joint": HOME["wrist_3_joint"] + 0.6}, 0.1))
    until(lambda: now(states)[5] > HOME["wrist_3_joint"] + 0.02, 120.0)
    result = cell.move(HOME)
    assert (result.success, result.reason) == (False, "refused")
    assert "the arm is moving already" in result.message
    assert running.wait(120)[1].success
    assert cell.move(HOME).success


def test_a_controller_that_is_not_there_is_named(cell):
    from cadsight_ros.clients import ActionClient

    from cadsight_interfaces.action import MoveToJoints

    other = Program(
        "cadsight_cell.motion_node",
        cell.folder / "other.log",
        # Its server may be found before it has found the arm's driver itself.
        {**HELD, "controller": "nobody", "accept_timeout_s": 0.5, "joint_state_timeout_s": 15.0},
        cell.domain,
        ("__node:=other",),
    )
    try:
        client = ActionClient(cell.node, MoveToJoints, "/cadsight/other/move_to_joints", accept_timeout_s=60.0)
        result = client.send(cell.goal({"wrist_3_joint": 0.0})).wait(60)[1]
        assert (result.success, result.reason) == (False, "not_ready")
        assert "no server of the action /nobody/follow_joint_trajectory was there for 0.5 s" in result.message
    finally:
        assert other.end() == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"velocity_scaling": 2.0}, "parameter velocity_scaling is 2.0, expected at least 0 and at most 1"),
        ({"velocity_scaling": 0.001}, "parameter velocity_scaling is 0.001, expected 0 or at least 0.01"),
        ({"mount": [0.0, 0.0, 0.1]}, "mount is [0.0, 0.0, 0.1], expected 7 values: tool0_from_part: x, y, z in metres"),
        ({"part": "/nowhere/part.yaml"}, "the part /nowhere/part.yaml could not be read"),
        ({"bodies": "package://nowhere/bodies.yaml"}, "names the package 'nowhere', which is not installed"),
    ],
)
def test_a_wrong_parameter_ends_the_node_at_start_with_a_sentence(tmp_path, parameters, words):
    program = Program("cadsight_cell.motion_node", tmp_path / "log", {**HELD, **parameters}, 99, ("__node:=wrong",))
    try:
        assert program.process.wait(120) == 2
    finally:
        program.kill()
    assert words in program.log.read_text()
