"""Plays a recorded camera into the perception node and collects what it says."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_ros.bags import BagMessage, read_bag
from cadsight_ros.messages import serialized_stamp_ns, stamp_from_ns
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image

from cadsight_perception import topics
from cadsight_perception.bag_report import report_of
from cadsight_perception.presence import wait_for_perception
from cadsight_ros import qos

# A best-effort subscriber may be known to us before we are to it.
_SETTLE_S = 0.5
_MOST_UNANSWERED = 3


class Replay:
    """Publishes the images of bags through ``node``, which is spun elsewhere.

    Args:
        timeout_s: how long to wait for the perception node to be there, and for a result.
    """

    def __init__(self, node: Node, timeout_s: float) -> None:
        self._node, self._timeout_s = node, timeout_s
        self._images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        self._infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        self._changed = threading.Condition()
        self._results: list[BagMessage] = []
        self._answers: dict[int, set[str]] = {}
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
        progress: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Publish camera_info and image, one after the other, and report what came back.

        Args:
            paced: as far apart as their stamps, divided by ``rate``; else each waits for the result of the one before.
            progress: is called after each image.

        Raises:
            CadsightError: when the bag is not whole or has no image, another camera is publishing, or the perception
                node is not there or stops answering.
        """
        infos = {serialized_stamp_ns(m.data): m for m in read_bag(bag, [topics.CAMERA_INFO])}
        if not infos:
            raise CadsightError(f"the bag {bag} has nothing on {topics.CAMERA_INFO}, expected a recorded camera")
        self._wait_until_ready()
        with self._changed:
            self._results.clear()
            self._answers.clear()
        first_info = next(iter(infos.values()))
        self._infos.publish(first_info.data)
        time.sleep(_SETTLE_S)
        unanswered, began, first = 0, time.monotonic(), None
        for message in read_bag(bag, [topics.IMAGE]):
            stamp = serialized_stamp_ns(message.data)
            if first is None:
                first, began = stamp, time.monotonic()
            if paced:
                time.sleep(max(began + (stamp - first) / 1e9 / rate - time.monotonic(), 0.0))
            info = infos[stamp] if stamp in infos else _restamped(first_info, stamp)
            with self._changed:
                self._results.append(info)
            self._infos.publish(info.data)
            self._images.publish(message.data)
            if not paced:
                unanswered = 0 if self._answered(stamp, self._timeout_s) else unanswered + 1
                if unanswered >= _MOST_UNANSWERED:
                    raise CadsightError(
                        f"the perception node did not answer {unanswered} images in {self._timeout_s:g} s each"
                    )
            progress()
        if first is None:
            raise CadsightError(f"the bag {bag} has nothing on {topics.IMAGE}, expected a recorded camera")
        self._answered(stamp, min(self._timeout_s, 5.0))
        with self._changed:
            return report_of(self._results, live=False)

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
                if topic != topics.MARKERS:
                    self._answers.setdefault(serialized_stamp_ns(data), set()).add(topic)
                self._changed.notify_all()

        return receive

    def _answered(self, stamp: int, timeout_s: float) -> bool:
        wanted = {topics.DETECTIONS, topics.NORMALS, topics.TIMING}
        with self._changed:
            return self._changed.wait_for(lambda: self._answers.get(stamp, set()) >= wanted, timeout_s)


def _restamped(info: BagMessage, stamp: int) -> BagMessage:
    message = deserialize_message(info.data, CameraInfo)
    message.header.stamp = stamp_from_ns(stamp)
    return replace(info, data=serialize_message(message))
