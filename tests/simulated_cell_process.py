"""Starts the simulated cell as a process of its own, for tests, and listens to what it says."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Duration
from cadsight_cell.arm import JOINT_NAMES
from cadsight_ros.clients import ActionClient, RunningGoal, spinning
from cadsight_ros.convert.messages import joints_by_name, stamp_ns
from cadsight_ros.domains import own_domain
from control_msgs.action import FollowJointTrajectory
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Bool, Float64, String
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectoryPoint

PART = Path(__file__).parents[1] / "config/parts/bracket.yaml"
HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
ACTION = "/scaled_joint_trajectory_controller/follow_joint_trajectory"
COLOUR, DEPTH = "/camera/camera/color", "/camera/camera/aligned_depth_to_color"
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TOPICS = {
    f"{COLOUR}/image_raw": (Image, 10),
    f"{COLOUR}/camera_info": (CameraInfo, 10),
    f"{DEPTH}/image_raw": (Image, 10),
    f"{DEPTH}/camera_info": (CameraInfo, 10),
    "/joint_states": (JointState, 100),
    "/tf": (TFMessage, 100),
    "/tf_static": (TFMessage, LATCHED),
    "/robot_description": (String, LATCHED),
    "/io_and_status_controller/robot_program_running": (Bool, LATCHED),
    "/speed_scaling_state_broadcaster/speed_scaling": (Float64, 10),
}
SEED = 5


def command(**parameters: object) -> list[str]:
    given = {
        "part": str(PART),
        "mount": "[0.0, 0.0, 0.06, 0.0, 0.0, 0.0, 1.0]",
        "width": 320,
        "height": 240,
        "fps": 5.0,
    }
    given |= {"seed": SEED} | parameters
    # Lists and empty texts as YAML.
    values = [text for name, value in given.items() for text in ("-p", f"{name}:={value if value != '' else repr('')}")]
    return [sys.executable, "-m", "cadsight_cell.simulated_cell_node", "--ros-args", *values]


class Listener:
    """A cell that runs, what it has said so far, and its trajectory action."""

    def __init__(self, node: Any, process: subprocess.Popen[str]) -> None:
        self.node, self.process = node, process
        self.received: defaultdict[str, list[Any]] = defaultdict(list)
        for topic, (kind, qos) in TOPICS.items():
            node.create_subscription(kind, topic, self.received[topic].append, qos)
        self._action: ActionClient[Any, Any] = ActionClient(node, FollowJointTrajectory, ACTION, accept_timeout_s=120.0)

    def wait(self, what: Callable[[], Any], timeout_s: float = 180.0) -> None:
        end = time.monotonic() + timeout_s
        while not what():
            assert self.process.poll() is None, "the cell has ended"
            assert time.monotonic() < end, f"nothing came for {timeout_s} s"
            time.sleep(0.02)

    def state(self) -> JointState:
        """A joint state whose stamp lies after this call; older ones may still be waiting to be heard."""
        now, states = self.node.get_clock().now().nanoseconds, self.received["/joint_states"]
        self.wait(lambda: stamp_ns(states[-1].header.stamp) > now)
        return states[-1]

    def joints(self) -> np.ndarray:
        return joints_by_name(self.state(), JOINT_NAMES)

    def send(self, target: np.ndarray, seconds: float, names: tuple[str, ...] = JOINT_NAMES) -> RunningGoal[Any]:
        goal = FollowJointTrajectory.Goal()
        goal.trajectory.joint_names = list(names)
        by_name = dict(zip(JOINT_NAMES, map(float, target), strict=True))
        goal.trajectory.points = [
            JointTrajectoryPoint(
                positions=[by_name.get(name, 0.0) for name in names],
                velocities=[0.0] * len(names),
                time_from_start=Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9)),
            )
        ]
        return self._action.send(goal)

    def end(self, goal: RunningGoal[Any]) -> tuple[int, Any]:
        answer = goal.wait(180.0)
        assert answer is not None
        return answer


@contextlib.contextmanager
def running(**parameters: object) -> Iterator[Listener]:
    """A cell that sends images; at the end it is interrupted and must end well."""
    domain = own_domain()
    process = subprocess.Popen(command(**parameters), env={**os.environ, "ROS_DOMAIN_ID": str(domain)})
    rclpy.init(domain_id=domain)
    node = rclpy.create_node("listener")
    try:
        listener = Listener(node, process)
        with spinning(node):
            listener.wait(lambda: listener.received[f"{COLOUR}/image_raw"] and listener.received["/joint_states"])
            yield listener
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        node.destroy_node()
        rclpy.try_shutdown()
