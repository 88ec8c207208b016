"""A motion node that plans and shows and moves nothing, beside a driver that publishes joint states alone."""

import contextlib
import re
import time

import numpy as np
import pytest
import rclpy
from cadsight_cell.arm import JOINT_NAMES, Arm
from cadsight_cell.motion.collision import load_bodies
from cadsight_ros.clients import ActionClient, spinning
from cadsight_ros.convert.qos import LATCHED
from cell_nodes import HELD, Cell, Program, another_domain
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from cadsight_interfaces.action import MoveToJoints

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
TURN = {"wrist_3_joint": HOME[5] + 0.5}


@contextlib.contextmanager
def motion_beside(driver: str, log, **parameters):
    """A motion node in a domain of its own with a node of this name that publishes joint states; its client."""
    with another_domain() as domain:
        context = rclpy.Context()
        rclpy.init(args=[], context=context, domain_id=domain)
        node = rclpy.create_node(driver, context=context)
        states = node.create_publisher(JointState, "/joint_states", 10)

        def publish():
            state = JointState(name=list(JOINT_NAMES), position=HOME.tolist(), velocity=[0.0] * 6)
            state.header.stamp = node.get_clock().now().to_msg()
            states.publish(state)

        node.create_timer(0.02, publish)
        program = Program("cadsight_cell.motion_node", log, {**HELD, **parameters}, domain)
        try:
            with spinning(node):
                client = ActionClient(node, MoveToJoints, "/cadsight/motion/move_to_joints", accept_timeout_s=90.0)
                yield node, client, program
        finally:
            node.destroy_node()
            rclpy.try_shutdown(context=context)
            assert program.end() == 0, program.log.read_text()


# Half a radian of wrist 3 at 5 rad/s2: full speed is never reached, and a tenth of it, 0.628 rad/s, is.
@pytest.mark.parametrize(
    ("driver", "asked", "seconds"),
    [
        ("simulated_cell", {}, 2 * np.sqrt(0.5 / 5)),
        ("controller_manager", {}, 0.5 / (0.2 * np.pi) + 0.2 * np.pi / 5),
        ("controller_manager", {"velocity_scaling": 1.0}, 2 * np.sqrt(0.5 / 5)),
    ],
)
def test_an_arm_that_is_not_simulated_is_slow_unless_the_file_says_otherwise(tmp_path, driver, asked, seconds):
    with motion_beside(driver, tmp_path / "log", dry_run=True, **asked) as (_, client, _program):
        result = client.send(Cell.goal(TURN)).wait(90)[1]
    assert (result.success, result.reason) == (False, "dry_run")
    assert result.message.endswith("s and moved nothing, since dry_run is true")
    planned = float(re.search(r"a motion of ([\d.]+) s", result.message)[1])
    assert seconds - 0.01 <= planned <= 1.04 * seconds


def test_a_dry_run_shows_what_would_be_moved_and_what_is_avoided_and_needs_no_controller(tmp_path):
    shown = {}
    with motion_beside("mock", tmp_path / "log", dry_run=True) as (node, client, program):
        for kind, name in ((MarkerArray, "preview"), (JointTrajectory, "trajectory"), (MarkerArray, "bodies")):
            topic = f"/cadsight/motion/{name}"
            node.create_subscription(kind, topic, lambda m, name=name: shown.update({name: m}), LATCHED)
        for _ in range(2):
            assert client.send(Cell.goal(TURN)).wait(90)[1].reason == "dry_run"
        end = time.monotonic() + 90
        while len(shown) < 3:
            assert time.monotonic() < end
            time.sleep(0.02)
        said = program.log.read_text()
    # A driver that tells nothing of the arm's modes is said once for each topic.
    assert said.count("nobody publishes /io_and_status_controller/safety_mode") == 1
    last = shown["trajectory"].points[-1].positions
    np.testing.assert_allclose(last, HOME + 0.5 * np.eye(6)[5], atol=1e-6)
    line, ball = shown["preview"].markers
    place = Arm().forward(last).translation
    for point in (line.points[-1], ball.pose.position):
        np.testing.assert_allclose([point.x, point.y, point.z], place, atol=1e-6)
    assert line.header.frame_id == "base_link"
    bodies = load_bodies(HELD["bodies"])
    boxes = [m for m in shown["bodies"].markers if m.action == m.ADD]
    assert [(m.ns, m.header.frame_id) for m in boxes] == [(b.name, b.attached_to) for b in bodies]
    for marker, body in zip(boxes, bodies, strict=True):
        assert (marker.scale.x, marker.scale.y, marker.scale.z) == body.size_m
        assert (marker.pose.position.x, marker.pose.position.y, marker.pose.position.z) == body.centre_m


def test_a_motion_out_of_the_workspace_is_refused_where_it_would_leave_it(tmp_path):
    low = float(Arm().forward(HOME).translation[2]) - 0.02
    with motion_beside("mock", tmp_path / "log", lowest_tool=low) as (_, client, _program):
        result = client.send(Cell.goal({"shoulder_lift_joint": HOME[1] + 0.1})).wait(90)[1]
    assert (result.success, result.reason) == (False, "out_of_bounds")
    assert "the motion takes the tool to z = " in result.message
