"""The simulated camera's topics, as its driver publishes them."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cadsight_core.errors import CadsightError
from cadsight_core.imaging.opengl import needing_opengl
from cadsight_ros.convert.camera_topics import CAMERA_INFO, DEPTH, DEPTH_INFO, IMAGE
from cadsight_ros.convert.images import depth_to_message, to_message
from cadsight_ros.convert.messages import camera_to_info, stamp_from_ns
from cadsight_ros.node.stopping import unless_stopped
from rclpy.node import Node
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import CameraInfo, Image

from cadsight_cell.driver.follower import TrajectoryFollower
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.world import World, moved_lamp

if TYPE_CHECKING:
    from cadsight_cell.simulation.renderer import SceneRenderer
    from cadsight_cell.simulation.stages.stage import Stage


class SimulatedCamera:
    """The camera's topics, drawn in a thread of their own: an OpenGL context belongs to one."""

    def __init__(
        self,
        node: Node,
        parameters: SimulatedCellParameters,
        world: World,
        follower: TrajectoryFollower,
        stage: "Stage",
        lamp_moves: Callable[[], int],
    ) -> None:
        """``lamp_moves`` returns how often the lamp has been moved so far.

        Raises:
            CadsightError: when the stage cannot be drawn.
        """
        with needing_opengl():
            from cadsight_cell.simulation.sensor import DepthSensor
        p = self._p = parameters
        self._node, self._world, self._follower, self._lamp_moves = node, world, follower, lamp_moves
        self._stage = stage
        self._depth_sensor = DepthSensor(p.depth_noise_mm / 1000, p.depth_holes, p.seed)
        qos = qos_profile_system_default
        self._image = node.create_publisher(Image, IMAGE, qos)
        self._info = node.create_publisher(CameraInfo, CAMERA_INFO, qos)
        if p.align_depth:
            self._depth = node.create_publisher(Image, DEPTH, qos)
            self._depth_info = node.create_publisher(CameraInfo, DEPTH_INFO, qos)
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        # Numbers of the stage's sets: the one that is wanted, and the latest that was tried, with what came of it.
        self._changed = threading.Condition()
        self._wanted = self._tried = 1
        self._refusal: CadsightError | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        self._ready.wait()
        if isinstance(self._failure, CadsightError):
            raise self._failure
        if self._failure is not None:
            raise CadsightError(f"the cell cannot be drawn with {stage.name}: {self._failure}") from self._failure

    def change_set(self) -> int:
        """Have the stage's next set shown, and wait until its first image is sent; returns the set's number.

        Raises:
            CadsightError: when it cannot be shown; the one before stays.
        """
        with self._changed:
            self._wanted += 1
            number = self._wanted
            self._changed.wait_for(lambda: self._tried >= number or self._ended or self._stopping.is_set())
            if self._tried < number:
                raise CadsightError(f"{self._stage.name} was not shown anew, expected the camera to run")
            if self._refusal is not None:
                raise self._refusal
        return number

    def stop(self) -> None:
        """End the stream."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        try:
            self._stream()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _stream(self) -> None:
        try:
            with needing_opengl():
                self._stage.prepare(self._wanted)
                renderer = self._stage.open()
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
            wanted = self._wanted
            if wanted != self._tried and (other := self._another(wanted, renderer)) is not None:
                renderer, moves = other, 0
            if moves != self._lamp_moves():
                moves = self._lamp_moves()
                renderer.relight(moved_lamp(self._world, moves, self._p.light_spread))
            silent = self._p.fault_camera_silent_after_s
            if not 0 <= time.monotonic() - began - silent < self._p.fault_camera_silent_s or silent < 0:
                with unless_stopped(self._node):
                    self._send(renderer, frame)
            if wanted != self._tried:
                with self._changed:
                    self._tried = wanted
                    self._changed.notify_all()
            frame += 1
        renderer.close()

    def _another(self, wanted: int, renderer: "SceneRenderer") -> "SceneRenderer | None":
        """A renderer of another set of the stage in the place of ``renderer``; None where it stays."""
        self._refusal = None
        try:
            self._stage.prepare(wanted)
        except CadsightError as error:
            self._refusal = error
            return None
        renderer.close()
        return self._stage.open()

    def _send(self, renderer: "SceneRenderer", frame: int) -> None:
        now = self._node.get_clock().now().nanoseconds
        joints = self._follower.at(now / 1e9).positions
        stamp = stamp_from_ns(now)
        image = renderer.colour(joints, frame)
        if self._stopping.is_set():
            return
        self._stage.note(now, joints)
        info = camera_to_info(self._world.camera, stamp)
        self._info.publish(info)
        self._image.publish(to_message(image, info.header))
        if self._p.align_depth:
            sensed = renderer.depth(joints)
            if self._p.depth_noise_mm or self._p.depth_holes:
                shiny = self._stage.shiny(renderer, joints)
                sensed = self._depth_sensor.sense(sensed, shiny, frame, self._stage.number)
            self._depth_info.publish(info)
            self._depth.publish(depth_to_message(sensed, info.header))
