"""Hears where the tool may stand before a part, from a program."""

import threading
import time

from cadsight_core.errors import CadsightError
from cadsight_ros.convert import qos
from cadsight_ros.convert.messages import stamp_ns
from rclpy.node import Node

from cadsight_interfaces.msg import Approach, ApproachArray
from cadsight_perception.topics import APPROACHES


class ApproachListener:
    """The approach poses as they come; ``node`` is spun elsewhere."""

    def __init__(self, node: Node) -> None:
        self._changed = threading.Condition()
        self._latest: ApproachArray | None = None
        node.create_subscription(ApproachArray, APPROACHES, self._on_approaches, qos.RESULTS)
        self._clock = node.get_clock()

    def next(self, timeout_s: float, since_ns: int | None = None) -> ApproachArray:
        """The first poses of an image stamped after ``since_ns``, by default after this call.

        Raises:
            CadsightError: when none come in time.
        """
        since = self._clock.now().nanoseconds if since_ns is None else since_ns
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._latest is None or stamp_ns(self._latest.header.stamp) <= since:
                if not self._changed.wait(max(end - time.monotonic(), 0.0)):
                    raise CadsightError(
                        f"nothing came on {APPROACHES} for {timeout_s:g} s, expected the perception node to see "
                        "images and to know where the camera is: its status on /diagnostics says what it lacks"
                    )
            return self._latest

    def _on_approaches(self, message: ApproachArray) -> None:
        with self._changed:
            self._latest = message
            self._changed.notify_all()


def most_confident_first(approaches: ApproachArray, name: str | None = None) -> list[Approach]:
    """The approaches by their scores, of the class ``name`` where one is given.

    Raises:
        CadsightError: when there is none.
    """
    found = [one for one in approaches.approaches if name in (None, one.class_id)]
    if not found:
        seen = ", ".join(sorted({one.class_id for one in approaches.approaches})) or "nothing"
        raise CadsightError(f"no {name or 'part'} is seen, expected one in the camera's image: there is {seen}")
    return sorted(found, key=lambda one: -one.score)
