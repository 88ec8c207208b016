"""A session whose arm is stopped, whose controller is restarted, or whose nodes are killed: nothing taken is lost."""


import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES
from cadsight_core.datasets.dataset import Dataset
from cadsight_ros.convert.messages import joints_by_name
from cell_nodes import HELD, Program, Requests, running_cell, until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState


def images(cell, name):
    return [s for s in Dataset.open(cell.sessions / name / "raw") if not s.record["background"]]


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with running_cell(tmp_path_factory.mktemp("cell"), retry_s=0.5) as running:
        yield running


@pytest.fixture(scope="module")
def states(cell):
    received: list[JointState] = []
    cell.node.create_subscription(JointState, "/joint_states", received.append, qos_profile_sensor_data)
    until(lambda: received)
    return received


def moving(states):
    return np.abs(states[-1].velocity).max() > 0.05


def test_a_session_waits_for_a_stopped_arm_says_what_to_do_and_goes_on_when_it_is_released(cell, states):
    ask, seen = Requests(cell.node), []
    running = cell.capture.send(cell.session("stopped", 4), seen.append)
    until(lambda: seen and seen[-1].captured >= 1 and moving(states))
    ask.trigger("/simulated_cell/fault/protective_stop")
    until(lambda: "PROTECTIVE_STOP" in seen[-1].last_skip)
    assert "/dashboard_client/unlock_protective_stop" in seen[-1].last_skip
    taken = [(s.name, s.record) for s in images(cell, "stopped")]
    ask.trigger("/dashboard_client/unlock_protective_stop")
    until(lambda: "its program is paused" in seen[-1].last_skip)
    ask.trigger("/dashboard_client/play")
    result = running.wait(180)[1]
    assert (result.success, result.captured, result.skipped) == (True, 4, 1)
    # No pose was given up, and nothing taken was lost.
    samples = images(cell, "stopped")
    assert [s.record["pose"] for s in samples] == [0, 1, 2, 3]
    assert [(s.name, s.record) for s in samples][: len(taken)] == taken


def test_killed_nodes_leave_the_arm_at_the_end_of_its_trajectory_and_the_session_is_continued(cell, states):
    seen = []
    cell.capture.send(cell.session("killed", 3, seed=5), seen.append)
    until(lambda: seen and seen[-1].captured >= 1 and moving(states))
    kept = [(s.name, s.record) for s in images(cell, "killed")]
    for name in ("motion", "capture"):
        cell.programs[name].kill()
    # The controller follows the way that was checked to its end, and the arm stands there.
    until(lambda: not np.abs(states[-1].velocity).any())
    stands, count = joints_by_name(states[-1], JOINT_NAMES), len(states)
    until(lambda: len(states) > count + 100)
    np.testing.assert_allclose(joints_by_name(states[-1], JOINT_NAMES), stands, atol=np.deg2rad(0.2))
    cell.programs["motion"] = Program("cadsight_cell.motion_node", cell.folder / "motion.log", HELD, cell.domain)
    cell.start_capture()
    cell.wait_until_it_runs()
    assert cell.capture.send(cell.session("killed", 3, seed=5)).wait(180)[1].captured == 3
    samples = images(cell, "killed")
    assert [(s.name, s.record) for s in samples][: len(kept)] == kept
    assert [s.record["pose"] for s in samples] == [0, 1, 2]


def test_a_controller_that_is_restarted_in_a_session_is_waited_for(cell, states):
    seen = []
    running = cell.capture.send(cell.session("restarted", 4, seed=9), seen.append)
    until(lambda: seen and seen[-1].captured >= 1 and moving(states))
    cell.programs["cell"].kill()
    cell.start_cell()
    result = running.wait(300)[1]
    assert (result.success, result.captured) == (True, 4), result.message
    assert [s.record["pose"] for s in images(cell, "restarted")] == [0, 1, 2, 3], seen[-1].last_skip
