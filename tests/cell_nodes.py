"""The simulated cell, the motion node and the capture node as programs of their own, in a ROS domain of their own."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rclpy
from cadsight_ros.clients import ActionClient, spinning
from cadsight_ros.domains import DOMAINS, claimed_domain
from cadsight_ros.node.peers import servers
from rclpy.node import Node
from std_srvs.srv import Trigger

from cadsight_interfaces.action import CaptureSession, MoveToJoints

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config" / "workcell.yaml"
PART = {
    "part": str(ROOT / "config" / "parts" / "bracket.yaml"),
    "mount": [0.0, 0.0, 0.06, 0.0, 0.0, 0.0, 1.0],
}
HELD = {**PART, "bodies": str(ROOT / "config" / "bodies.yaml")}
_MOTION, _CAPTURE = "/cadsight/motion/move_to_joints", "/cadsight/capture/capture_session"
# What is left of the last one may still be heard in its own.
_FIRST_TRIED = (DOMAINS[(os.getpid() + i) % len(DOMAINS)] for i in itertools.count())


def another_domain() -> contextlib.AbstractContextManager[int]:
    """A ROS domain that nobody has, claimed for the body; each call tries another one first."""
    return claimed_domain(next(_FIRST_TRIED))


class Program:
    """A node in a process of its own."""

    def __init__(
        self, module: str, log: Path, parameters: dict[str, Any], domain: int, remaps: tuple[str, ...] = ()
    ) -> None:
        words = [sys.executable, "-X", "faulthandler", "-m", "cadsight_ros.node.entry", module]
        words += ["--ros-args", "--params-file", str(CONFIG)]
        for name, value in parameters.items():
            words += ["-p", f"{name}:={value}"]
        for remap in remaps:
            words += ["-r", remap]
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                words, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "ROS_DOMAIN_ID": str(domain)}
            )

    def end(self) -> int:
        """Ask for the end as Ctrl-C does; the exit status, which is -6 when it did not end in a minute.

        It then logs where each of its threads was.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(60)
        self.process.send_signal(signal.SIGABRT)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def wait(until: Callable[[], bool], *programs: Program) -> None:
    """Wait until it is so; none of ``programs`` may end before."""
    end = time.monotonic() + 90
    while not until():
        logs = "\n".join(program.log.read_text() for program in programs)
        assert all(program.process.poll() is None for program in programs), logs
        assert time.monotonic() < end, logs
        time.sleep(0.05)


def until(condition: Callable[[], object], seconds: float = 180.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Cell:
    """The running programs, and a node that talks to them."""

    def __init__(self, folder: Path, domain: int, faults: dict[str, Any], capture: dict[str, Any]) -> None:
        self.folder, self.sessions, self.truth = folder, folder / "sessions", folder / "truth"
        self.domain = domain
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context, domain_id=self.domain)
        self.node: Node = rclpy.create_node("tester", context=self._context)
        self.motion: ActionClient = ActionClient(self.node, MoveToJoints, _MOTION, accept_timeout_s=60.0)
        self.capture: ActionClient
        self._capture_parameters = {**HELD, "output_folder": str(self.sessions), **capture}
        self._capture_starts = 0
        self._simulated = {**HELD, "truth_folder": str(self.truth), "fps": 10.0, "seed": 5, **faults}
        self.programs: dict[str, Program] = {}
        self.start_cell()
        self.programs["motion"] = Program("cadsight_cell.motion_node", folder / "motion.log", HELD, self.domain)
        self.start_capture()

    def start_cell(self) -> None:
        self.programs["cell"] = Program(
            "cadsight_cell.simulated_cell_node", self.folder / "cell.log", self._simulated, self.domain
        )

    def start_capture(self) -> None:
        self._capture_starts += 1
        # A client that has met one server takes the next for met too, and its goal's answer may be lost.
        self.capture = ActionClient(self.node, CaptureSession, _CAPTURE, accept_timeout_s=60.0)
        self.programs["capture"] = Program(
            "cadsight_capture.capture_node", self.folder / "capture.log", self._capture_parameters, self.domain
        )

    def wait_until_it_runs(self) -> None:
        end = time.monotonic() + 180
        # A program that was killed is seen for some seconds more; what a new one logs is not.
        while not (
            self.node.count_publishers("/joint_states")
            and self.motion.is_there
            and self.programs["capture"].log.read_text().count("writes sessions to") == self._capture_starts
            and self.capture.is_there
            # A goal for one that was killed would never be answered.
            and all(len(servers(self.node, name)) == 1 for name in (_MOTION, _CAPTURE))
        ):
            assert time.monotonic() < end, self.logs()
            assert all(p.process.poll() is None for p in self.programs.values()), self.logs()
            time.sleep(0.1)

    def move(self, joints: dict[str, float], scaling: float = 0.0) -> MoveToJoints.Result:
        return self.motion.send(self.goal(joints, scaling)).wait(60)[1]

    @staticmethod
    def goal(joints: dict[str, float], scaling: float = 0.0) -> MoveToJoints.Goal:
        return MoveToJoints.Goal(
            joint_names=list(joints), positions=list(map(float, joints.values())), velocity_scaling=scaling
        )

    @staticmethod
    def session(name: str, count: int, seed: int = 1, split: str = "train") -> CaptureSession.Goal:
        return CaptureSession.Goal(folder=name, session=name, split=split, count=count, seed=seed)

    def logs(self) -> str:
        return "\n".join(f"== {p.log.name}\n{p.log.read_text()}" for p in self.programs.values())

    def end(self) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
        statuses = {name: program.end() for name, program in self.programs.items()}
        assert set(statuses.values()) == {0}, f"{statuses}\n{self.logs()}"


@contextlib.contextmanager
def running_cell(folder: Path, faults: dict[str, Any] | None = None, **capture: Any) -> Iterator[Cell]:
    """A cell that runs; on the way out every program must end cleanly when asked to."""
    with another_domain() as domain:
        cell = Cell(folder, domain, faults or {}, capture)
        try:
            with spinning(cell.node):
                cell.wait_until_it_runs()
                yield cell
        finally:
            cell.end()


class Requests:
    """Calls of services from a tester whose node is spun elsewhere."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clients: dict[str, Any] = {}

    def call(self, kind: Any, name: str) -> Any:
        client = self._clients.setdefault(name, self._node.create_client(kind, name))
        assert client.wait_for_service(90.0), name
        end = time.monotonic() + 90
        while time.monotonic() < end:
            # A server may be found before it has found its client: its answer is then lost.
            answer = client.call_async(kind.Request())
            until = time.monotonic() + 5
            while not answer.done() and time.monotonic() < until:
                time.sleep(0.01)
            if answer.done():
                return answer.result()
        raise AssertionError(f"{name} did not answer")

    def trigger(self, name: str) -> Any:
        return self.call(Trigger, name)
