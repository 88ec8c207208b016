"""The capture step: a session taken by the real nodes on the running cell."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cadsight_capture.client import SERVER, CaptureClient
from cadsight_capture.session import SessionPlan
from cadsight_ros.node.programs import temporary_node
from rclpy.node import Node

from cadsight_cli.demo.progress import bar
from cadsight_cli.demo.steps.children import SILENCE_S, Child, launched, wait_until
from cadsight_interfaces.action import CaptureSession

_SIGNS = (
    "/joint_states",
    "/tf_static",
    "/cadsight/motion/move_to_joints/_action/status",
    f"{SERVER}/_action/status",
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


class CellClient(CaptureClient):
    """Asks the capture node for sessions, and sees that the programs of the cell live."""

    def __init__(self, node: Node, children: Sequence[Child]) -> None:
        super().__init__(node, start_timeout_s=SILENCE_S, gone=self.check)
        self._children = children

    def check(self) -> bool:
        """False; raises ChildDiedError when a program of the cell has ended."""
        for child in self._children:
            child.check()
        return False

    def wait_for_cell(self, show: Callable[[str], None] = lambda _: None) -> None:
        """Wait until the arm, the camera, the motion node and the capture node are there.

        Raises:
            CadsightError: as :func:`cadsight_cli.demo.steps.children.wait_until`, naming what is still missing.
        """

        def missing() -> list[str]:
            return [topic for topic in _SIGNS if not self.node.count_publishers(topic)]

        wait_until(lambda: not missing(), lambda: f"a publisher of {', '.join(missing())}", self._children, show)


@contextlib.contextmanager
def cell_client(children: Sequence[Child]) -> Iterator[CellClient]:
    """A client of the capture node, while the body runs."""
    with temporary_node(f"demo_{os.getpid()}") as node:
        yield CellClient(node, children)


def capture_session(
    split: str, count: int, config: Path, seed: int, truth: Path, sessions: Path, logs: Path, title: str
) -> None:
    """Start the cell, take the session SESSIONS/SPLIT and end the cell; a session that is there is gone on with."""
    with (
        cell_with_capture(config, seed, truth, sessions, logs) as children,
        cell_client(children) as client,
        bar(title, count, "image") as progress,
    ):

        def feedback(message: CaptureSession.Feedback) -> None:
            progress.set_postfix({"skipped": message.skipped}, refresh=False)
            progress.update(message.captured - progress.n)

        client.wait_for_cell(progress.set_postfix_str)
        client.capture(split, SessionPlan(split, split, count, seed), feedback)
        progress.update(count - progress.n)
