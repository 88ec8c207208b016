"""How quick a training's steps and a detector's looks are alone and beside other work on the same processor."""

import contextlib
import os
import subprocess
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
from cadsight_core.errors import CadsightError
from cadsight_core.parameters import check, parameter

from cadsight_cli.benchmark_training import drawn

Show = Callable[[str, dict[str, Any]], None]
# Looked at live: as many images a second, of this size.
_FPS, _WIDTH, _HEIGHT = 15.0, 640, 480
# So many epochs are never done: a measurement ends after those that it needs.
_ENDLESS = 100_000


@dataclass(frozen=True)
class NeighboursBenchmark:
    """Trains YOLO11 nano on drawn pictures and looks with it, each in a process of its own, beside each neighbour."""

    pictures: int = parameter(64, "pictures to train on; a quarter as many more validate", minimum=16)
    image_size: int = parameter(320, "longer side of a picture as the network sees it in training", minimum=32)
    batch: int = parameter(16, "pictures a step", minimum=2)
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
                    found[name] = _in_process(_train, self, folder) | _in_process(_look, self, folder)
            show(name, found[name])
        return found


@contextlib.contextmanager
def _nobody(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    yield


@contextlib.contextmanager
def _busy_loop(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    with _running([sys.executable, "-c", "while True: pass"], folder / "log"):
        yield


@contextlib.contextmanager
def _second_training(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    context = get_context("spawn")
    began = context.Event()
    process = context.Process(target=_train_on, args=(plan, folder, began), daemon=True)
    process.start()
    try:
        _wait(began.is_set, "the second training", lambda: process.exitcode)
        yield
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def _live_node(plan: NeighboursBenchmark, folder: Path) -> Iterator[None]:
    from cadsight_ros.domains import claimed_domain

    with claimed_domain() as domain:
        context = get_context("spawn")
        looked = context.Event()
        models = _random_models(folder / "models")
        own = {"models_folder": models, "warm_up_width": _WIDTH, "warm_up_height": _HEIGHT}
        words = [sys.executable, "-m", "cadsight_ros.entry", "cadsight_perception.perception_node", "--ros-args"]
        words += ["-r", "__ns:=/cadsight", *(w for key, value in own.items() for w in ("-p", f"{key}:={value}"))]
        camera = context.Process(target=_film, args=(domain, looked), daemon=True)
        with _running(words, folder / "log", ROS_DOMAIN_ID=str(domain)) as node:
            camera.start()
            try:
                _wait(looked.is_set, "the perception node", node.poll)
                yield
            finally:
                camera.kill()
                camera.join()


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
    from cadsight_learning.detector import EpochReport, StepReport

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
    from cadsight_learning.fitting import fit_detector
    from cadsight_learning.options import DetectorOptions
    from cadsight_learning.solids import KINDS

    folder.mkdir(exist_ok=True)
    train, valid = drawn(plan.pictures, plan.image_size, folder)
    options = DetectorOptions(epochs=_ENDLESS, image_size=plan.image_size, batch=plan.batch)
    fit_detector(train, valid, KINDS, folder / "model", options, epoch, step)


def _look(plan: NeighboursBenchmark, folder: Path) -> dict[str, Any]:
    from cadsight_learning.detector import warm_up
    from cadsight_learning.registry import load_detector

    models = _random_models(folder / "models")
    detector = load_detector(models / "detector", device="cpu", runtime="auto")
    warm_up(detector, _WIDTH, _HEIGHT)
    picture = np.random.default_rng(0).integers(0, 256, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)
    took = []
    for _ in range(plan.runs):
        started = time.perf_counter()
        detector.predict([picture])
        took.append(time.perf_counter() - started)
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    return {"look_ms_p50": float(p50), "look_ms_p99": float(p99)}


def _random_models(folder: Path) -> Path:
    from cadsight_learning.normals import NormalRegressor
    from cadsight_learning.registry import ModelCard, save_model

    from cadsight_cli.benchmark_inference import random_detector

    random_detector(folder / "detector", _WIDTH)
    card = ModelCard("normals", "compact", ("part",), 112, extra={"covariance": np.eye(3).tolist()})
    save_model(folder / "normals", card, NormalRegressor("compact", 112).module.state_dict())
    return folder


def _film(domain: int, looked: Any) -> None:
    """Publish random images until killed; says when the perception node has looked at one."""
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    from cadsight_core.camera import Camera, ImageSize
    from cadsight_ros.images import to_message
    from cadsight_ros.messages import camera_to_info
    from cadsight_ros.programs import temporary_node
    from sensor_msgs.msg import CameraInfo, Image
    from std_msgs.msg import Header

    from cadsight_perception import topics
    from cadsight_ros import qos

    camera = Camera(ImageSize(_WIDTH, _HEIGHT), 600.0, 600.0, 319.5, 239.5, (), "camera")
    pixels = np.random.default_rng(0).integers(0, 256, (_HEIGHT, _WIDTH, 3), np.uint8)
    with temporary_node("benchmark_camera") as node:
        images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        topic = topics.ALL[topics.TIMING]
        node.create_subscription(topic.message_type, topics.TIMING, lambda _: looked.set(), topic.qos)
        while True:
            header = Header(stamp=node.get_clock().now().to_msg(), frame_id=camera.frame)
            infos.publish(camera_to_info(camera, header.stamp))
            images.publish(to_message(pixels, header))
            time.sleep(1 / _FPS)


@contextlib.contextmanager
def _running(words: list[str], log: Path, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    log.parent.mkdir(exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None:
            raise CadsightError(f"a neighbour ended with status {process.returncode}: {log.read_text()[-500:]}")
    finally:
        process.kill()
        process.wait()


def _wait(state: Callable[[], bool], what: str, status: Callable[[], int | None]) -> None:
    while not state():
        if status() is not None:
            raise CadsightError(f"{what} ended with status {status()}, expected it to run beside")
        time.sleep(0.05)


def _in_process(work: Callable[..., dict[str, Any]], plan: NeighboursBenchmark, folder: Path) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, plan, folder).result()
