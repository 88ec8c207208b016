"""The simulated cell as a node: the topics, action, frames and units of the arm's and the camera's drivers."""

import array
import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Time
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.opengl import needing_opengl
from cadsight_core.parts.part import load_part, load_part_mesh
from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE
from cadsight_ros.convert.images import depth_to_message, to_message
from cadsight_ros.convert.messages import camera_to_info, stamp_from_ns, transform_to_message
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import run
from cadsight_ros.node.stopping import unless_stopped
from cadsight_ros.resources import resolve
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_system_default
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Float64, Header, String
from tf2_msgs.msg import TFMessage

from cadsight_cell.arm import JOINT_NAMES, LINK_NAMES, UR3E_LIMITS, Arm
from cadsight_cell.driver.follower import TrajectoryFollower
from cadsight_cell.driver.names import SPEED_SCALING
from cadsight_cell.driver.robot_services import RobotServices, RobotTopics
from cadsight_cell.driver.robot_state import Robot, Status
from cadsight_cell.driver.trajectory_controller import TrajectoryController
from cadsight_cell.holder import pose_from_list
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.world import World, make_world, moved_lamp

if TYPE_CHECKING:
    from cadsight_cell.simulation.renderer import CellRenderer

# The driver names the joints in an order of its own; whoever relies on another one is to find out here.
_STATE_ORDER = (5, 0, 2, 1, 3, 4)
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

        camera = SimulatedCamera(self, p, self._world, self._follower, self._lamp_moves)
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
        return self._controller.trajectories // every if every else 0

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


class SimulatedCamera:
    """The camera's topics, drawn in a thread of their own: an OpenGL context belongs to one."""

    def __init__(
        self,
        node: Node,
        parameters: SimulatedCellParameters,
        world: World,
        follower: TrajectoryFollower,
        lamp_moves: Callable[[], int],
    ) -> None:
        """``lamp_moves`` returns how often the lamp has been moved so far."""
        with needing_opengl():
            from cadsight_cell.simulation.truth import TruthRecorder
        p = self._p = parameters
        self._node, self._world, self._follower, self._lamp_moves = node, world, follower, lamp_moves
        self._part = load_part(resolve(p.part))
        self._mesh = load_part_mesh(self._part)
        self._mount = pose_from_list(p.mount, "mount")
        self._truth = TruthRecorder(p.truth_folder, world, self._part, self._mount) if p.truth_folder else None
        qos = qos_profile_system_default
        self._image = node.create_publisher(Image, IMAGE, qos)
        self._info = node.create_publisher(CameraInfo, CAMERA_INFO, qos)
        if p.align_depth:
            prefix = "/camera/camera/aligned_depth_to_color"
            self._depth = node.create_publisher(Image, f"{prefix}/image_raw", qos)
            self._depth_info = node.create_publisher(CameraInfo, f"{prefix}/camera_info", qos)
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._stream, name="camera", daemon=True)
        self._thread.start()
        self._ready.wait()
        if isinstance(self._failure, CadsightError):
            raise self._failure
        if self._failure is not None:
            raise CadsightError(f"the cell cannot be drawn with {self._part.mesh}: {self._failure}") from self._failure

    def stop(self) -> None:
        """End the stream."""
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _stream(self) -> None:
        try:
            with needing_opengl():
                from cadsight_cell.simulation.renderer import CellRenderer

                renderer = CellRenderer(self._world, self._part, self._mesh, self._mount)
        except Exception as error:  # reported by the thread that waits
            self._failure = error
            return
        finally:
            self._ready.set()
        period = 1 / self._p.fps
        began = due = time.monotonic()
        frame = moves = 0
        self._node.get_logger().info(f"the simulated cell runs with seed {self._p.seed}")
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            # A late frame does not make the next ones hurry.
            due = max(due + period, time.monotonic())
            if moves != self._lamp_moves():
                moves = self._lamp_moves()
                renderer.relight(moved_lamp(self._world, moves, self._p.light_spread))
            silent = self._p.fault_camera_silent_after_s
            if not 0 <= time.monotonic() - began - silent < self._p.fault_camera_silent_s or silent < 0:
                with unless_stopped(self._node):
                    self._send(renderer, frame)
            frame += 1
        renderer.close()

    def _send(self, renderer: "CellRenderer", frame: int) -> None:
        now = self._node.get_clock().now().nanoseconds
        joints = self._follower.at(now / 1e9).positions
        stamp = stamp_from_ns(now)
        image = renderer.colour(joints, frame)
        if self._stopping.is_set():
            return
        if self._truth is not None:
            self._truth.frame(now, joints)
        info = camera_to_info(self._world.camera, stamp)
        self._info.publish(info)
        self._image.publish(to_message(image, info.header))
        if self._p.align_depth:
            self._depth_info.publish(info)
            self._depth.publish(depth_to_message(renderer.depth(joints), info.header))


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
