"""Actions and services as calls that end: with an answer, or with one sentence after a named time.

The calls block their thread while another one spins the node, such as that of a MultiThreadedExecutor with
reentrant callback groups, or :func:`cadsight_ros.clients.spinning`.
"""

import contextlib
import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from action_msgs.msg import GoalInfo, GoalStatus
from action_msgs.srv import CancelGoal
from cadsight_core.errors import CadsightError
from rcl_interfaces.srv import GetParameterTypes
from rclpy.action import ActionClient as RosActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from cadsight_ros.executors import SteadyMultiThreadedExecutor
from cadsight_ros.meeting import Meeting

Goal = TypeVar("Goal")
Result = TypeVar("Result")
Request = TypeVar("Request")
Response = TypeVar("Response")

# Between two looks at whether a server is still there.
_POLL_S = 0.02

STATUS_NAMES = {
    GoalStatus.STATUS_SUCCEEDED: "succeeded",
    GoalStatus.STATUS_CANCELED: "cancelled",
    GoalStatus.STATUS_ABORTED: "aborted",
}


class UnansweredError(CadsightError):
    """Nobody was there, or no answer came in time."""


class RefusedError(CadsightError):
    """The goal was not accepted."""


class RunningGoal(Generic[Result]):
    """A goal that a server was asked for, from its sending to its end."""

    def __init__(self, sent: Future, name: str, is_there: Callable[[], bool]) -> None:
        self._name, self._is_there = name, is_there
        self._lock = threading.Lock()
        self._handle: Any = None
        self._answer: Any = None
        self._ending = False
        self._answered, self._cancel_taken, self._ended = threading.Event(), threading.Event(), threading.Event()
        sent.add_done_callback(self._on_answer)

    @property
    def accepted(self) -> bool:
        """Whether the server has accepted it."""
        return self._handle is not None

    @property
    def ended(self) -> bool:
        """Whether the server refused it or has sent its result."""
        return self._ended.is_set()

    def wait_for_answer(self, timeout_s: float) -> None:
        """Wait until the server has accepted or refused it.

        Raises:
            UnansweredError: when it did neither in time, or went away. Accepted later, the goal is cancelled.
            RefusedError: when it refused.
        """
        self._wait(self._answered, timeout_s, f"the action {self._name} did not answer for {timeout_s:g} s")
        if not self.accepted:
            raise RefusedError(f"the action {self._name} did not accept the goal")

    def wait(self, timeout_s: float = math.inf, until: Callable[[], bool] = lambda: False) -> tuple[int, Result] | None:
        """Status (action_msgs/GoalStatus) and result, or None when ``until`` became true before they came.

        Raises:
            UnansweredError: when there is no result after ``timeout_s``, the goal is still running; or when the
                server went away.
        """
        sentence = f"the action {self._name} had no result after {timeout_s:.1f} s"
        if not self._wait(self._ended, timeout_s, sentence, until):
            return None
        return self._answer.status, self._answer.result

    def ask_to_end(self) -> None:
        """Ask the server for the goal's end and do not wait; asked before it was accepted, it is cancelled then."""
        with self._lock:
            before, self._ending = self._ending, True
            handle = self._handle
        if handle is not None and not before and not self.ended:
            self._cancel(handle)

    def wait_for_cancel(self, timeout_s: float) -> bool:
        """Whether the server took the cancelling, or reported the goal's end, within the time."""
        end = time.monotonic() + timeout_s
        while not (self.ended or self._cancel_taken.is_set()) and time.monotonic() < end:
            self._ended.wait(_POLL_S)
        return self.ended or self._cancel_taken.is_set()

    def cancel(self, timeout_s: float = 5.0) -> None:
        """Ask for the end of the goal and wait for it; a goal that has ended is left alone.

        Raises:
            UnansweredError: when the goal has not ended after ``timeout_s``, or the server went away.
        """
        self.ask_to_end()
        self._wait(self._ended, timeout_s, f"the cancelling of {self._name} did not come about for {timeout_s:g} s")

    def _wait(
        self, what: threading.Event, timeout_s: float, sentence: str, until: Callable[[], bool] = lambda: False
    ) -> bool:
        end = time.monotonic() + timeout_s
        while not what.wait(min(_POLL_S, max(end - time.monotonic(), 0.0))):
            if until():
                return False
            if not self._is_there():
                raise UnansweredError(f"the server of the action {self._name} went away")
            if time.monotonic() >= end:
                raise UnansweredError(sentence)
        return True

    def _on_answer(self, sent: Future) -> None:
        handle = sent.result()
        if handle is None or not handle.accepted:
            self._ended.set()
            self._answered.set()
            return
        handle.get_result_async().add_done_callback(self._on_result)
        with self._lock:
            self._handle = handle
            ending = self._ending
        self._answered.set()
        if ending:
            self._cancel(handle)

    def _on_result(self, result: Future) -> None:
        self._answer = result.result()
        self._ended.set()

    def _cancel(self, handle: Any) -> None:
        handle.cancel_goal_async().add_done_callback(self._on_cancel)

    def _on_cancel(self, answer: Future) -> None:
        response = answer.result()
        if response is not None and response.goals_canceling:
            self._cancel_taken.set()


class _EarlyLockedClient(RosActionClient):
    """rclpy gives a new client to the spinning executor a moment before it makes the client's lock."""

    _lock = threading.Lock()


