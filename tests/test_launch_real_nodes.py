"""`cadsight launch` with real nodes: the simulated cell and the node that moves its arm."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from cadsight_ros.domains import own_domain
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from shown_topics import in_foxglove, in_rviz

ROOT = Path(__file__).parents[1]
SECONDS = 300.0


@pytest.fixture
def listener():
    """A node in the domain of this test, with the names of the joints that it heard of."""
    context = Context()
    rclpy.init(context=context, domain_id=own_domain())
    node = rclpy.create_node("listener", context=context)
    node.received = []
    node.create_subscription(
        JointState, "/joint_states", lambda m: node.received.append(m.name), qos_profile_sensor_data
    )
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor
    node.destroy_node()
    rclpy.shutdown(context=context)


@contextlib.contextmanager
def launched_cell(listener, log: Path):
    """The launcher, once both of its nodes run."""
    node, executor = listener
    command = [sys.executable, "-m", "cadsight_cli", "launch", "cell", "seed:=5"]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(own_domain()), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    with log.open("w") as output:
        launcher = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + SECONDS
        while not (
            node.received
            and ("motion", "/cadsight") in node.get_node_names_and_namespaces()
            and "runs with seed 5" in log.read_text()
        ):
            assert launcher.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            executor.spin_once(timeout_sec=0.2)
        yield launcher
    finally:
        launcher.kill()
        launcher.wait()


def processes(log: Path) -> list[int]:
    return [int(pid) for pid in re.findall(r"process started with pid (\d+)", log.read_text())]


def runs(pid: int) -> bool:
    """Whether a process is there, and not as a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_cell_starts_runs_and_ends_well_when_interrupted_twice(listener, tmp_path):
    log = tmp_path / "log"
    with launched_cell(listener, log) as launcher:
        node, executor = listener
        shown = {topic for topic in in_rviz() | in_foxglove() if not topic.startswith("/cadsight/perception/")}
        # Only the nodes with a state of health, which are those with models, tell it.
        shown -= {"/diagnostics"}
        deadline = time.monotonic() + SECONDS
        while silent := {topic for topic in shown if not node.count_publishers(topic)}:
            assert time.monotonic() < deadline, f"nobody publishes {silent}"
            executor.spin_once(timeout_sec=0.2)
        # As with a Ctrl-C under `ros2 launch`: each node hears it from the terminal and from the launcher.
        for pid in processes(log):
            os.kill(pid, signal.SIGINT)
        launcher.send_signal(signal.SIGINT)
        assert launcher.wait(timeout=120) == 0, log.read_text()
    assert sorted(listener[0].received[0]) == [
        "elbow_joint",
        "shoulder_lift_joint",
        "shoulder_pan_joint",
        "wrist_1_joint",
        "wrist_2_joint",
        "wrist_3_joint",
    ]
    printed = log.read_text()
    assert "Traceback" not in printed
    assert "sending SIGKILL" not in printed
    assert "sending SIGTERM" not in printed


def test_the_nodes_end_themselves_when_their_launcher_was_killed(listener, tmp_path):
    log = tmp_path / "log"
    with launched_cell(listener, log) as launcher:
        launcher.kill()
        launcher.wait()
        pids = processes(log)
        assert len(pids) == 2
        deadline = time.monotonic() + SECONDS
        while alive := [pid for pid in pids if runs(pid)]:
            assert time.monotonic() < deadline, f"{alive} are still there"
            time.sleep(0.1)
