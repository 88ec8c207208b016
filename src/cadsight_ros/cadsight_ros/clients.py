"""Services and actions as calls that end: with an answer, or with one sentence after a named time.

The calls block their thread while another one spins the node, such as that of a MultiThreadedExecutor with
reentrant callback groups, or :func:`cadsight_ros.clients.spinning`.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from rclpy.action import ActionClient as RosActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

Goal = TypeVar("Goal")
Result = TypeVar("Result")
Request = TypeVar("Request")
Response = TypeVar("Response")

# A server is seen a little before it sees its new client, and answers that it sends until then are lost.
_MEETING_S = 0.5

STATUS_NAMES = {
    GoalStatus.STATUS_SUCCEEDED: "succeeded",
    GoalStatus.STATUS_CANCELED: "cancelled",
    GoalStatus.STATUS_ABORTED: "aborted",
}


class UnansweredError(CadsightError):
    """Nobody was there, or no answer came in time."""


class RefusedError(CadsightError):
    """The goal was not accepted."""


class ServiceClient(Generic[Request, Response]):
    """A service with its time-out."""

    def __init__(self, node: Node, service_type: Any, name: str, *, timeout_s: float = 5.0) -> None:
        self._client: Any = node.create_client(service_type, name, callback_group=ReentrantCallbackGroup())
        self._name, self._timeout_s = name, timeout_s
        self._met = False

    def call(self, request: Request) -> Response:
        """The answer to ``request``.

        Raises:
            UnansweredError: when no server is there, or no answer comes within the time-out.
        """
        if not self._client.wait_for_service(self._timeout_s):
            raise UnansweredError(
                f"no server of {self._name} was there for {self._timeout_s:g} s, expected its node to run"
            )
        _meet(self)
        return _wait(self._client.call_async(request), self._timeout_s, f"the service {self._name}")


class RunningGoal(Generic[Result]):
    """An accepted goal."""

    def __init__(self, handle: Any, name: str) -> None:
        self._handle, self._name = handle, name
        self._result = handle.get_result_async()

    def wait(self, timeout_s: float, until: Callable[[], bool] = lambda: False) -> tuple[int, Result] | None:
        """Status (action_msgs/GoalStatus) and result, or None when ``until`` became true before they came.

        Raises:
            UnansweredError: when there is no result after ``timeout_s``; the goal is still running.
        """
        done = threading.Event()
        self._result.add_done_callback(lambda _: done.set())
        end = time.monotonic() + timeout_s
        while not done.wait(min(0.02, max(end - time.monotonic(), 0.0))):
            if until():
                return None
            if time.monotonic() >= end:
                raise UnansweredError(f"the action {self._name} had no result after {timeout_s:.1f} s")
        answer = self._result.result()
        return answer.status, answer.result

    def cancel(self, timeout_s: float = 5.0) -> None:
        """Ask for the end of the goal and wait for it; a goal that has ended is left alone.

        Raises:
            UnansweredError: when the server does not answer, or the goal has not ended after ``timeout_s``.
        """
        _wait(self._handle.cancel_goal_async(), timeout_s, f"the cancelling of {self._name}")
        self.wait(timeout_s)


class ActionClient(Generic[Goal, Result]):
    """An action with the time-out of its server's acceptance."""

    def __init__(self, node: Node, action_type: Any, name: str, *, accept_timeout_s: float = 5.0) -> None:
        self._client: Any = RosActionClient(node, action_type, name, callback_group=ReentrantCallbackGroup())
        self._name, self._timeout_s = name, accept_timeout_s
        self._met = False

    def send(self, goal: Goal, feedback: Callable[[Any], None] | None = None) -> RunningGoal[Result]:
        """Send ``goal``; ``feedback`` gets the feedback messages.

        Raises:
            UnansweredError: when no server is there or it does not answer within the time-out.
            RefusedError: when it does not accept the goal.
        """
        if not self._client.wait_for_server(self._timeout_s):
            raise UnansweredError(
                f"no server of the action {self._name} was there for {self._timeout_s:g} s, expected its node to run"
            )
        _meet(self)
        callback = (lambda message: feedback(message.feedback)) if feedback is not None else None
        future = self._client.send_goal_async(goal, feedback_callback=callback)
        handle = _wait(future, self._timeout_s, f"the action {self._name}")
        if not handle.accepted:
            raise RefusedError(f"the action {self._name} did not accept the goal")
        return RunningGoal(handle, self._name)

    @property
    def is_there(self) -> bool:
        """Whether a server is there now."""
        return bool(self._client.server_is_ready())


@contextlib.contextmanager
def spinning(node: Node, threads: int = 2) -> Iterator[None]:
    """Spin ``node`` in the background, for a program that makes calls from its own thread."""
    executor = MultiThreadedExecutor(threads, context=node.context)
    executor.add_node(node)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, name=f"spin {node.get_name()}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown(timeout_sec=1.0)
        thread.join(timeout=1.0)


def _meet(client: "ServiceClient[Any, Any] | ActionClient[Any, Any]") -> None:
    if not client._met:
        time.sleep(_MEETING_S)
        client._met = True


def _wait(future: Future, timeout_s: float, what: str) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    if not done.wait(timeout_s):
        future.cancel()
        raise UnansweredError(f"{what} did not answer for {timeout_s:g} s")
    return future.result()
