"""The simulated arm's joint states and transforms, as its driver publishes them."""

import array
import itertools
import threading
import time

import numpy as np
from builtin_interfaces.msg import Time
from cadsight_core.geometry import Array
from cadsight_ros.convert.messages import transform_to_message
from cadsight_ros.node.stopping import unless_stopped
from rclpy.node import Node
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, Header
from tf2_msgs.msg import TFMessage

from cadsight_cell.arm import JOINT_NAMES, LINK_NAMES, Arm
from cadsight_cell.driver.follower import TrajectoryFollower
from cadsight_cell.driver.names import SPEED_SCALING
from cadsight_cell.driver.robot_state import Robot
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.world import World

# The driver names the joints in an order of its own; whoever relies on another one is to find out here.
_STATE_ORDER = (5, 0, 2, 1, 3, 4)


class ArmStates:
    """The arm's joint states and transforms, from a thread of their own: an executor's timers cost ten times as much.

    Their steadiness matters: an image's joints are looked up between two of them.
    """

    def __init__(
        self,
        node: Node,
        parameters: SimulatedCellParameters,
        world: World,
        follower: TrajectoryFollower,
        robot: Robot,
        arm: Arm,
    ) -> None:
        """``arm`` is the stream's own from here on."""
        self._node, self._follower, self._robot, self._arm = node, follower, robot, arm
        self._joint_std = world.joint_noise
        self._noise = np.random.default_rng([parameters.seed, 0x10])
        self._joints = node.create_publisher(JointState, "/joint_states", qos_profile_system_default)
        self._tf = node.create_publisher(TFMessage, "/tf", 100)
        self._scaling = node.create_publisher(Float64, SPEED_SCALING, 10)
        # Built once and filled in: making messages is most of what publishing costs.
        self._state = JointState(
            header=Header(frame_id="base_link"),
            name=[JOINT_NAMES[i] for i in _STATE_ORDER],
            effort=array.array("d", [0.0] * 6),
        )
        self._jobs = (
            (1 / parameters.joint_state_rate, self._publish_joint_state),
            (1 / parameters.tf_rate, self._publish_transforms),
            (0.1, lambda: self._scaling.publish(Float64(data=100 * self._robot.status.speed))),
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm states", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the stream."""
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        due = [time.monotonic()] * len(self._jobs)
        while not self._stopping.wait(max(0.0, min(due) - time.monotonic())):
            if not self._node.context.ok():
                return
            for i, (period, publish) in enumerate(self._jobs):
                now = time.monotonic()
                if now >= due[i]:
                    # A late one is made up for, a long gap is not.
                    due[i] = max(due[i] + period, now - period)
                    with unless_stopped(self._node):
                        publish()

    def _reading(self) -> tuple[Time, Array, Array]:
        now = self._node.get_clock().now()
        state = self._follower.at(now.nanoseconds / 1e9)
        positions = state.positions + self._noise.normal(0.0, self._joint_std, 6)
        positions[2] += self._robot.status.offset_rad
        return now.to_msg(), positions, state.velocities

    def _publish_joint_state(self) -> None:
        if not self._robot.status.connected:
            return
        stamp, positions, velocities = self._reading()
        order = list(_STATE_ORDER)
        self._state.header.stamp = stamp
        self._state.position = array.array("d", positions[order])
        self._state.velocity = array.array("d", velocities[order])
        self._joints.publish(self._state)

    def _publish_transforms(self) -> None:
        if not self._robot.status.connected:
            return
        stamp, positions, _ = self._reading()
        links = self._arm.links(positions)
        chain = itertools.pairwise(LINK_NAMES)
        self._tf.publish(
            TFMessage(transforms=[transform_to_message(links[a].inverse() @ links[b], stamp, a, b) for a, b in chain])
        )
