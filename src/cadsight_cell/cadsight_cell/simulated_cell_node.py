"""The simulated cell as a node: the topics, action, frames and units of the arm's and the camera's drivers."""

import contextlib
import sys
from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Time
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.opengl import needing_opengl
from cadsight_ros.convert.camera_topics import IMAGE
from cadsight_ros.convert.messages import transform_to_message
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import run
from cadsight_ros.resources import resolve
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from cadsight_cell.arm import UR3E_LIMITS, Arm
from cadsight_cell.driver.arm_states import ArmStates
from cadsight_cell.driver.camera import SimulatedCamera
from cadsight_cell.driver.follower import TrajectoryFollower
from cadsight_cell.driver.robot_services import RobotServices, RobotTopics
from cadsight_cell.driver.robot_state import Robot, Status
from cadsight_cell.driver.trajectory_controller import TrajectoryController
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.world import World, make_world

# What the faults slider and joint_jump do.
FAULT_SLIDER, FAULT_JUMP_RAD = 0.3, 0.3
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# camera_link looks along x with z up; the colour sensor of a D435 sits 15 mm to its left.
_LINK_FROM_COLOUR = Pose(np.eye(3), np.array([0.0, 0.015, 0.0]))
_FRAME_FROM_OPTICAL = Pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), np.zeros(3))
_TURNED = Pose.from_rotvec([0.0, 0.0, np.pi])


class SimulatedCell(Node):
    """The arm's driver and controller, and the camera's driver."""

    def __init__(self) -> None:
        super().__init__("simulated_cell")
        self._running_threads = contextlib.ExitStack()
        p = self._p = declare(self, SimulatedCellParameters)
        self._world = make_world(p)
        self._follower = TrajectoryFollower(p.home_joints, UR3E_LIMITS)
        self._robot = Robot(p.speed_slider, self._on_status)
        self._follower.scale(self._robot.status.speed, self._seconds())
        self._robot_topics = RobotTopics(self, self._robot.status)
        self._tf_static = self.create_publisher(TFMessage, "/tf_static", _LATCHED)
        self._description = self.create_publisher(String, "/robot_description", _LATCHED)
        self._tf_static.publish(TFMessage(transforms=_static_transforms(self._world, self._now(), p.hand_eye)))
        arm = Arm()
        self._description.publish(String(data=arm.description()))
        self._faults: dict[str, Callable[[], object]] = {
            "protective_stop": self._robot.protective_stop,
            "payload_error": self._robot.protective_stop,
            "emergency_stop": self._robot.emergency_stop,
            "lost_connection": self._robot.lose_connection,
            "program_stopped": self._robot.end_program,
            "slider": lambda: self._robot.move_slider(FAULT_SLIDER),
            "joint_jump": lambda: self._robot.jump(FAULT_JUMP_RAD),
            "clear": self._robot.clear,
        }
        self._controller = TrajectoryController(
            self, p.controller, self._follower, self._robot, lambda: self._peers.check(), self._halfway
        )
        self._robot_services = RobotServices(self, self._robot, p.controller, self._faults)

        with needing_opengl():
            from cadsight_cell.simulation.stages.kinds import STAGES
        stage = STAGES[p.scene](p, self._world, resolve)
        self._relit = 0
        camera = SimulatedCamera(self, p, self._world, self._follower, stage, self._lamp_moves)
        self._camera = camera
        self._offer_changes(stage.changes)
        self._running_threads.callback(camera.stop)
        self._running_threads.callback(ArmStates(self, p, self._world, self._follower, self._robot, arm).stop)
        camera_topic, action = IMAGE, f"/{p.controller}/follow_joint_trajectory"
        self._peers = Peers(self, publishes=["/joint_states", camera_topic], serves=[action])

    def destroy_node(self) -> None:
        self._running_threads.close()
        super().destroy_node()

    def _now(self) -> Time:
        return self.get_clock().now().to_msg()

    def _seconds(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    def _lamp_moves(self) -> int:
        every = self._p.lamp_moves_every
        return self._relit + (self._controller.trajectories // every if every else 0)

    def _offer_changes(self, drops: bool) -> None:
        """Services by which somebody moves the lamp, and drops other things on a table."""
        group = MutuallyExclusiveCallbackGroup()
        self.create_service(Trigger, "~/relight", self._on_relight, callback_group=group)
        if drops:
            self.create_service(Trigger, "~/drop", self._on_drop, callback_group=group)

    def _on_relight(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._relit += 1
        response.success, response.message = True, f"the lamp was moved {self._relit} times"
        return response

    def _on_drop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            response.message = f"drop {self._camera.change_set()} lies on the table"
            response.success = True
        except CadsightError as error:
            response.message = str(error)
        return response

    def _on_status(self, status: Status) -> None:
        self._follower.scale(status.speed, self._seconds())
        self._robot_topics.publish(status)

    def _halfway(self, number: int) -> str:
        """What goes wrong in the middle of a trajectory; the controller's words where it breaks off."""
        if self._p.fault_abort_every and number % self._p.fault_abort_every == 0:
            return "the arm left its path (a fault on request)"
        kind = self._p.fault_kind
        if kind != "none" and self._p.fault_every and number % self._p.fault_every == 0:
            self.get_logger().warning(f"a fault on request in trajectory {number}: {kind}")
            self._faults[kind]()
            if kind == "payload_error":
                return "Aborted due to path tolerance violation"
        return ""


def _static_transforms(world: World, stamp: Time, hand_eye: bool) -> list:
    optical = _LINK_FROM_COLOUR @ _FRAME_FROM_OPTICAL
    # The result of a hand-eye calibration, not where the camera is.
    calibrated = ("base_link", "camera_link", world.base_from_camera_calibrated @ optical.inverse())
    frames = (
        ("base_link", "base", _TURNED),
        ("base_link", "base_link_inertia", _TURNED),
        *((calibrated,) if hand_eye else ()),
        ("camera_link", "camera_color_frame", _LINK_FROM_COLOUR),
        ("camera_color_frame", world.camera.frame, _FRAME_FROM_OPTICAL),
        ("camera_link", "camera_depth_frame", Pose.identity()),
        ("camera_depth_frame", "camera_depth_optical_frame", _FRAME_FROM_OPTICAL),
    )
    return [transform_to_message(pose, stamp, parent, child) for parent, child, pose in frames]


def main() -> None:
    sys.exit(run(SimulatedCell, threads=4))


if __name__ == "__main__":
    main()
