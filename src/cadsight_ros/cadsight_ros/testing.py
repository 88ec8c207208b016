"""Fixtures for tests of nodes; a package's conftest.py imports those that its tests use."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.node import Node

from cadsight_ros.clients import spinning
from cadsight_ros.domains import own_domain


@pytest.fixture
def ros() -> Iterator[Callable[..., None]]:
    """Initialises ROS with the arguments given to it, in a domain of its own, and shuts it down after the test."""

    def begin(*arguments: str) -> None:
        rclpy.init(args=["--ros-args", *arguments] if arguments else [], domain_id=own_domain())

    yield begin
    rclpy.try_shutdown()


@contextlib.contextmanager
def spun(node: Node, threads: int = 2) -> Iterator[None]:
    """Spin a node in the background, and destroy it at the end."""
    try:
        with spinning(node, threads):
            yield
    finally:
        node.destroy_node()


@pytest.fixture
def node(ros: Callable[..., None]) -> Iterator[Any]:
    """A node that is spun in the background."""
    ros()
    node = Node("tester")
    with spun(node):
        yield node
