"""How often a shift of the input is alarmed where there is none, and how soon where there is one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from cadsight_active.triggers.shift import ShiftOptions, ShiftTrigger
from cadsight_active.triggers.trigger import Observed
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.running.parallel import Work, parallel_map_of
from cadsight_core.running.progress import with_progress

from cadsight_cli.yaml_file import read_mapping

Show = Callable[[str, dict[str, Any]], None]
T = TypeVar("T")
# Images of the cell as the network sees them: features of its early maps do not ask for more.
_WIDTH, _HEIGHT = 160, 120
# Images that are looked at together, and within which a shift has to be alarmed.
_WINDOW = 50


@dataclass(frozen=True)
class ShiftBenchmark:
    """The trigger `shift` on images of a simulated cell whose arm goes from random pose to random pose, one image taken
    on every second way; features are those of the shipped detector's early maps."""

    windows: int = parameter(3000, "windows of 50 images in which nothing changes, over all deployments", minimum=1)
    deployments: int = parameter(20, "cells, each of a seed of its own, over which the windows are spread", minimum=1)
    trials: int = parameter(20, "cells in which the lamp is switched, and as many that get a new part", minimum=1)
    calibration: int = parameter(400, "images that say what is usual", minimum=40)
    seed: int = parameter(0, "of the first cell and all paths", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Alarms in unchanged windows; of each kind of shift in how many trials it was alarmed within 50 images, and
        after how many."""
        found = {"nothing changes": self._unchanged()}
        show("nothing changes", found["nothing changes"])
        for name, change in (("lamp switched", _Cells.relit), ("new part", _Cells.with_other_part)):
            found[name] = self._shifted(change)
            show(name, found[name])
        return found

    def _unchanged(self) -> dict[str, Any]:
        each = -(-self.windows // self.deployments)
        work = partial(_quiet_deployment, self, each * _WINDOW)
        found = _spread(work, self.deployments, "unchanged cells")
        return {
            "windows": each * self.deployments,
            "deployments": self.deployments,
            "alarms": sum(alarms for alarms, _ in found),
            "largest_wealth": max(wealth for _, wealth in found),
            "threshold": ShiftOptions().level,
        }

    def _shifted(self, change: Any) -> dict[str, Any]:
        after = _spread(partial(_images_until_alarm, self, change), self.trials, "cells with a shift")
        there = [n for n in after if n]
        return {
            "alarmed_within_50": len(there),
            "of": self.trials,
            "median_images": float(np.median(there)) if there else float("nan"),
            "most_images": max(there, default=0),
        }

    def trigger(self, number: int) -> ShiftTrigger:
        """The trigger of one deployment."""
        return ShiftTrigger(ShiftOptions(calibration=self.calibration, lag=1, seed=self.seed + number))


def _spread(work: Work[T], count: int, what: str) -> list[T]:
    """What ``work`` gives for each number, by as many processes as there are processors for us."""
    pool = parallel_map_of(min(len(os.sched_getaffinity(0)), count))
    try:
        return list(with_progress(pool(work, range(count)), count, what))
    finally:
        pool.close()


def _quiet_deployment(plan: ShiftBenchmark, images: int, number: int) -> tuple[int, float]:
    """Alarms, and the largest wealth, in a cell in which nothing changes."""
    alarms, wealth, trigger = 0, 1.0, plan.trigger(number)
    with _Cells().cell(plan.seed + number) as cell:
        for features in cell.features(plan.calibration + images, number):
            if _alarms(trigger, features):
                alarms += 1
                trigger.reset()
            wealth = max(wealth, trigger.wealth)
    return alarms, wealth


def _images_until_alarm(plan: ShiftBenchmark, change: Any, number: int) -> int:
    """After how many images a shift is alarmed; 0 where it is not within a window, or there was an alarm before."""
    cells, seed, trigger = _Cells(), plan.seed + 1000 + number, plan.trigger(number)
    with cells.cell(seed) as cell:
        if any(_alarms(trigger, f) for f in cell.features(plan.calibration + _WINDOW, number)):
            return 0
    with change(cells, seed) as cell:
        found = (n for n, f in enumerate(cell.features(_WINDOW, number + 1), start=1) if _alarms(trigger, f))
        return next(found, 0)


def _alarms(trigger: ShiftTrigger, features: np.ndarray) -> bool:
    return trigger.observe(Observed("", 0.0, False, features)) is not None


class _Cells:
    """Simulated cells by their seed, with a detector whose early maps see their images."""

    def __init__(self) -> None:
        import torch
        from cadsight_core.parts.part import load_part
        from cadsight_learning.detection.ultralytics.options import YoloOptions
        from cadsight_learning.detection.ultralytics.yolo import new_detector
        from cadsight_ros.resources import resolve

        torch.set_num_threads(1)  # a process a processor
        self._detector, _ = new_detector(("part",), YoloOptions(image_size=_WIDTH))
        names = ("parts/bracket", "table/parts/flange")
        self._parts = [load_part(resolve(f"package://cadsight/config/{name}.yaml")) for name in names]

    def cell(self, seed: int) -> "_Cell":
        return _Cell(self._detector, self._parts[0], seed)

    def relit(self, seed: int) -> "_Cell":
        """The same cell under the lamp of another."""
        return _Cell(self._detector, self._parts[0], seed, light_of=seed + 100_000)

    def with_other_part(self, seed: int) -> "_Cell":
        """The same cell, whose arm holds another part."""
        return _Cell(self._detector, self._parts[1], seed)


class _Cell:
    """One cell, while it is open."""

    def __init__(self, detector: Any, part: Any, seed: int, light_of: int | None = None) -> None:
        self._detector, self._part, self._seed, self._light_of = detector, part, seed, light_of

    def __enter__(self) -> "_Cell":
        from cadsight_cell.simulation.renderer import CellRenderer
        from cadsight_cell.simulation.world import WorldParameters, make_world
        from cadsight_core.geometry import Pose
        from cadsight_core.parts.part import load_part_mesh

        def world(seed: int) -> Any:
            return make_world(WorldParameters(seed=seed, width=_WIDTH, height=_HEIGHT))

        mount = Pose(np.eye(3), np.array([0.0, 0.0, 0.06]))
        self._renderer = CellRenderer(world(self._seed), self._part, load_part_mesh(self._part), mount)
        if self._light_of is not None:
            self._renderer.relight(world(self._light_of).light)
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()

    def features(self, count: int, path: int) -> Iterator[np.ndarray]:
        """Features (192,) of images on the arm's ways between random poses."""
        from cadsight_cell.arm import JOINT_NAMES
        from cadsight_ros.resources import resolve

        config = read_mapping(resolve("package://cadsight/config/workcell.yaml"))
        capture = config["cadsight"]["capture"]["ros__parameters"]
        home, spread = np.array(capture["home_joints"]), np.array(capture["spread_joints"])
        rng = np.random.default_rng([self._seed, path])
        for frame in range(count):
            # Ways that follow each other share a pose, so that their images look alike: every second one is taken.
            here, there = home + rng.uniform(-spread, spread), home + rng.uniform(-spread, spread)
            joints = here + rng.uniform() * (there - here)
            image = self._renderer.colour(dict(zip(JOINT_NAMES, joints.tolist(), strict=True)), frame)
            yield self._detector.features([image])[0].astype(float)
