"""An arm that is slowed, stopped, or moved by another: what the motion node does, and what it says."""

import time

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from cadsight_cell.arm import JOINT_NAMES
from cadsight_ros.clients import ActionClient, RefusedError
from cadsight_ros.convert.messages import joints_by_name, stamp_ns
from cadsight_ros.convert.qos import LATCHED
from cell_nodes import Requests, running_cell, until
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from controller_manager_msgs.srv import ListControllers
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64
from trajectory_msgs.msg import JointTrajectoryPoint
from ur_dashboard_msgs.msg import RobotMode, SafetyMode
from ur_dashboard_msgs.srv import GetProgramState, GetRobotMode, GetSafetyMode, IsProgramRunning

HOME = dict(zip(JOINT_NAMES, [-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489], strict=True))
AWAY = {"shoulder_pan_joint": HOME["shoulder_pan_joint"] + 0.6}
ACTION = "/scaled_joint_trajectory_controller/follow_joint_trajectory"
Result = FollowJointTrajectory.Result


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with running_cell(tmp_path_factory.mktemp("cell"), {"home_joints": list(HOME.values())}) as running:
        yield running


@pytest.fixture(scope="module")
def ask(cell):
    return Requests(cell.node)


@pytest.fixture(scope="module")
def heard(cell):
    """The latest message of each topic."""
    latest = {}
    for kind, topic, qos in (
        (JointState, "/joint_states", qos_profile_sensor_data),
        (RobotMode, "/io_and_status_controller/robot_mode", LATCHED),
        (SafetyMode, "/io_and_status_controller/safety_mode", LATCHED),
        (Bool, "/io_and_status_controller/robot_program_running", LATCHED),
        (Float64, "/speed_scaling_state_broadcaster/speed_scaling", 10),
    ):
        cell.node.create_subscription(kind, topic, lambda m, name=topic: latest.update({name.split("/")[-1]: m}), qos)
    until(lambda: len(latest) == 5)
    return latest


@pytest.fixture(scope="module")
def controller(cell):
    return ActionClient(cell.node, FollowJointTrajectory, ACTION, accept_timeout_s=60.0)


@pytest.fixture(autouse=True)
def ready(cell, ask, heard):
    yield
    for name in (
        "/simulated_cell/fault/clear",
        "/dashboard_client/unlock_protective_stop",
        "/dashboard_client/power_on",
        "/dashboard_client/brake_release",
        "/dashboard_client/play",
    ):
        ask.trigger(name)
    until(lambda: (heard["robot_mode"].mode, heard["safety_mode"].mode) == (7, 1) and heard["speed_scaling"].data > 0)
    # Until the node has heard of it too, and a jump of the readings lies a second back.
    until(lambda: cell.move(HOME).success)


def now(heard):
    called = time.time_ns()
    until(lambda: stamp_ns(heard["joint_states"].header.stamp) > called)
    return joints_by_name(heard["joint_states"], JOINT_NAMES)


def pan(heard):
    return now(heard)[0] - HOME["shoulder_pan_joint"]


def goal(target=0.6, seconds=2.0, velocity=0.0, **more):
    made = FollowJointTrajectory.Goal(**more)
    made.trajectory.joint_names = list(JOINT_NAMES)
    positions = [*HOME.values()]
    positions[0] += target
    time_from_start = Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))
    made.trajectory.points = [
        JointTrajectoryPoint(positions=positions, velocities=[velocity, *[0.0] * 5], time_from_start=time_from_start)
    ]
    return made


def test_a_slider_at_a_third_makes_a_motion_slower_and_nothing_else(cell, ask, heard):
    ask.trigger("/simulated_cell/fault/slider")
    until(lambda: heard["speed_scaling"].data == 30.0)
    seen = []
    # 12 s at full speed: the limit of old, twice that and 5 s more, would have broken it off.
    running = cell.motion.send(cell.goal({"wrist_3_joint": HOME["wrist_3_joint"] + 0.25}, 0.01), seen.append)
    status, result = running.wait(240)
    assert (status, result.success) == (GoalStatus.STATUS_SUCCEEDED, True)
    assert len(seen) > 20
    np.testing.assert_allclose(now(heard)[5], HOME["wrist_3_joint"] + 0.25, atol=np.deg2rad(0.15))


def test_a_motion_of_an_arm_that_stands_still_ends_and_is_not_taken_up_when_it_goes_again(cell, ask, heard):
    running = cell.motion.send(cell.goal(AWAY, 0.05))
    until(lambda: pan(heard) > 0.02)
    assert ask.trigger("/dashboard_client/pause").success
    status, result = running.wait(120)
    assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, "stalled")
    assert "the arm did not come on for 5 s at " in result.message
    assert "its program is paused" in result.message
    refused = cell.move(HOME)
    assert (refused.success, refused.reason) == (False, "not_ready")
    assert "the arm's speed is scaled to 0 %" in refused.message
    stopped = pan(heard)
    ask.trigger("/dashboard_client/play")
    until(lambda: heard["speed_scaling"].data == 100.0)
    assert pan(heard) == pytest.approx(stopped, abs=np.deg2rad(0.15))


