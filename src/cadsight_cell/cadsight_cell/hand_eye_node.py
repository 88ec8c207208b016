"""The node that publishes a hand-eye calibration from its file, in place of one that was typed in."""

import sys
from dataclasses import dataclass

from cadsight_calibration.hand_eye.hand_eye_file import parent_from_link, read_hand_eye
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError, ParameterError
from cadsight_ros.convert.messages import transform_to_message
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.running import run
from cadsight_ros.resources import resolve
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_LOOK_S = 0.2


@dataclass(frozen=True)
class HandEyeNodeParameters:
    """Parameters of the hand-eye node."""

    hand_eye_file: str = parameter("", "file of `cadsight calibrate hand-eye` (a path or package://); needed")
    camera_link: str = parameter(
        "camera_link", "frame of the camera that its driver's other frames hang on", kind="frame"
    )
    serial_no: str = parameter("", "serial number of the camera that runs; a file of another is refused; empty: any")

    def __post_init__(self) -> None:
        check(self)
        if not self.hand_eye_file:
            raise ParameterError("hand_eye_file", "is empty, expected a file that `cadsight calibrate hand-eye` wrote")


class HandEyeNode(Node):
    """Publishes the camera's link on /tf_static as soon as its driver says where the optical frame is in it."""

    def __init__(self) -> None:
        super().__init__("hand_eye", namespace="cadsight")
        self._p = declare(self, HandEyeNodeParameters)
        path = resolve(self._p.hand_eye_file)
        self._hand_eye = read_hand_eye(path)
        serial = self._p.serial_no.lstrip("_")
        if serial and self._hand_eye.serial and serial != self._hand_eye.serial:
            raise CadsightError(
                f"the hand-eye file {path} is of the camera {self._hand_eye.serial}, expected one of the camera "
                f"{serial}, which runs"
            )
        self._buffer = TransformBuffer()
        self._listener = TransformListener(self, self._buffer)
        self._publisher = self.create_publisher(TFMessage, "/tf_static", _LATCHED)
        self._timer = self.create_timer(_LOOK_S, self._look)

    def _look(self) -> None:
        try:
            link_from_optical = self._buffer.lookup(self._p.camera_link, self._hand_eye.camera.frame)
        except CadsightError as error:
            self.get_logger().info(f"waits for the camera's driver: {error}", throttle_duration_sec=10.0)
            return
        parent, pose = parent_from_link(self._hand_eye, link_from_optical)
        stamp = self.get_clock().now().to_msg()
        self._publisher.publish(TFMessage(transforms=[transform_to_message(pose, stamp, parent, self._p.camera_link)]))
        self._timer.cancel()
        self.get_logger().info(f"publishes {self._p.camera_link} in {parent} from {self._p.hand_eye_file}")


def main() -> None:
    sys.exit(run(HandEyeNode))


if __name__ == "__main__":
    main()
