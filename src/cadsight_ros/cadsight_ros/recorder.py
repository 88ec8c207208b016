"""Records topics into a bag, as bytes, without looking into the messages."""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cadsight_core.errors import CadsightError
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile

if TYPE_CHECKING:
    # It brings the library of bags, for which a node that only names topics has no use.
    from cadsight_ros.bags import BagWriter


@dataclass(frozen=True)
class RecordedTopic:
    """What to subscribe to."""

    message_type: Any
    qos: QoSProfile


class Recorder:
    """Writes what arrives on ``topics`` with the time of its arrival, in a thread of its own.

    Attributes:
        counts: messages received so far, by topic.
        failure: why writing stopped, if it did.
    """

    def __init__(self, node: Node, writer: "BagWriter", topics: Mapping[str, RecordedTopic]) -> None:
        self.counts = dict.fromkeys(topics, 0)
        self.failure: CadsightError | None = None
        self._node, self._writer = node, writer
        self._queue: queue.SimpleQueue[tuple[str, str, int, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="recorder")
        self._thread.start()
        group = ReentrantCallbackGroup()
        self._subscriptions = [
            node.create_subscription(
                topic.message_type,
                name,
                self._receiver(name, _type_name(topic.message_type)),
                topic.qos,
                callback_group=group,
                raw=True,
            )
            for name, topic in topics.items()
        ]

    def close(self) -> None:
        """Stop listening, write what is waiting and finish the bag.

        Raises:
            CadsightError: when the disk refused something.
        """
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._queue.put(None)
        self._thread.join()
        self._writer.close()
        if self.failure is not None:
            raise self.failure

    def _receiver(self, topic: str, type_name: str) -> Any:
        def receive(data: bytes) -> None:
            self.counts[topic] += 1
            self._queue.put((topic, type_name, self._node.get_clock().now().nanoseconds, data))

        return receive

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.failure is None:
                try:
                    self._writer.write(*item)
                except CadsightError as error:
                    self.failure = error


def _type_name(message_type: Any) -> str:
    package, kind = message_type.__module__.split(".")[:2]
    return f"{package}/{kind}/{message_type.__name__}"
