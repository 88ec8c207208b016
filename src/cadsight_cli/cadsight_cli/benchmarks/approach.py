"""Approaches to parts on the simulated table, against what really lay there and where the arm really went."""

import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, angle_between

from cadsight_cli.benchmarks.live.perception import running
from cadsight_cli.benchmarks.motions import clearance_of, held_of, node_words

Show = Callable[[str, dict[str, Any]], None]
_PATIENCE_S = 300.0
_CONFIG = "package://cadsight/config/table/workcell.yaml"


@dataclass(frozen=True)
class ApproachBenchmark:
    """The nodes of config/table/workcell.yaml, each part of each drop approached until there are enough."""

    count: int = parameter(100, "approaches", minimum=1)
    seed: int = parameter(1, "decides cell, drops and light", minimum=0, maximum=LARGEST_SEED)
    models: str = parameter("runs/table/models", "the model registry, with a detector and normals")
    hand_eye_mm: float = parameter(0.5, "error of the camera's calibrated place", minimum=0.0, maximum=100.0)
    hand_eye_deg: float = parameter(0.05, "error of its rotation", minimum=0.0, maximum=20.0)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """How far the tool is from where it should be, what was refused, and the least distance from a body."""
        from cadsight_ros.domains import claimed_domain
        from cadsight_ros.resources import resolve

        config, models = resolve(_CONFIG), Path(self.models).expanduser().resolve()
        if not models.is_dir():
            raise CadsightError(
                f"the folder of models {models} does not exist, expected a detector and normals of the table's parts "
                "(docs/approach.md)"
            )
        cell = (
            f"seed:={self.seed}", f"hand_eye_error_mm:={self.hand_eye_mm}", f"hand_eye_error_deg:={self.hand_eye_deg}",
            "fps:=3.0", "joint_noise_deg:=0.0",
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch, claimed_domain() as domain:
            folder, truth = Path(scratch), Path(scratch) / "truth"
            os.environ["ROS_DOMAIN_ID"] = own = str(domain)
            programs = (
                ("cell", "cadsight_cell.simulated_cell_node", "simulated_cell", (*cell, f"truth_folder:={truth}")),
                ("motion", "cadsight_cell.motion_node", "motion", ()),
                ("perception", "cadsight_perception.perception_node", "perception", (f"models_folder:={models}",)),
            )
            words = {n: node_words(module, config, name, *given) for n, module, name, given in programs}
            # What a node of ours logs of its namespace, a launch file would give.
            words["perception"] += ["-r", "__ns:=/cadsight"]
            with (
                running(words["cell"], folder / "cell.log", ROS_DOMAIN_ID=own) as first,
                running(words["motion"], folder / "motion.log", ROS_DOMAIN_ID=own) as second,
                running(words["perception"], folder / "perception.log", ROS_DOMAIN_ID=own) as third,
            ):
                processes = (first, second, third)
                run = _Run(self.count, truth, lambda: all(one.poll() is None for one in processes))
                run.approach_all(domain)
        found = run.figures()
        found["clearance"] = clearance_of(sorted(run.way), held_of(config))
        for name, values in found.items():
            show(name, values)
        return found


@dataclass(frozen=True)
class _Measured:
    """One approach: millimetres, degrees, and whether the class was right."""

    aim_mm: float
    axis_deg: float
    point_mm: float
    method: str
    right_class: bool


@dataclass
class _Run:
    count: int
    truth: Path
    runs: Callable[[], bool]
    measured: list[_Measured] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    way: set[tuple[float, ...]] = field(default_factory=set)
    drops: int = 0
    seconds: float = 0.0

    def approach_all(self, domain: int) -> None:
        from cadsight_cell.arm import JOINT_NAMES
        from cadsight_cell.reaching.client import MotionClient
        from cadsight_perception.approach_client import ApproachListener
        from cadsight_ros.clients import ServiceClient
        from cadsight_ros.convert.messages import joints_by_name
        from cadsight_ros.convert.qos import JOINTS
        from cadsight_ros.node.programs import temporary_node
        from sensor_msgs.msg import JointState
        from std_srvs.srv import Trigger
        from tqdm import tqdm

        came = threading.Event()

        def on_joints(message: Any) -> None:
            self.way.add(tuple(joints_by_name(message, JOINT_NAMES).tolist()))
            came.set()

        begin = time.monotonic()
        with temporary_node("approaches", domain) as node, tqdm(total=self.count, unit="approach") as bar:
            node.create_subscription(JointState, "/joint_states", on_joints, JOINTS)
            listener, motion = ApproachListener(node), MotionClient(node, _PATIENCE_S)
            drop: Any = ServiceClient(node, Trigger, "/simulated_cell/drop", timeout_s=_PATIENCE_S)
            if not came.wait(_PATIENCE_S):
                raise CadsightError("no joint state came, expected the simulated cell to run")
            home = dict(zip(JOINT_NAMES, next(iter(self.way)), strict=True))
            self._next(listener)
            while len(self.measured) < self.count and self.drops < 5 * self.count:
                self.drops += 1
                answer = drop.call(Trigger.Request())
                if not answer.success:
                    raise CadsightError(answer.message)
                seen = self._next(listener)
                if seen is None:
                    return
                for one in sorted(seen.approaches, key=lambda one: -one.score):
                    if len(self.measured) < self.count and self._approach(motion, one, seen):
                        bar.update(1)
                        motion.move(home, 1.0)
        self.seconds = time.monotonic() - begin

    def _next(self, listener: Any) -> Any:
        """The poses of the next image; None where a program has ended, which its own end tells of."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return listener.next(2.0)
            except CadsightError:
                if not self.runs():
                    return None
                if time.monotonic() > end:
                    raise

    def _approach(self, motion: Any, one: Any, seen: Any) -> bool:
        """Whether the arm arrived."""
        from cadsight_cell.reaching.client import NoJointsError, NotMovedError

        try:
            motion.move(motion.find(one.pose.pose), 1.0)
        except (NoJointsError, NotMovedError) as error:
            self.refused[error.reason] += 1
            return False
        self.measured.append(self._measure(one, seen))
        return True

    def _measure(self, one: Any, seen: Any) -> _Measured:
        from cadsight_cell.arm import Arm
        from cadsight_cell.simulation.stages.table_truth import TableTruth
        from cadsight_ros.convert.messages import stamp_ns

        truth = TableTruth(self.truth)
        stamp = stamp_ns(seen.header.stamp)
        parts = truth.at(stamp).parts
        point = np.array([one.point.x, one.point.y, one.point.z])
        alike = [part for part in parts if part.kind == one.class_id]
        nearest = min(parts, key=lambda part: _apart(part.base_from_part, point))
        part = min(alike or parts, key=lambda part: float(np.linalg.norm(part.point - point)))
        tool = Arm().forward(truth.after(stamp, _PATIENCE_S))
        aimed = tool.translation + seen.standoff * tool.rotation[:, 2]
        return _Measured(
            1000 * float(np.linalg.norm(aimed - part.point)),
            float(angle_between(-tool.rotation[:, 2], part.axis)),
            1000 * float(np.linalg.norm(point - part.point)),
            one.method,
            nearest.kind == one.class_id,
        )

    def figures(self) -> dict[str, dict[str, Any]]:
        methods = Counter(one.method for one in self.measured)
        return {
            "approaches": {"count": len(self.measured), "drops": self.drops, "seconds": self.seconds, **methods},
            "refused": dict(self.refused),
            "position_mm": _quantiles([one.aim_mm for one in self.measured]),
            "axis_deg": _quantiles([one.axis_deg for one in self.measured]),
            "of_the_right_class": {
                "count": sum(one.right_class for one in self.measured),
                "position_mm_p50": float(np.median([o.aim_mm for o in self.measured if o.right_class] or [np.nan])),
                "axis_deg_p50": float(np.median([o.axis_deg for o in self.measured if o.right_class] or [np.nan])),
            },
        }


def _apart(base_from_part: Pose, point: Array) -> float:
    return float(np.linalg.norm(base_from_part.translation - point))


def _quantiles(values: list[float]) -> dict[str, Any]:
    if not values:
        return {}
    p25, p50, p75, p90 = np.quantile(values, [0.25, 0.5, 0.75, 0.9])
    return {"p25": float(p25), "p50": float(p50), "p75": float(p75), "p90": float(p90), "largest": max(values)}
