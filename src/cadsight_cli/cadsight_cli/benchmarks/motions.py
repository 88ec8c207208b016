"""Motions with faults at random: none lost, nothing touched, memory flat."""

import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_cell.driver.names import DASHBOARD
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array

from cadsight_cli.benchmarks.live.perception import running

Show = Callable[[str, dict[str, Any]], None]
_PATIENCE_S = 600.0
_FAULTS = (
    "protective_stop",
    "payload_error",
    "emergency_stop",
    "lost_connection",
    "program_stopped",
    "slider",
    "joint_jump",
)
_RELEASE = (
    "/simulated_cell/fault/clear",
    *(f"{DASHBOARD}/{name}" for name in ("unlock_protective_stop", "power_on", "brake_release", "play")),
)
_HOME = np.array([-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489])
_SPREAD = np.array([1.2, 0.5, 0.5, 0.8, 0.8, 1.5])


@dataclass(frozen=True)
class MotionsBenchmark:
    """The motion node and the simulated cell of config/workcell.yaml, without noise in the joints' readings."""

    count: int = parameter(500, "motions", minimum=2)
    seed: int = parameter(1, "decides goals and faults", minimum=0, maximum=LARGEST_SEED)
    fault_fraction: float = parameter(0.3, "of the motions in which a fault happens", minimum=0.0, maximum=1.0)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """How the motions ended, the least distance from a body by MuJoCo, and the memory of both nodes."""
        from cadsight_cell.arm import Arm
        from cadsight_cell.holder import collision_model
        from cadsight_ros.domains import claimed_domain
        from cadsight_ros.resources import resolve

        config = resolve("package://cadsight/config/workcell.yaml")
        held = held_of(config)
        model = collision_model(held, Arm(), resolve)
        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch, claimed_domain() as domain:
            logs = {"ROS_DOMAIN_ID": str(domain)}
            small = ("fps:=1.0", "width:=64", "height:=48", "joint_noise_deg:=0.0")
            cell = node_words("cadsight_cell.simulated_cell_node", config, "simulated_cell", *small)
            motion = node_words("cadsight_cell.motion_node", config, "motion", "stall_s:=2.0")
            with (
                running(cell, Path(scratch) / "cell.log", **logs) as first,
                running(motion, Path(scratch) / "motion.log", **logs) as second,
                _Tester(domain) as tester,
            ):
                soak = _Soak(self, tester, {"cell": first.pid, "motion": second.pid}, model.is_free)
                found = soak.run()
        found["clearance"] = clearance_of(tester.way, held)
        for name, values in found.items():
            show(name, values)
        return found


@dataclass
class _Soak:
    """The motions one after the other, and what became of them."""

    benchmark: MotionsBenchmark
    tester: "_Tester"
    processes: dict[str, int]
    is_free: Callable[[Array], bool]
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def run(self) -> dict[str, dict[str, Any]]:
        from tqdm import tqdm

        rng, generator = random.Random(self.benchmark.seed), np.random.default_rng(self.benchmark.seed)
        memory: list[dict[str, int]] = []
        lost = 0
        begin = time.monotonic()
        numbers: Iterable[int] = tqdm(range(self.benchmark.count), unit="motion")
        for number in numbers:
            goal = _HOME + generator.uniform(-1, 1, 6) * _SPREAD
            while not self.is_free(goal):
                goal = _HOME + generator.uniform(-1, 1, 6) * _SPREAD
            fault = rng.choice(_FAULTS) if rng.random() < self.benchmark.fault_fraction else ""
            at = rng.random() * 0.8
            end = self.tester.move(goal, fault, at)
            while end == "not_ready" and not fault:
                # What the last fault left, such as readings that have only just become steady: asked again, as a
                # session does.
                self.ends["asked_again"] += 1
                end = self.tester.move(goal, fault, at)
            lost += end is None
            self.ends[end or "lost"] += 1
            if fault:
                self.faults[fault] += 1
                self.tester.release()
            if number >= self.benchmark.count // 10:
                memory.append({name: _rss_kib(pid) for name, pid in self.processes.items()})
        seconds = time.monotonic() - begin
        flat = {
            f"{name}_{when}_mib": memory[at][name] / 1024
            for name in self.processes
            for when, at in (("first", 0), ("last", -1))
        }
        return {
            "motions": {"count": self.benchmark.count, "lost": lost, "seconds": seconds, **dict(self.ends)},
            "faults": dict(self.faults),
            "memory": flat,
        }


