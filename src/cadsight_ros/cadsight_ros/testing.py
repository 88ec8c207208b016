"""Fixtures and clients for tests of nodes; a package's conftest.py imports those that its tests use."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import pytest
import rclpy
from rcl_interfaces.srv import GetParameterTypes
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cadsight_ros.clients import UnansweredError, spinning
from cadsight_ros.domains import own_domain
from cadsight_ros.meeting import Meeting

Request = TypeVar("Request")
Response = TypeVar("Response")


@pytest.fixture
def ros() -> Iterator[Callable[..., None]]:
    """Initialises ROS with the arguments given to it, in a domain of its own, and shuts it down after the test."""

    def begin(*arguments: str) -> None:
        rclpy.init(args=["--ros-args", *arguments] if arguments else [], domain_id=own_domain())

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


class ServiceClient(Generic[Request, Response]):
    """A service of a node, below the node's own name, as a call that ends."""

    def __init__(self, node: Node, service_type: Any, name: str, *, timeout_s: float = 5.0) -> None:
        self._client: Any = node.create_client(service_type, name, callback_group=ReentrantCallbackGroup())
        # Every node serves the types of its parameters.
        asking: Any = node.create_client(
            GetParameterTypes, f"{name.rpartition('/')[0]}/get_parameter_types", callback_group=ReentrantCallbackGroup()
        )
        self._meeting = Meeting(asking, GetParameterTypes.Request())
        self._name, self._timeout_s = name, timeout_s

    def call(self, request: Request) -> Response:
        """The answer to ``request``.

        Raises:
            UnansweredError: when no server is there, or no answer comes within the time-out.
        """
        if not self._client.wait_for_service(self._timeout_s):
            raise UnansweredError(
                f"no server of {self._name} was there for {self._timeout_s:g} s, expected its node to run"
            )
        if not self._meeting.wait(self._timeout_s):
            raise UnansweredError(f"the node of the service {self._name} did not answer for {self._timeout_s:g} s")
        answered = threading.Event()
        future = self._client.call_async(request)
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(self._timeout_s):
            raise UnansweredError(f"the service {self._name} did not answer for {self._timeout_s:g} s")
        return future.result()
