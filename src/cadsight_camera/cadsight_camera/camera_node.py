"""Publishes a video, a webcam or a stream as a camera's driver does."""

import threading
import time

import cv2
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.imaging.camera_file import read_camera_file
from cadsight_core.running.rate import Rate
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import to_message
from cadsight_ros.convert.messages import camera_to_info, stamp_from_ns
from cadsight_ros.node import diagnostics
from cadsight_ros.node.diagnostics import Diagnostics, make_status
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import FinishedError, run
from cadsight_ros.node.stopping import unless_stopped
from cadsight_ros.resources import resolve
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from cadsight_camera.film import Film
from cadsight_camera.lens import camera_for
from cadsight_camera.parameters import CameraParameters
from cadsight_camera.sources import Frame, Wanted, source_of

_NONE = "none"
# A read that hangs ends with the process.
_LAST_READ_S = 0.5


class CameraNode(Node):
    """Publishes each image with the intrinsics that belong to it, from a thread that reads the source."""

    def __init__(self) -> None:
        super().__init__("camera", namespace="cadsight")
        self._stopping, self._thread = threading.Event(), threading.Thread(target=self._film, name="film", daemon=True)
        p = self._p = declare(self, CameraParameters)
        self._source = source_of(p.source)
        given = p.calibration != _NONE
        self._calibrated = read_camera_file(resolve(p.calibration), p.frame) if given else None
        self._camera: Camera | None = None
        self._size: ImageSize | None = None
        self._rate, self._published, self._lost_at, self._reason = Rate(p.fps), 0, 0, ""
        self._last_ns = 0
        self._images = self.create_publisher(Image, p.image_topic, qos.DRIVER)
        self._infos = self.create_publisher(CameraInfo, p.camera_info_topic, qos.DRIVER)
        wanted = Wanted(p.width, p.height, p.fps, p.pixel_format, p.timeout_s)
        self._reading = Film(
            self._source, wanted, self._take, self._lost, fps=p.fps, loop=p.at_end == "loop", retry_s=p.retry_s
        )
        self._failure: BaseException | None = None
        self._ended = self.create_guard_condition(self._end)
        self._diagnostics = Diagnostics(self, self._watched)
        self._peers = Peers(self, publishes=[p.image_topic])
        self._thread.start()

    def destroy_node(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_READ_S)
        super().destroy_node()

    def _film(self) -> None:
        try:
            with unless_stopped(self):
                self._reading.run(self._stopping)
        except Exception as error:
            self._failure = error
        if not self._stopping.is_set():
            self._ended.trigger()

    def _end(self) -> None:
        if self._failure is not None:
            raise self._failure
        self.get_logger().info(f"{self._source.shown} has ended after {self._published} images")
        raise FinishedError

    def _take(self, frame: Frame) -> None:
        """Publish one image; in the reading thread."""
        size = ImageSize(frame.rgb.shape[1], frame.rgb.shape[0])
        if size != self._size:
            self._camera = camera_for(size, self._calibrated, self._p.field_of_view_deg, self._p.frame)
            self._begin(size)
        now_ns = self.get_clock().now().nanoseconds
        if self._lost_at:
            self.get_logger().info(f"{self._source.shown} is back after {(now_ns - self._lost_at) / 1e9:.1f} s")
            self._lost_at = 0
        # By the age, so that the stamp is of ROS's clock and the exposure of the driver's.
        self._last_ns = max(now_ns - round((time.monotonic() - frame.taken) * 1e9), self._last_ns + 1)
        header = Header(stamp=stamp_from_ns(self._last_ns), frame_id=self._p.frame)
        if self._camera is not None:
            self._infos.publish(camera_to_info(self._camera, header.stamp))
        self._images.publish(to_message(frame.rgb, header))
        self._rate.came(self._last_ns / 1e9)
        self._published += 1

    def _begin(self, size: ImageSize) -> None:
        """Say once for each size what is published, and what is assumed of the lens."""
        self._size = size
        topic = self.resolve_topic_name(self._p.image_topic)
        self.get_logger().info(
            f"ready: {self._source.shown} is published on {topic}, {size.width} x {size.height} pixels"
        )
        if self._calibrated is None:
            self.get_logger().warning(self._assumed)

    @property
    def _assumed(self) -> str:
        if self._camera is None:
            return "no calibration is given and none assumed, so there is no camera_info and no normals"
        return (
            f"no calibration is given: assumed is a lens {self._p.field_of_view_deg:g} degrees wide, without "
            "distortion, which normals and distances are only as good as"
        )

    def _lost(self, sentence: str) -> None:
        self._reason, self._lost_at = sentence, self.get_clock().now().nanoseconds
        self.get_logger().warning(f"{sentence}; it is tried again every {self._p.retry_s:g} s")

    def _watched(self) -> DiagnosticStatus:
        """The status; a camera that gives too few images is logged too."""
        rate = self._rate.per_second
        if not self._lost_at and self._rate.falls_short():
            self.get_logger().warning(f"{self._source.shown} gives {self._rate.shortfall}")
        values = {
            "camera": self._source.shown,
            "published": self._published,
            "images_per_second": rate or 0.0,
            "intrinsics": "calibrated" if self._calibrated else "assumed" if self._camera else "none",
        }
        if self._lost_at:
            return make_status(self, diagnostics.ERROR, self._reason, values)
        if self._size is None:
            return make_status(self, diagnostics.STALE, "no image yet", values)
        if self._rate.shortfall:
            return make_status(self, diagnostics.WARN, f"gives {self._rate.shortfall}", values)
        return make_status(self, diagnostics.OK, "publishes", values)


def main() -> int:
    # What OpenCV says of a camera that is away is said by this node, once.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return run(CameraNode)


if __name__ == "__main__":
    raise SystemExit(main())