class _Tester:
    """A node that asks for motions and faults, and writes down where the joints were."""

    def __init__(self, domain: int) -> None:
        import rclpy
        from cadsight_ros.clients import ActionClient
        from cadsight_ros.convert.qos import JOINTS
        from sensor_msgs.msg import JointState
        from std_srvs.srv import Trigger

        from cadsight_interfaces.action import MoveToJoints

        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context, domain_id=domain)
        self.node = rclpy.create_node("soak", context=self._context)
        self._motion: Any = ActionClient(
            self.node, MoveToJoints, "/cadsight/motion/move_to_joints", accept_timeout_s=_PATIENCE_S
        )
        names = [*_RELEASE, *(f"/simulated_cell/fault/{name}" for name in _FAULTS)]
        self._services: dict[str, Any] = {name: self.node.create_client(Trigger, name) for name in names}
        self._jumped = threading.Event()
        self.way: list[tuple[float, ...]] = []
        self.left_out = 0
        self.node.create_subscription(JointState, "/joint_states", self._on_joints, JOINTS)

    def __enter__(self) -> "_Tester":
        from cadsight_ros.clients import spinning

        self._spinning = spinning(self.node)
        self._spinning.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        import rclpy

        self._spinning.__exit__(None, None, None)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def move(self, goal: Array, fault: str, at: float) -> str | None:
        """How the motion ended, in one word; None when no answer came. The fault comes at a fraction of its way."""
        from cadsight_cell.arm import JOINT_NAMES
        from cadsight_ros.clients import UnansweredError

        from cadsight_interfaces.action import MoveToJoints

        reached = threading.Event()

        def on_feedback(feedback: Any) -> None:
            if feedback.progress >= at:
                reached.set()

        request = MoveToJoints.Goal(joint_names=list(JOINT_NAMES), positions=goal.tolist())
        try:
            running = self._motion.send(request, on_feedback)
            if fault:
                while not reached.wait(0.01) and not running.ended:
                    pass
                if fault == "joint_jump":
                    self._jumped.set()
                self._trigger(f"/simulated_cell/fault/{fault}")
            answer = running.wait(_PATIENCE_S)
        except UnansweredError:
            return None
        assert answer is not None
        return answer[1].reason or "arrived"

    def release(self) -> None:
        """Bring the arm back, whatever stopped it, and wait until its readings are its own again."""
        for name in _RELEASE:
            self._trigger(name)
        self._jumped.clear()

    def _trigger(self, name: str) -> None:
        from std_srvs.srv import Trigger

        client, end = self._services[name], time.monotonic() + _PATIENCE_S
        client.wait_for_service(_PATIENCE_S)
        while time.monotonic() < end:
            # A server may have been found before it has found its client.
            answered = threading.Event()
            future = client.call_async(Trigger.Request())
            future.add_done_callback(lambda _: answered.set())  # noqa: B023 - waited for in the same turn
            if answered.wait(5.0):
                return
        raise CadsightError(f"{name} did not answer for {_PATIENCE_S:g} s, expected the simulated cell to run")

    def _on_joints(self, message: Any) -> None:
        from cadsight_cell.arm import JOINT_NAMES
        from cadsight_ros.convert.messages import joints_by_name

        if self._jumped.is_set():
            self.left_out += 1
        else:
            self.way.append(tuple(joints_by_name(message, JOINT_NAMES).tolist()))


def held_of(config: Path) -> Any:
    """What the arm of a parameter file holds, and what stands around it."""
    from cadsight_cell.holder import HolderParameters

    from cadsight_cli.yaml_file import node_section

    section = node_section(config, "cadsight/motion")
    if "part" not in section:
        return HolderParameters(bodies=section["bodies"])
    return HolderParameters(part=section["part"], mount=tuple(section["mount"]), bodies=section["bodies"])


def clearance_of(way: list[tuple[float, ...]], held: Any) -> dict[str, Any]:
    """The least distance from a body on the way, and how often it was below 0."""
    from cadsight_cell.arm import Arm
    from cadsight_cell.holder import cell_bodies, held_part
    from cadsight_cell.motion.clearance import Clearance
    from cadsight_ros.resources import resolve

    clearance = Clearance(Arm(), cell_bodies(held, resolve), held_part(held, resolve))
    # An arm that stands gives the same reading again and again.
    places = sorted(set(way))
    found = [clearance.at(np.array(place)) for place in places]
    least = min(found)
    collisions = sum(metres < 0 for metres, _, _ in found)
    return {
        "places": len(places),
        "collisions": collisions,
        "least_mm": 1000 * least[0],
        "between": f"{least[1]} and {least[2]}",
    }


def node_words(module: str, config: Path, name: str, *parameters: str) -> list[str]:
    """The command of a node with the parameters of a file, and others."""
    import sys

    words = [sys.executable, "-m", "cadsight_ros.node.entry", module, "--ros-args", "--params-file", str(config)]
    for one in parameters:
        words += ["-p", one]
    return words


def _rss_kib(pid: int) -> int:
    """Memory that a process has, in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise CadsightError(f"process {pid} has no memory, expected it to run (page size {os.sysconf('SC_PAGE_SIZE')})")
