"""How quick a training's steps and a detector's looks are alone and beside other work on the same processor."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter

from cadsight_cli.benchmarks.learning.training import drawn_images
from cadsight_cli.benchmarks.live.perception import HEIGHT, WIDTH, Camera, perception, random_models, running, wait

Show = Callable[[str, dict[str, Any]], None]
# So many epochs are never done: a measurement ends after those that it needs.
_ENDLESS = 100_000


@dataclass(frozen=True)
class NeighboursBenchmark:
    """Trains YOLO11 nano on drawn images and looks with it, each in a process of its own, beside each neighbour."""

    images: int = parameter(64, "images to train on; a quarter as many more validate", minimum=16)
    image_size: int = parameter(320, "longer side of an image as the network sees it in training", minimum=32)
    batch: int = parameter(16, "images a step", minimum=2)
    epochs: int = parameter(2, "epochs that are measured, after a first one", minimum=1)
    runs: int = parameter(200, "looks at 640 x 480 that are measured", minimum=1)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """By neighbour the median seconds of a step and of an epoch, and the percentiles of one look."""
        found: dict[str, dict[str, Any]] = {}
        for name, neighbour in NEIGHBOURS.items():
            with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch:
                folder = Path(scratch)
                with neighbour(self, folder / "neighbour"):
                    found[name] = _in_process(_train, self, folder) | _in_process(_infer, self, folder)
            show(name, found[name])
        return found


@contextlib.contextmanager
def _nobody(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    yield


@contextlib.contextmanager
def _busy_loop(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    with running([sys.executable, "-c", "while True: pass"], folder / "log"):
        yield


@contextlib.contextmanager
def _second_training(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    context = get_context("spawn")
    began = context.Event()
    process = context.Process(target=_train_on, args=(plan, folder, began), daemon=True)
    process.start()
    try:
        wait(began.is_set, "the second training", lambda: process.exitcode)
        yield
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def _live_node(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    from cadsight_ros.domains import claimed_domain

    with claimed_domain() as domain, perception(domain, random_models(folder / "models"), folder / "log") as node:
        camera = Camera(domain)
        try:
            wait(camera.inferred.is_set, "the perception node", node.poll)
            yield
        finally:
            camera.close()


# What runs beside, by its name in the table.
NEIGHBOURS: dict[str, Callable[[NeighboursBenchmark, Path], contextlib.AbstractContextManager[None]]] = {
    "alone": _nobody,
    "busy loop": _busy_loop,
    "second training": _second_training,
    "live node": _live_node,
}


class _Enough(Exception):  # noqa: N818 no error
    """What was to be measured is."""


def _train(plan: NeighboursBenchmark, folder: Path) -> dict[str, Any]:
    from cadsight_learning.training.progress import EpochReport, StepReport

    ended: list[EpochReport] = []
    steps: list[float] = []

    def epoch(report: EpochReport) -> None:
        ended.append(report)
        if len(ended) > plan.epochs:
            raise _Enough

    def step(report: StepReport) -> None:
        steps.append(report.step_seconds)

    with contextlib.suppress(_Enough):
        _fit(plan, folder, epoch, step)
    epochs = [float(seconds) for seconds in np.diff([report.seconds for report in ended])]
    return {"step_s": median(steps), "epoch_s": median(epochs), "computed": ended[-1].computed.replace(", ", " ")}


def _train_on(plan: NeighboursBenchmark, folder: Path, began: Any) -> None:
    """Train until killed; says when the first epoch is done."""
    _fit(plan, folder, lambda report: began.set(), lambda report: None)


def _fit(plan: NeighboursBenchmark, folder: Path, epoch: Callable[[Any], None], step: Callable[[Any], None]) -> None:
    from cadsight_learning.detection.ultralytics.options import YoloOptions
    from cadsight_learning.fit import fit_detector
    from cadsight_learning.pretraining.solids import KINDS

    folder.mkdir(exist_ok=True)
    train, valid = drawn_images(plan.images, plan.image_size, folder)
    options = YoloOptions(epochs=_ENDLESS, image_size=plan.image_size, batch=plan.batch)
    fit_detector(train, valid, KINDS, folder / "model", options, epoch, step)


def _infer(plan: NeighboursBenchmark, folder: Path) -> dict[str, Any]:
    from cadsight_learning.detection.detector import warm_up
    from cadsight_learning.models import load_detector

    models = random_models(folder / "models")
    detector = load_detector(models / "detector", device="cpu", runtime="auto")
    warm_up(detector, WIDTH, HEIGHT)
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    took = []
    for _ in range(plan.runs):
        started = time.perf_counter()
        detector.predict([image])
        took.append(time.perf_counter() - started)
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    return {"look_ms_p50": float(p50), "look_ms_p99": float(p99)}


def _in_process(work: Callable[..., dict[str, Any]], plan: NeighboursBenchmark, folder: Path) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, plan, folder).result()
