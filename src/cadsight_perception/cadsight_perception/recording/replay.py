"""Plays a recorded camera into the perception node and collects its results."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import LiveReport
from cadsight_ros.bags import BagMessage
from cadsight_ros.convert import qos
from cadsight_ros.convert.messages import serialized_stamp_ns
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from cadsight_perception import topics
from cadsight_perception.health.presence import wait_for_perception
from cadsight_perception.recording.bag_camera import BagCamera
from cadsight_perception.recording.bag_report import report_of

# A best-effort subscriber may be known to us before we are to it.
_SETTLE_S = 0.5
# An image may be lost on its way: so many are tried, one after the other, before the node counts as silent.
_TRIES = 3
_ANSWER = {topics.DETECTIONS, topics.NORMALS, topics.TIMING}


class Replay:
    """Publishes the images of bags through ``node``, which is spun elsewhere.

    Args:
        timeout_s: how long to wait for the perception node to be there, and how long it may then be given images
            without giving any result. A bag may be as long as it likes.
    """

    def __init__(self, node: Node, timeout_s: float) -> None:
        self._node, self._timeout_s = node, timeout_s
        self._images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        self._infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        self._changed = threading.Condition()
        self._results: list[BagMessage] = []
        self._answers: dict[int, set[str]] = {}
        self._answered_images = 0
        self._waiting_since: float | None = None
        group = MutuallyExclusiveCallbackGroup()
        for name, topic in topics.RESULTS.items():
            node.create_subscription(
                topic.message_type, name, self._receiver(name), topic.qos, callback_group=group, raw=True
            )

    def play(
        self,
        bag: Path,
        *,
        paced: bool,
        rate: float = 1.0,
        image_topic: str = topics.IMAGE,
        camera_info_topic: str = topics.CAMERA_INFO,
        calibration: Path | None = None,
        progress: Callable[[], None] = lambda: None,
    ) -> LiveReport:
        """Publish camera_info and image, one after the other, and report what came back.

        Args:
            paced: as far apart as their stamps, divided by ``rate``; else each waits for the result of the one before.
            image_topic, camera_info_topic, calibration: of the bag, as :class:`.bag_camera.BagCamera` takes them.
            progress: is called after each image.

        Raises:
            CadsightError: when the bag is not whole or has no image or no intrinsics, another camera is publishing, or
                the perception node is not there or gives no result for ``timeout_s``.
        """
        camera = BagCamera(bag, image_topic, camera_info_topic, calibration, self._node.get_logger().warning)
        earliest = next(iter(camera), None)
        if earliest is None:
            raise CadsightError(f"the bag {bag} has no image on {image_topic} that can be decoded, expected some")
        self._wait_until_ready()
        self._infos.publish(earliest.info.data)
        self._settle()
        began, first = time.monotonic(), None
        for number, shot in enumerate(camera, start=1):
            stamp = shot.stamp_ns
            if first is None:
                first, began = stamp, time.monotonic()
            if paced:
                time.sleep(max(began + (stamp - first) / 1e9 / rate - time.monotonic(), 0.0))
            with self._changed:
                self._results.append(shot.info)
                if self._waiting_since is None:
                    self._waiting_since = time.monotonic()
            self._infos.publish(shot.info.data)
            self._images.publish(shot.image)
            if not paced:
                self._answered(stamp, self._timeout_s / _TRIES)
            self._check_answering(number, bag)
            progress()
        self._answered(stamp, min(self._timeout_s, 5.0))
        with self._changed:
            return report_of(self._results, live=False)

    def _settle(self) -> None:
        """Wait until no more results come for images that others had sent, which a slow node still processes."""
        end = time.monotonic() + self._timeout_s
        came = True
        while came and time.monotonic() < end:
            with self._changed:
                self._results.clear()
            time.sleep(_SETTLE_S)
            with self._changed:
                came = bool(self._results)
        with self._changed:
            self._results.clear()
            self._answers.clear()
            self._answered_images, self._waiting_since = 0, None

    def _check_answering(self, published: int, bag: Path) -> None:
        with self._changed:
            answered, since = self._answered_images, self._waiting_since
        silence_s = 0.0 if since is None else time.monotonic() - since
        if silence_s >= self._timeout_s:
            raise CadsightError(
                f"the perception node gave no result for {silence_s:.1f} s, after {answered} of the {published} images "
                f"of {bag} that it was sent, expected one at least every {self._timeout_s:g} s"
            )

    def _wait_until_ready(self) -> None:
        others = self._node.count_publishers(topics.IMAGE) - 1
        if others > 0:
            raise CadsightError(
                f"another publisher of {topics.IMAGE} is running, expected none beside the bag: stop the camera"
            )
        wait_for_perception(self._node, self._timeout_s)

    def _receiver(self, topic: str) -> Callable[[bytes], None]:
        message_type = topics.RESULTS[topic].message_type

        def receive(data: bytes) -> None:
            with self._changed:
                self._results.append(BagMessage(topic, message_type.__name__, 0, data))
                if topic in _ANSWER:
                    answer = self._answers.setdefault(serialized_stamp_ns(data), set())
                    answer.add(topic)
                    if answer == _ANSWER:
                        self._answered_images, self._waiting_since = self._answered_images + 1, None
                self._changed.notify_all()

        return receive

    def _answered(self, stamp: int, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._answers.get(stamp) == _ANSWER, timeout_s)