class ActionClient(Generic[Goal, Result]):
    """An action with the time-out of its server's acceptance, which can end all its goals."""

    def __init__(self, node: Node, action_type: Any, name: str, *, accept_timeout_s: float = 5.0) -> None:
        group = ReentrantCallbackGroup()
        self._client: Any = _EarlyLockedClient(node, action_type, name, callback_group=group)
        # The action client cancels accepted goals only.
        self._canceller: Any = node.create_client(CancelGoal, f"{name}/_action/cancel_goal", callback_group=group)
        # No goal has this name, so that its cancelling changes nothing.
        unknown = CancelGoal.Request(goal_info=GoalInfo(goal_id=_message(uuid.uuid4().bytes)))
        self._meeting = Meeting(self._canceller, unknown)
        self._name, self._timeout_s = name, accept_timeout_s
        self._lock = threading.Lock()
        self._sent: dict[bytes, RunningGoal[Result]] = {}
        self._identities: deque[bytes] = deque(maxlen=64)
        self._ending = False

    def send(self, goal: Goal, feedback: Callable[[Any], None] | None = None) -> RunningGoal[Result]:
        """Send ``goal``; ``feedback`` gets the feedback messages.

        Raises:
            UnansweredError: when no server is there, or it does not answer within the time-out; should it accept the
                goal later, the goal is cancelled.
            RefusedError: when it does not accept the goal, or after :meth:`end`.
        """
        if not self._client.wait_for_server(self._timeout_s):
            raise UnansweredError(
                f"no server of the action {self._name} was there for {self._timeout_s:g} s, expected its node to run"
            )
        if not self._meeting.wait(self._timeout_s):
            raise UnansweredError(f"the server of the action {self._name} did not answer for {self._timeout_s:g} s")
        callback = (lambda message: feedback(message.feedback)) if feedback is not None else None
        identity = uuid.uuid4().bytes
        with self._lock:
            if self._ending:
                raise RefusedError(f"the goal for the action {self._name} was not sent, since this program ends")
            future = self._client.send_goal_async(goal, feedback_callback=callback, goal_uuid=_message(identity))
            running: RunningGoal[Result] = RunningGoal(future, self._name, lambda: self.is_there)
            self._sent = {i: g for i, g in self._sent.items() if not g.ended} | {identity: running}
            self._identities.append(identity)
        try:
            running.wait_for_answer(self._timeout_s)
        except UnansweredError:
            running.ask_to_end()
            raise
        return running

    def end(self, timeout_s: float) -> bool | None:
        """Cancel what runs and send nothing more.

        Returns:
            None when nothing ran; else whether the server took every cancelling, or reported the goal's end, in time.
        """
        with self._lock:
            self._ending = True
            sent = {i: g for i, g in self._sent.items() if not g.ended}
        if not sent:
            return None
        for goal in sent.values():
            goal.ask_to_end()
        last = time.monotonic() + timeout_s
        ended = [goal.wait_for_cancel(max(last - time.monotonic(), 0.0)) for goal in sent.values()]
        for identity, goal in sent.items():
            if not goal.accepted and not goal.ended:
                # Not answered yet: this waits behind the goal at the server.
                info = GoalInfo(goal_id=_message(identity))
                self._canceller.call_async(CancelGoal.Request(goal_info=info))
        return all(ended)

    def sent(self, identity: bytes) -> bool:
        """Whether the goal of this name was one of the latest 64 of this client."""
        with self._lock:
            return identity in self._identities

    @property
    def is_there(self) -> bool:
        """Whether a server is there now."""
        return bool(self._client.server_is_ready())


class ServiceClient(Generic[Request, Response]):
    """A service of a node, below the node's own name, as a call that ends.

    Args:
        timeout_s: to find the server, and for its answer.
        answer_s: for the answer, where that takes longer.
    """

    def __init__(
        self, node: Node, service_type: Any, name: str, *, timeout_s: float = 5.0, answer_s: float | None = None
    ) -> None:
        self._client: Any = node.create_client(service_type, name, callback_group=ReentrantCallbackGroup())
        # Every node serves the types of its parameters.
        asking: Any = node.create_client(
            GetParameterTypes, f"{name.rpartition('/')[0]}/get_parameter_types", callback_group=ReentrantCallbackGroup()
        )
        self._meeting = Meeting(asking, GetParameterTypes.Request())
        self._name, self._timeout_s = name, timeout_s
        self._answer_s = timeout_s if answer_s is None else answer_s
        self._given_up = False
        self._waiting: set[threading.Event] = set()

    def give_up(self) -> None:
        """End the calls that wait for an answer, from another thread; there are no others after it."""
        self._given_up = True
        for answered in tuple(self._waiting):
            answered.set()

    def call(self, request: Request) -> Response:
        """The answer to ``request``.

        Raises:
            UnansweredError: when no server is there, no answer comes within the time-out, or after :meth:`give_up`.
        """
        if not self._client.wait_for_service(self._timeout_s):
            raise UnansweredError(
                f"no server of {self._name} was there for {self._timeout_s:g} s, expected its node to run"
            )
        if not self._meeting.wait(self._timeout_s):
            raise UnansweredError(f"the node of the service {self._name} did not answer for {self._timeout_s:g} s")
        answered = threading.Event()
        self._waiting.add(answered)
        try:
            if self._given_up:
                answered.set()
            future = self._client.call_async(request)
            future.add_done_callback(lambda _: answered.set())
            if not answered.wait(self._answer_s):
                raise UnansweredError(f"the service {self._name} did not answer for {self._answer_s:g} s")
        finally:
            self._waiting.discard(answered)
        if not future.done():
            raise UnansweredError(f"the service {self._name} was not waited for any longer")
        return future.result()


@contextlib.contextmanager
def spinning(node: Node, threads: int = 2) -> Iterator[None]:
    """Spin ``node`` in the background, for a program that makes calls from its own thread."""
    executor = SteadyMultiThreadedExecutor(threads, context=node.context)
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


def _message(identity: bytes) -> UUID:
    return UUID(uuid=np.frombuffer(identity, np.uint8))
