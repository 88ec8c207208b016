"""Programs that need a node for a while."""

import contextlib
from collections.abc import Iterator

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from cadsight_ros.clients import spinning


@contextlib.contextmanager
def temporary_node(name: str, domain: int | None = None) -> Iterator[Node]:
    """A node in our namespace that is spun in the background until the block ends; Ctrl-C stays Python's own.

    Args:
        domain: of ROS; None for that of the environment.
    """
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO, domain_id=domain)
    try:
        node = rclpy.create_node(name, namespace="cadsight")
        try:
            with spinning(node):
                yield node
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown()
