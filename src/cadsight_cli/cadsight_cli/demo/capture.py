"""The capture step: a session taken by the real nodes on the running cell."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rclpy
from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from cadsight_ros.clients import ActionClient, RunningGoal, spinning
from rclpy.signals import SignalHandlerOptions

from cadsight_cli.demo.children import Child, launched
from cadsight_cli.demo.progress import bar
from cadsight_interfaces.action import CaptureSession

Feedback = Callable[[CaptureSession.Feedback], None]
# A cold machine imports and compiles its scene for many seconds before the nodes answer.
START_TIMEOUT_S = 60.0
_LONG_S = 1e6
_CAPTURE = "/cadsight/capture/capture_session"
_SIGNS = (
    "/joint_states",
    "/tf_static",
    "/cadsight/motion/move_to_joints/_action/status",
    f"{_CAPTURE}/_action/status",
)


@contextlib.contextmanager
def cell_with_capture(config: Path, seed: int, truth: Path, sessions: Path, logs: Path) -> Iterator[list[Child]]:
    """The simulated cell, the node that moves its arm and the one that captures, while the body runs.

    Args:
        truth: folder for what is really so.
        sessions: folder that sessions are written to.
    """
    truth.mkdir(parents=True, exist_ok=True)
    cell = {"config": config, "seed": seed, "truth_folder": truth}
    capture = {"config": config, "output_folder": sessions, "labelling": False}
    with launched("cell", cell, logs / "cell.log") as a, launched("capture", capture, logs / "capture.log") as b:
        yield [a, b]


@contextlib.contextmanager
def capture_client(children: list[Child]) -> Iterator["CaptureClient"]:
    """A client of the capture node, while the body runs."""
    # Ctrl-C is for us: rclpy would end its context before the session could be told to stop.
    with rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO):
        node = rclpy.create_node(f"demo_{os.getpid()}")
        try:
            with spinning(node):
                yield CaptureClient(node, children)
        finally:
            node.destroy_node()


class CaptureClient:
    """Asks the capture node for sessions, and sees that the programs of the cell live."""

    def __init__(self, node: Any, children: list[Child]) -> None:
        self.node, self._children = node, children
        self._client: ActionClient[Any, Any] = ActionClient(
            node, CaptureSession, _CAPTURE, accept_timeout_s=START_TIMEOUT_S
        )

    def check(self) -> bool:
        """False; raises ChildDiedError when a program of the cell has ended."""
        for child in self._children:
            child.check()
        return False

    def wait_for_cell(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the arm, the camera, the motion node and the capture node are there.

        Raises:
            ChildDiedError: when one of them ends.
            CadsightError: naming what is still missing after ``timeout_s``.
        """
        end = time.monotonic() + timeout_s
        while missing := [topic for topic in _SIGNS if not self.node.count_publishers(topic)]:
            self.check()
            if time.monotonic() > end:
                raise CadsightError(f"nobody published {missing[0]} for {timeout_s:.0f} s, expected the cell to run")
            time.sleep(0.05)

    def start(self, folder: str, split: str, count: int, seed: int, feedback: Feedback) -> RunningGoal[Any]:
        """Begin a session, or go on with the one that is there."""
        self.wait_for_cell()
        goal = CaptureSession.Goal(folder=folder, session=folder, split=split, count=count, seed=seed)
        return self._client.send(goal, feedback)

    def run(self, folder: str, split: str, count: int, seed: int, feedback: Feedback) -> None:
        """Take a whole session; when it is broken off, the node is told to stop first.

        Raises:
            CadsightError: when a program of the cell ends or the session does not come about.
        """
        running = self.start(folder, split, count, seed, feedback)
        try:
            answer = running.wait(_LONG_S, until=self.check)
        except BaseException:
            with contextlib.suppress(CadsightError):
                running.cancel()
            raise
        status, result = answer if answer is not None else (None, CaptureSession.Result())
        if status != GoalStatus.STATUS_SUCCEEDED:
            raise CadsightError(f"the session {folder} was not captured: {result.message or 'it was broken off'}")


def capture_session(
    split: str, count: int, config: Path, seed: int, truth: Path, sessions: Path, logs: Path, title: str
) -> None:
    """Start the cell, take the session SESSIONS/SPLIT and end the cell; a session that is there is gone on with."""
    with (
        cell_with_capture(config, seed, truth, sessions, logs) as children,
        capture_client(children) as client,
        bar(title, count, "image") as shown,
    ):

        def feedback(message: CaptureSession.Feedback) -> None:
            shown.set_postfix({"skipped": message.skipped}, refresh=False)
            shown.update(message.captured - shown.n)

        client.run(split, split, count, seed, feedback)
        shown.update(count - shown.n)
