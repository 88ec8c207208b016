"""Threads of one's own beside a node that may be stopped at any moment."""

import contextlib
from collections.abc import Iterator

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node


@contextlib.contextmanager
def unless_stopped(node: Node) -> Iterator[None]:
    """Publish from a thread: what fails only because ROS has been shut down meanwhile is no error."""
    try:
        yield
    except (rclpy_implementation.RCLError, rclpy_implementation.InvalidHandle):
        if node.context.ok():
            raise
