"""A FollowJointTrajectory server in a process of its own, as a driver that was started separately: it writes down what
it was asked for, and accepts a goal only when it is let.

    python trajectory_server.py LOG GATE

LOG gets a line for each event: ready, asked, accepted, moving PERCENT, cancel, ended STATUS. A goal is accepted as
soon as the file GATE is there; it is followed as far as GATE's number of percent and waits there, as with the speed
slider of a robot at zero.
"""

import bisect
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from cadsight_cell.arm import JOINT_NAMES
from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
ACTION = "scaled_joint_trajectory_controller/follow_joint_trajectory"


class TrajectoryServer(Node):
    def __init__(self, log: Path, gate: Path) -> None:
        super().__init__("driver")
        self._log = open(log, "a")  # noqa: SIM115 - open as long as the process lives
        self._gate = gate
        self._joints = HOME.copy()
        self._states = self.create_publisher(JointState, "/joint_states", 10)
        group = ReentrantCallbackGroup()
        self.create_timer(0.02, self._publish, callback_group=group)
        self._server = ActionServer(
            self,
            FollowJointTrajectory,
            ACTION,
            self._on_goal,
            goal_callback=self._on_request,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        self._cancelled = threading.Event()
        self._print_event("ready")

    def _print_event(self, event: str) -> None:
        self._log.write(f"{event}\n")
        self._log.flush()
        os.fsync(self._log.fileno())

    def _publish(self) -> None:
        self._states.publish(
            JointState(
                header=_header(self.get_clock().now().to_msg()),
                name=list(JOINT_NAMES),
                position=self._joints.tolist(),
                velocity=[0.0] * 6,
                effort=[0.0] * 6,
            )
        )

    def _on_request(self, goal: FollowJointTrajectory.Goal) -> GoalResponse:
        self._print_event("asked")
        while not (self._gate.exists() and self._gate.read_text()):
            time.sleep(0.005)
        self._cancelled.clear()
        self._print_event("accepted")
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._print_event("cancel")
        self._cancelled.set()
        return CancelResponse.ACCEPT

    def _on_goal(self, handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        points = handle.request.trajectory.points
        times = [0.0, *(p.time_from_start.sec + p.time_from_start.nanosec / 1e9 for p in points)]
        places = [self._joints.copy(), *(np.array(p.positions) for p in points)]
        begin, reported = time.monotonic(), 0
        furthest = times[-1] * int(self._gate.read_text()) / 100
        while not self._cancelled.wait(0.01):
            passed = min(time.monotonic() - begin, furthest)
            if passed >= times[-1]:
                handle.succeed()
                self._print_event("ended succeeded")
                return FollowJointTrajectory.Result()
            i = max(bisect.bisect_right(times, passed), 1)
            part = (passed - times[i - 1]) / (times[i] - times[i - 1])
            self._joints = places[i - 1] + part * (places[i] - places[i - 1])
            for percent in range(reported + 10, int(100 * passed / times[-1] + 1e-6) + 1, 10):
                self._print_event(f"moving {percent}")
                reported = percent
        while not handle.is_cancel_requested:
            time.sleep(0.002)
        handle.canceled()
        # The next motion has as long a way as this one, however often it is broken off.
        self._joints = HOME.copy()
        self._print_event("ended cancelled")
        return FollowJointTrajectory.Result()


def _header(stamp):
    message = JointState().header
    message.stamp = stamp
    return message


def main() -> None:
    rclpy.init()
    node = TrajectoryServer(Path(sys.argv[1]), Path(sys.argv[2]))
    executor = MultiThreadedExecutor(4)
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        os._exit(0)


if __name__ == "__main__":
    main()