def test_a_protective_stop_ends_the_motion_and_nothing_moves_until_it_is_unlocked_and_played(cell, ask, heard):
    running = cell.motion.send(cell.goal(AWAY, 0.05))
    until(lambda: pan(heard) > 0.02)
    ask.trigger("/simulated_cell/fault/protective_stop")
    status, result = running.wait(120)
    assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, "not_ready")
    assert "PROTECTIVE_STOP" in result.message
    assert "/dashboard_client/unlock_protective_stop" in result.message
    assert "PROTECTIVE_STOP" in cell.move(HOME).message
    modes = ask.call(GetSafetyMode, "/dashboard_client/get_safety_mode")
    assert (modes.safety_mode.mode, modes.answer) == (SafetyMode.PROTECTIVE_STOP, "Safetymode: PROTECTIVE_STOP")
    assert ask.call(GetRobotMode, "/dashboard_client/get_robot_mode").robot_mode.mode == RobotMode.RUNNING
    assert ask.call(GetProgramState, "/dashboard_client/program_state").state.state == "PAUSED"
    stopped = pan(heard)
    assert ask.trigger("/dashboard_client/unlock_protective_stop").success
    assert ask.trigger("/dashboard_client/play").success
    until(lambda: heard["speed_scaling"].data == 100.0)
    assert pan(heard) == pytest.approx(stopped, abs=np.deg2rad(0.15))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("emergency_stop", "ROBOT_EMERGENCY_STOP"),
        ("program_stopped", "the arm's program does not run"),
        ("lost_connection", "the arm's program does not run"),
    ],
)
def test_a_fault_that_ends_the_program_is_said_in_the_middle_of_a_motion_and_at_the_next(
    cell, ask, heard, fault, words
):
    running = cell.motion.send(cell.goal(AWAY, 0.05))
    until(lambda: pan(heard) > 0.02)
    ask.trigger(f"/simulated_cell/fault/{fault}")
    status, result = running.wait(120)
    assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, "not_ready")
    assert words in result.message
    assert not ask.call(IsProgramRunning, "/dashboard_client/program_running").program_running
    states = {c.name: c.state for c in ask.call(ListControllers, "/controller_manager/list_controllers").controller}
    assert states["scaled_joint_trajectory_controller"] == "inactive"
    assert states["joint_state_broadcaster"] == "active"
    again = cell.move(HOME)
    assert (again.success, again.reason) == (False, "not_ready")


def test_readings_that_jump_end_the_motion(cell, ask, heard):
    running = cell.motion.send(cell.goal(AWAY, 0.05))
    until(lambda: pan(heard) > 0.02)
    ask.trigger("/simulated_cell/fault/joint_jump")
    result = running.wait(120)[1]
    assert result.reason in ("not_ready", "aborted")
    assert "the joint states jumped: elbow_joint by 17 degrees" in result.message or "PATH_TOL" in result.message


def test_a_motion_is_refused_while_another_client_moves_the_arm_and_says_so(cell, controller):
    theirs = controller.send(goal(0.3, seconds=60.0))
    until(lambda: "another client moves the arm" in cell.move(HOME).message)
    theirs.cancel(60.0)


def test_an_end_velocity_is_refused_as_the_real_controller_does(controller):
    with pytest.raises(RefusedError):
        controller.send(goal(velocity=1e-3))


def test_feedback_comes_at_twenty_hertz_of_the_controllers_clock(controller):
    seen = []
    assert controller.send(goal(0.3, seconds=4.0), seen.append).wait(120)[0] == GoalStatus.STATUS_SUCCEEDED
    stamps = np.array([stamp_ns(f.header.stamp) for f in seen]) / 1e9
    assert np.diff(stamps).min() > 0.049
    passed = [f.desired.time_from_start.sec + f.desired.time_from_start.nanosec / 1e9 for f in seen]
    assert passed == sorted(passed)
    assert passed[-1] <= 4.0


@pytest.mark.parametrize(
    ("tolerances", "code"),
    [
        ({"path_tolerance": [JointTolerance(name="elbow_joint", position=0.1)]}, Result.PATH_TOLERANCE_VIOLATED),
        (
            {
                "path_tolerance": [JointTolerance(name="elbow_joint", position=-1.0)],
                "goal_time_tolerance": Duration(nanosec=200_000_000),
            },
            Result.GOAL_TOLERANCE_VIOLATED,
        ),
        (
            {
                "path_tolerance": [JointTolerance(name="elbow_joint", position=-1.0)],
                "goal_tolerance": [JointTolerance(name="elbow_joint", position=0.5)],
            },
            Result.SUCCESSFUL,
        ),
    ],
)
def test_an_arm_that_is_not_where_it_should_be_ends_the_goal_with_its_tolerance(ask, controller, tolerances, code):
    running = controller.send(goal(0.3, seconds=3.0, **tolerances))
    ask.trigger("/simulated_cell/fault/joint_jump")
    assert running.wait(120)[1].error_code == code
