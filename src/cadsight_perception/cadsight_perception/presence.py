"""Who is there: waits that end with a sentence."""

import time
from collections.abc import Callable

from cadsight_core.errors import CadsightError
from rclpy.node import Node

from cadsight_perception.topics import IMAGE, TIMING


def wait_for_camera(node: Node, timeout_s: float) -> None:
    """Wait until somebody publishes images.

    Raises:
        CadsightError: when nobody does within ``timeout_s``.
    """
    sentence = f"nobody published on {IMAGE} for {timeout_s:g} s, expected the camera to run"
    _wait(lambda: node.count_publishers(IMAGE) > 0, timeout_s, sentence)


def wait_for_perception(node: Node, timeout_s: float) -> None:
    """Wait until a perception node is active: the one that reports its timing also listens to the images.

    Raises:
        CadsightError: when none is within ``timeout_s``.
    """

    def looks() -> bool:
        reporting = {(i.node_namespace, i.node_name) for i in node.get_publishers_info_by_topic(TIMING)}
        return any((i.node_namespace, i.node_name) in reporting for i in node.get_subscriptions_info_by_topic(IMAGE))

    sentence = f"no perception node was active for {timeout_s:g} s, expected one that listens to {IMAGE}"
    _wait(looks, timeout_s, sentence)


def _wait(condition: Callable[[], bool], timeout_s: float, sentence: str) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise CadsightError(sentence)
        time.sleep(0.05)
