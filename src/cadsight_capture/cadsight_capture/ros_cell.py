"""The cell as a session sees it, behind ROS topics and the motion node's action."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from action_msgs.msg import GoalStatus
from cadsight_cell.arm import JOINT_NAMES, Arm, joint_mapping
from cadsight_cell.joint_states import JointHistory, JointOrder, JointReading
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_ros.clients import ActionClient, RefusedError, UnansweredError
from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE
from cadsight_ros.convert.compressed import transported
from cadsight_ros.convert.images import from_message
from cadsight_ros.convert.messages import camera_from_info, stamp_ns
from cadsight_ros.convert.qos import IMAGES, JOINTS
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener
from cadsight_ros.convert.transports import transport_parameter
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from cadsight_capture.session import Control, Frame, NotReadyError, SilentError, SkippedError
from cadsight_interfaces.action import MoveToJoints

T = TypeVar("T")

# MoveToJoints' reasons that somebody at the arm can mend; the pose is moved to afterwards.
_STOPPED = ("not_ready", "stalled")


@dataclass(frozen=True)
class RosCellParameters:
    """Where the camera and the arm speak, and how long to wait for them."""

    image_topic: str = parameter(IMAGE, "images of the camera", kind="topic")
    image_transport: str = transport_parameter()
    camera_info_topic: str = parameter(CAMERA_INFO, "intrinsics of the camera", kind="topic")
    base_frame: str = parameter(
        "base_link", "frame of the arm's base, in which the hand-eye calibration is given", kind="frame"
    )
    settle_s: float = parameter(
        0.15, "rest between the end of a motion and an image's stamp", minimum=0.0, maximum=60.0
    )
    still_rad_s: float = parameter(0.01, "a joint slower than this stands still", minimum=1e-5, maximum=1.0)
    settle_timeout_s: float = parameter(5.0, "longest wait for the arm to stand still", minimum=0.1, maximum=3600.0)
    silence_s: float = parameter(
        5.0, "after so long without a message the camera or the arm is silent", minimum=0.1, maximum=3600.0
    )
    velocity_scaling: float = parameter(
        0.0, "fraction of the joints' velocity limits, 0 for the motion node's own", minimum=0.0, maximum=1.0
    )

    def __post_init__(self) -> None:
        check(self)


class RosCell:
    """Implements :class:`cadsight_capture.session.Cell`; needs a MultiThreadedExecutor that spins ``node``."""

    def __init__(self, node: Node, parameters: RosCellParameters, arm: Arm) -> None:
        self._node, self._parameters, self._arm = node, parameters, arm
        self.control = Control()
        self._changed = threading.Condition()
        self._history, self._order = JointHistory(), JointOrder()
        self._image: Image | CompressedImage | None = None
        self._image_came = 0.0
        self._infos: deque[CameraInfo] = deque(maxlen=5)
        self._ended_ns = 0
        self._transforms = TransformBuffer()
        self._listener = TransformListener(node, self._transforms)
        self._motion: ActionClient[MoveToJoints.Goal, MoveToJoints.Result] = ActionClient(
            node, MoveToJoints, "motion/move_to_joints"
        )
        for kind, topic, callback, qos in (
            (*transported(parameters.image_topic, parameters.image_transport), self._on_image, IMAGES),
            (CameraInfo, parameters.camera_info_topic, self._on_info, IMAGES),
            (JointState, "/joint_states", self._on_joints, JOINTS),
        ):
            node.create_subscription(kind, topic, callback, qos, callback_group=MutuallyExclusiveCallbackGroup())

    def renew(self) -> None:
        """Make ready for another session after one that was stopped."""
        self.control = Control()

    def end(self, timeout_s: float) -> bool | None:
        """Stop the session and the motion in hand, for good; as :meth:`cadsight_ros.clients.ActionClient.end`."""
        self.control.stop()
        with self._changed:
            self._changed.notify_all()
        return self._motion.end(timeout_s)

    def move(self, joints: Array) -> None:
        newest = self._joints_from(0).stamp_ns
        self._joints_from(newest + 1)
        goal = MoveToJoints.Goal(
            joint_names=list(JOINT_NAMES),
            positions=[float(v) for v in joints],
            velocity_scaling=self._parameters.velocity_scaling,
        )
        try:
            running = self._motion.send(goal)
            # The motion node has time-outs of its own, and one that is gone is noticed by its absence.
            answer = running.wait(until=lambda: self.control.stopping)
            if answer is None:
                running.cancel()
        except UnansweredError as error:
            self.control.check()
            raise SilentError("motion_silent", str(error)) from error
        except RefusedError as error:
            raise SkippedError("refused", str(error)) from error
        self._ended_ns = self._node.get_clock().now().nanoseconds
        self.control.check()
        if answer is not None and answer[0] != GoalStatus.STATUS_SUCCEEDED:
            result = answer[1]
            if result.reason in _STOPPED:
                self._node.get_logger().warning(f"the session waits: {result.message}", throttle_duration_sec=10.0)
                raise NotReadyError(result.reason, result.message)
            raise SkippedError(result.reason or "aborted", result.message or "the motion ended without a reason")

    def settle(self) -> int:
        parameters = self._parameters
        end = time.monotonic() + parameters.settle_timeout_s
        while True:
            newest = self._joints_from(self._ended_ns)
            with self._changed:
                since = self._history.still_since(parameters.still_rad_s)
            if since is not None:
                return max(since + round(parameters.settle_s * 1e9), self._ended_ns)
            if time.monotonic() > end:
                raise SkippedError(
                    "unsettled",
                    f"the arm still moved {parameters.settle_timeout_s:g} s after its motion, "
                    f"expected every joint below {parameters.still_rad_s:g} rad/s",
                )
            self._joints_from(newest.stamp_ns + 1)

    def image_after(self, stamp_ns: int) -> Frame:
        message = self._image_from(stamp_ns)
        stamp = _stamp(message)
        try:
            image = from_message(message)
            camera = self._camera(message, ImageSize(image.shape[1], image.shape[0]))
            joints = self._reading(stamp)
        except (SkippedError, SilentError):
            raise
        except CadsightError as error:
            raise SkippedError("unusable_image", str(error)) from error
        if abs(joints.velocities).max() > self._parameters.still_rad_s:
            raise SkippedError(
                "unsettled", "the arm moved again before the image was taken, expected it to stand still"
            )
        base_from_camera = self._hand_eye(camera.frame)
        base_from_tool = self._arm.forward(joints.positions)
        return Frame(image, camera, stamp, joint_mapping(joints.positions), base_from_camera, base_from_tool)

    def _camera(self, message: Image | CompressedImage, size: ImageSize) -> Camera:
        def same() -> CameraInfo | None:
            return next((i for i in self._infos if i.header.stamp == message.header.stamp), None)

        # The camera_info of an image comes just before or after it; its content is the same in every one.
        info = self._wait(same, 0.2) or self._wait(lambda: self._infos[-1] if self._infos else None)
        if info is None:
            raise SilentError(
                "camera_silent",
                f"no camera_info came on {self._parameters.camera_info_topic} for {self._parameters.silence_s:g} s, "
                "expected the camera to run",
            )
        try:
            return camera_from_info(info, size)
        except CadsightError as error:
            raise SkippedError("camera_info", str(error)) from error

    def _image_from(self, stamp_ns: int) -> Image | CompressedImage:
        message = self._wait(lambda: self._image if self._image and _stamp(self._image) > stamp_ns else None)
        if message is not None:
            return message
        silence, topic = self._parameters.silence_s, self._parameters.image_topic
        last = self._image
        if last is None or time.monotonic() - self._image_came > silence:
            raise SilentError(
                "camera_silent", f"no image came on {topic} for {silence:g} s, expected the camera to run"
            )
        raise SilentError(
            "camera_silent",
            f"the images on {topic} are stamped {(stamp_ns - _stamp(last)) / 1e9:.3f} s before the motion's end, "
            "expected the clocks of camera and arm to be the same",
        )

    def _hand_eye(self, frame: str) -> Pose:
        try:
            return self._transforms.lookup(self._parameters.base_frame, frame, timeout_s=2.0)
        except CadsightError as error:
            raise SilentError("no_hand_eye", f"{error}, expected a hand-eye calibration on /tf_static") from error

    def _joints_from(self, stamp_ns: int) -> JointReading:
        def newest() -> JointReading | None:
            reading = self._history.newest
            return reading if reading is not None and reading.stamp_ns >= stamp_ns else None

        reading = self._wait(newest)
        if reading is None:
            raise self._joints_silent()
        return reading

    def _reading(self, stamp_ns: int) -> JointReading:
        # The arm stands still: readings that a busy machine lost in between would have been the same.
        reading = self._wait(lambda: self._history.at(stamp_ns, largest_gap_s=1.0))
        if reading is None:
            raise self._joints_silent()
        return reading

    def _joints_silent(self) -> SilentError:
        return SilentError(
            "arm_silent",
            f"no usable joint state came on /joint_states for {self._parameters.silence_s:g} s, "
            "expected the driver of the arm to run",
        )

    def _wait(self, value: Callable[[], T | None], seconds: float | None = None) -> T | None:
        """What ``value`` gives as soon as it is not None; None when it stays so until the time is over."""
        end = time.monotonic() + (self._parameters.silence_s if seconds is None else seconds)
        with self._changed:
            while True:
                self.control.check()
                found = value()
                left = end - time.monotonic()
                if found is not None or left <= 0:
                    return found
                self._changed.wait(min(left, 0.2))

    def _on_image(self, message: Image | CompressedImage) -> None:
        with self._changed:
            self._image, self._image_came = message, time.monotonic()
            self._changed.notify_all()

    def _on_info(self, message: CameraInfo) -> None:
        with self._changed:
            self._infos.append(message)
            self._changed.notify_all()

    def _on_joints(self, message: JointState) -> None:
        try:
            what = "the joint state on /joint_states"
            positions = self._order.pick(message.name, message.position, what)
            velocities = self._order.pick(message.name, message.velocity, f"{what}, of its velocities,")
        except CadsightError as error:
            self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        with self._changed:
            self._history.add(JointReading(stamp_ns(message.header.stamp), positions, velocities))
            self._changed.notify_all()


def _stamp(message: Image | CompressedImage) -> int:
    return stamp_ns(message.header.stamp)
