"""Waits for the camera and the perception node by what they report; failed waits raise a sentence."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cadsight_core.errors import CadsightError
from cadsight_ros.convert import qos
from cadsight_ros.node.peers import full_name, publishers
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from cadsight_perception.health.states import BUSY, FAILED, NodeStatus, node_status
from cadsight_perception.topics import IMAGE, TIMING

Progress = Callable[[str], object]


def silent(_: str) -> None:
    """A progress that shows nothing."""


def wait_for_camera(node: Node, timeout_s: float, image_topic: str = IMAGE) -> None:
    """Wait until somebody publishes images on ``image_topic``.

    Raises:
        CadsightError: when nobody does within ``timeout_s``.
    """
    end = time.monotonic() + timeout_s
    while not node.count_publishers(image_topic):
        if time.monotonic() > end:
            raise CadsightError(f"nobody published on {image_topic} for {timeout_s:g} s, expected the camera to run")
        time.sleep(0.05)


def wait_for_perception(node: Node, timeout_s: float, progress: Progress = silent, image_topic: str = IMAGE) -> None:
    """Wait until a perception node is active: the one that reports its timing also listens to the images.

    As long as it reports that it loads or exports it is waited for; ``node`` is spun elsewhere.

    Args:
        progress: is called again and again with the last sentence of the node, and may raise.

    Raises:
        CadsightError: when it reports that it failed, is gone, or for ``timeout_s`` reports no work and is not active.
    """

    def is_active() -> bool:
        listening = set(map(full_name, node.get_subscriptions_info_by_topic(image_topic)))
        return bool(listening & set(publishers(node, TIMING)))

    _wait(node, is_active, timeout_s, f"no perception node was active for {timeout_s:g} s", progress, image_topic)


def wait_for_result(node: Node, timeout_s: float, progress: Progress = silent) -> None:
    """Wait until a perception node has processed an image; else as :func:`wait_for_perception`."""
    came = threading.Event()
    subscription = node.create_subscription(
        DiagnosticArray, TIMING, lambda _: came.set(), qos.RESULTS, callback_group=MutuallyExclusiveCallbackGroup()
    )
    try:
        _wait(node, came.is_set, timeout_s, f"no perception node gave a result for {timeout_s:g} s", progress)
    finally:
        node.destroy_subscription(subscription)


def _wait(
    node: Node, condition: Callable[[], bool], timeout_s: float, late: str, progress: Progress, image_topic: str = IMAGE
) -> None:
    with _statuses(node) as statuses:
        end, counted, latest = time.monotonic() + timeout_s, 0, None
        seen: set[str] = set()
        while not condition():
            for latest in statuses[counted:]:
                counted += 1
                if latest.state in BUSY:
                    end = time.monotonic() + timeout_s
            last = f"; its last status was: {latest.sentence}" if latest else ""
            progress(latest.sentence if latest else "")
            if latest is not None and latest.state == FAILED:
                raise CadsightError(f"{latest.node} failed: {latest.sentence}")
            there = set(publishers(node, TIMING))
            if seen and not there:
                raise CadsightError(f"{' and '.join(sorted(seen))} is gone, expected it to stay{last}")
            seen |= there
            if time.monotonic() > end:
                raise CadsightError(f"{late}, expected one that listens to {image_topic}{last}")
            time.sleep(0.05)


@contextmanager
def _statuses(node: Node) -> Iterator[list[NodeStatus]]:
    """The statuses of perception nodes until the block ends, in order."""
    statuses: list[NodeStatus] = []

    def keep(message: DiagnosticArray) -> None:
        statuses.extend(one for status in message.status if (one := node_status(status)) is not None)

    subscription = node.create_subscription(
        DiagnosticArray, "/diagnostics", keep, qos.RESULTS, callback_group=MutuallyExclusiveCallbackGroup()
    )
    try:
        yield statuses
    finally:
        node.destroy_subscription(subscription)
