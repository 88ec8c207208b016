"""The camera of the simulated table: shows images one by one, each when the last was answered and decided."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cadsight_active.loop.pool_images import f1
from cadsight_active.loop.shown import Shown, ShownRecord
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.sample import Sample
from cadsight_learning.options import CONFIDENCE
from cadsight_ros.clients import ServiceClient
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import to_message
from cadsight_ros.convert.messages import box_from_message, camera_to_info, stamp_from_ns, stamp_ns
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from cadsight_interfaces.msg import PoolDecision, ServedModels
from cadsight_interfaces.srv import GetStatistics
from cadsight_perception import topics

LOOP = "/cadsight/loop"
# So often an answer is asked for that does not come: whether a node has the image in hand, or never got it.
_LOOK_S = 10.0


class Feed:
    """Publishes images and waits for what becomes of each.

    Args:
        record: file that keeps what was shown.
        check: raises when a program that has to answer has ended.
    """

    def __init__(self, node: Node, record: Path, check: Callable[[], None]) -> None:
        self._record = ShownRecord(record)
        self._check = check
        self._images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        self._infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        self._changed = threading.Condition()
        self._found: dict[int, Detection2DArray] = {}
        self._models: dict[int, ServedModels] = {}
        self._decided: dict[int, PoolDecision] = {}
        for kind, name, kept in (
            (Detection2DArray, topics.DETECTIONS, self._found),
            (ServedModels, topics.MODELS, self._models),
            (PoolDecision, f"{LOOP}/decision", self._decided),
        ):
            node.create_subscription(kind, name, lambda message, kept=kept: self._keep(kept, message), qos.RESULTS)
        self._loop, self._perception = (
            ServiceClient[GetStatistics.Request, GetStatistics.Response](
                node, GetStatistics, f"{name}/get_statistics", timeout_s=60.0
            )
            for name in (LOOP, topics.NAMESPACE)
        )
        self._clock = node.get_clock()

    @property
    def shown(self) -> tuple[Shown, ...]:
        """All that was shown, in this run and earlier ones."""
        return self._record.all

    def show(self, sample: Sample, image: Any, phase: str, classes: tuple[str, ...]) -> Shown:
        """Show an image until it is answered.

        Raises:
            CadsightError: when nothing answers.
        """
        stamp = self._answered(sample, image)
        with self._changed:
            found, models, decided = (d.pop(stamp) for d in (self._found, self._models, self._decided))
            for kept in (self._found, self._models, self._decided):
                kept.clear()
        boxes = []
        for detection in found.detections:
            best = detection.results[0].hypothesis
            if best.score >= CONFIDENCE and best.class_id in classes:
                boxes.append((classes.index(best.class_id), box_from_message(detection.bbox)))
        shown = Shown(
            len(self._record.all) + 1,
            phase,
            sample.name,
            f1(boxes, sample),
            models.generation,
            models.detector,
            decided.verdict,
            tuple(decided.alarms),
        )
        self._record.add(shown)
        return shown

    def state(self) -> dict[str, str]:
        """What the loop says of itself."""
        return _values(self._loop)

    def _answered(self, sample: Sample, image: Any) -> int:
        """The stamp with which an image was answered; one that a node never got is shown again, with another."""
        assert sample.camera is not None
        while True:
            stamp = self._clock.now().nanoseconds
            self._infos.publish(camera_to_info(sample.camera, stamp_from_ns(stamp)))
            self._images.publish(to_message(image, Header(stamp=stamp_from_ns(stamp), frame_id=sample.camera.frame)))
            while not self._is_answered(stamp):
                self._check()
                if not self._has_in_hand():
                    break
            else:
                return stamp

    def _is_answered(self, stamp: int) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: all(stamp in kept for kept in (self._found, self._models, self._decided)), _LOOK_S
            )

    def _has_in_hand(self) -> bool:
        """Whether the perception node got an image that it has not inferred on yet."""
        counts = _values(self._perception)
        ended = sum(int(counts[name]) for name in ("processed", "dropped", "bad_messages", "errors"))
        return int(counts["received"]) > ended

    def _keep(self, kept: dict[int, Any], message: Any) -> None:
        with self._changed:
            kept[stamp_ns(message.header.stamp)] = message
            self._changed.notify_all()


def _values(client: "ServiceClient[GetStatistics.Request, GetStatistics.Response]") -> dict[str, str]:
    return {pair.key: pair.value for pair in client.call(GetStatistics.Request()).status.values}


def endless(folder: Path) -> Iterator[tuple[Sample, Any, tuple[str, ...]]]:
    """The images of a data set with their pixels and classes, again and again."""
    dataset = Dataset.open(folder)
    while True:
        for sample in dataset:
            yield sample, dataset.image(sample), dataset.classes
