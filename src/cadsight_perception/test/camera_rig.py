"""A camera of the test's own, and subscriptions to the results of the perception node."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from cadsight_core.camera import Camera, ImageSize
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import to_message
from cadsight_ros.convert.messages import camera_to_info, stamp_from_ns, stamp_ns
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from cadsight_perception import topics

CAMERA = Camera(ImageSize(64, 48), 60.0, 60.0, 31.5, 23.5, (), "test_optical")
PATIENCE_S = 40.0


class CameraRig:
    """Publishes random images of 64 x 48 with stamps of its own, and keeps every result by topic."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.received: dict[str, list[Any]] = defaultdict(list)
        self._changed = threading.Condition()
        self._images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        self._infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        self._rng = np.random.default_rng(0)
        self._next_ns = 1_795_000_000_000_000_000
        for name, topic in topics.RESULTS.items():
            self.listen(topic.message_type, name)

    def listen(self, message_type: Any, name: str) -> None:
        def keep(message: Any) -> None:
            with self._changed:
                self.received[name].append(message)
                self._changed.notify_all()

        self.node.create_subscription(message_type, name, keep, qos.RESULTS)

    def until(self, condition: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, PATIENCE_S)

    def wait_for_listener(self, info: bool = True) -> None:
        """Until the node listens, to us in turn, and, with ``info``, has heard of the camera."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not (
            self._images.get_subscription_count() and self._infos.get_subscription_count()
        ):
            time.sleep(0.02)
        if info:
            self.info()
        time.sleep(0.3)

    @property
    def listened(self) -> bool:
        """Whether anybody listens to the images."""
        return bool(self._images.get_subscription_count())

    def info(self, camera: Camera = CAMERA) -> None:
        self._infos.publish(camera_to_info(camera, self.stamp()))

    def stamp(self) -> Time:
        return stamp_from_ns(self._next_ns)

    def image(self, **changes: Any) -> Header:
        """Publish the next image; ``changes`` spoil the message's fields."""
        header = Header(stamp=self.stamp(), frame_id=CAMERA.frame)
        self._next_ns += 100_000_000
        message = to_message(self._rng.integers(0, 255, (48, 64, 3), np.uint8), header)
        for name, value in changes.items():
            setattr(message, name, value)
        self._images.publish(message)
        return header

    def of(self, topic: str, header: Header) -> Any:
        """The result of one image on a topic, or None when none came."""

        def found() -> list[Any]:
            return [m for m in self.received[topic] if stamp_ns(m.header.stamp) == stamp_ns(header.stamp)]

        return found()[0] if self.until(lambda: bool(found())) else None
