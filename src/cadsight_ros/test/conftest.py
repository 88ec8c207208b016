"""ROS in a domain of the test's own."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from cadsight_ros.clients import spinning
from rclpy.node import Node


@pytest.fixture
def ros() -> Iterator[Callable[..., None]]:
    """Initialises ROS with the arguments given to it, and shuts it down after the test."""

    def begin(*arguments: str) -> None:
        # Below 102, where Linux has no ports of its own; by process, so that two runs on one machine do not meet.
        rclpy.init(args=["--ros-args", *arguments] if arguments else [], domain_id=1 + os.getpid() % 100)

    yield begin
    rclpy.try_shutdown()


@pytest.fixture
def node(ros: Callable[..., None]) -> Iterator[Any]:
    """A node that is spun in the background."""
    ros()
    node = Node("tester")
    with spinning(node):
        yield node
    node.destroy_node()
