"""What changes of the served models cost the images that come meanwhile, and how long the way back takes."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError

from cadsight_cli.benchmarks.live.perception import WIDTH, Camera, perception, random_models, wait

Show = Callable[[str, dict[str, Any]], None]
_PATIENCE_S = 600.0
_DETECTOR = "detector{}"


@dataclass(frozen=True)
class SwapsBenchmark:
    """A perception node at 15 Hz whose detector is swapped for new ones, which no process has loaded or exported."""

    frames: int = parameter(1000, "images that are inferred", minimum=10)
    swaps: int = parameter(5, "new detectors that are served, one after the other", minimum=1, maximum=50)
    beside: str = parameter("nothing", "what runs meanwhile", choices=("nothing", "training"))

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Frames with and without a whole answer, the latencies in ms of those between and during swaps, and seconds of
        the ways back."""
        from cadsight_ros.domains import claimed_domain

        from cadsight_cli.benchmarks.learning.inference import random_detector

        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch, claimed_domain() as domain:
            folder = Path(scratch)
            models = random_models(folder / "models")
            for number in range(self.swaps):
                random_detector(models / _DETECTOR.format(number), WIDTH, seed=number + 1)
            camera = Camera(domain)
            training = self._training(folder / "trained")
            try:
                wait(camera.films.is_set, "the camera", lambda: camera.status)
                with perception(domain, models, folder / "log") as node:
                    wait(camera.inferred.is_set, "the perception node", node.poll)
                    with _watching(domain, node) as watch:
                        found = self._measured(watch)
            finally:
                camera.close()
                if training is not None:
                    training.kill()
                    training.join()
        for name, values in found.items():
            show(name, values)
        return found

    def _training(self, folder: Path) -> BaseProcess | None:
        """A training as a loop runs it, with what others leave of the processor."""
        if self.beside == "nothing":
            return None
        process = get_context("spawn").Process(target=_train, args=(folder,), daemon=True)
        process.start()
        return process

    def _measured(self, watch: "_Watch") -> dict[str, dict[str, Any]]:
        watch.until_frames(1)
        first = watch.frames
        windows: list[tuple[float, float]] = []
        for number in range(self.swaps):
            watch.until_frames(first + (number + 1) * self.frames // (self.swaps + 1))
            windows.append(watch.change(_DETECTOR.format(number)))
        watch.until_frames(first + self.frames)
        back = [watch.roll_back() for _ in range(5)]
        return {**watch.figures(first, first + self.frames, windows), "rollback": {"slowest_s": max(back)}}


class _Watch:
    """Collects what the perception node publishes, by stamp."""

    def __init__(self, node: Any, perception: "subprocess.Popen[bytes]") -> None:
        from cadsight_ros.clients import ServiceClient
        from std_srvs.srv import Trigger

        from cadsight_interfaces.srv import LoadModel
        from cadsight_perception import topics

        self._perception = perception
        self._lock = threading.Lock()
        self._timings: dict[int, tuple[float, Any]] = {}
        self._models: dict[int, Any] = {}
        self._detections: set[int] = set()
        self._normals: dict[int, Any] = {}
        for name, keep in (
            (topics.TIMING, self._on_timing),
            (topics.MODELS, self._on_models),
            (topics.DETECTIONS, self._on_detections),
            (topics.NORMALS, self._on_normals),
        ):
            topic = topics.ALL[name]
            node.create_subscription(topic.message_type, name, keep, topic.qos)
        namespace = topics.NAMESPACE
        self._loading: Any = ServiceClient(node, LoadModel, f"{namespace}/load_model", timeout_s=_PATIENCE_S)
        self._back: Any = ServiceClient(node, Trigger, f"{namespace}/rollback", timeout_s=_PATIENCE_S)

    @property
    def frames(self) -> int:
        return len(self._timings)

    def until_frames(self, count: int) -> None:
        wait(lambda: self.frames >= count, "the perception node", self._perception.poll)

    def change(self, detector: str) -> tuple[float, float]:
        """Serve another detector; returns when that began and ended."""
        from cadsight_interfaces.srv import LoadModel

        began = time.monotonic()
        answer = self._loading.call(LoadModel.Request(detector=detector))
        if not answer.success:
            raise CadsightError(f"the swap was refused: {answer.message}")
        return began, time.monotonic()

    def roll_back(self) -> float:
        """Seconds until the models before serve."""
        from std_srvs.srv import Trigger

        began = time.monotonic()
        answer = self._back.call(Trigger.Request())
        if not answer.success:
            raise CadsightError(f"the way back was refused: {answer.message}")
        return time.monotonic() - began

    def figures(self, first: int, last: int, windows: list[tuple[float, float]]) -> dict[str, dict[str, Any]]:
        with self._lock:
            timings = list(self._timings.items())[first:last]
            models, normals, detections = dict(self._models), dict(self._normals), set(self._detections)
        whole = [
            s for s, _ in timings if s in models and s in detections and s in normals and normals[s].models == models[s]
        ]
        generations = [models[s].generation for s in sorted(whole)]
        latencies = np.array([timing.latency_ms for _, (_, timing) in timings])
        came = np.array([at for _, (at, _) in timings])
        swapping = np.any([(came >= began) & (came <= ended) for began, ended in windows], axis=0)
        dropped = timings[-1][1][1].dropped - timings[0][1][1].dropped
        steady = latencies[~swapping]
        return {
            "frames": {
                "results": len(timings),
                "with_both_models_named": len(whole),
                "generations": len(set(generations)),
                "generation_falls": int((np.diff(generations) < 0).sum()),
                "gave_way_to_newer_images": dropped,
            },
            "between swaps": {
                "frames": len(steady),
                "median_ms": float(np.median(steady)),
                "p99_ms": float(np.quantile(steady, 0.99)),
            },
            "during swaps": {
                "frames": int(swapping.sum()),
                "median_ms": float(np.median(latencies[swapping])) if swapping.any() else float("nan"),
                "slowest_ms": float(latencies[swapping].max(initial=0.0)),
                "seconds_a_swap": float(np.mean([ended - began for began, ended in windows])),
            },
            "all frames": {
                "p99_ms": float(np.quantile(latencies, 0.99)),
                "p99_times_steady": float(np.quantile(latencies, 0.99) / np.quantile(steady, 0.99)),
            },
        }

    def _on_timing(self, message: Any) -> None:
        from cadsight_perception.health.timing import timing_from_message

        stamp, timing = timing_from_message(message)
        with self._lock:
            self._timings[stamp] = (time.monotonic(), timing)

    def _on_models(self, message: Any) -> None:
        self._keep(self._models, message)

    def _on_normals(self, message: Any) -> None:
        self._keep(self._normals, message)

    def _on_detections(self, message: Any) -> None:
        from cadsight_ros.convert.messages import stamp_ns

        with self._lock:
            self._detections.add(stamp_ns(message.header.stamp))

    def _keep(self, kept: dict[int, Any], message: Any) -> None:
        from cadsight_ros.convert.messages import stamp_ns

        with self._lock:
            kept[stamp_ns(message.header.stamp)] = message


@contextmanager
def _watching(domain: int, perception: "subprocess.Popen[bytes]") -> Iterator[_Watch]:
    from cadsight_ros.node.programs import temporary_node

    with temporary_node("benchmark_watch", domain) as node:
        yield _Watch(node, perception)


def _train(folder: Path) -> None:
    os.nice(19)
    from cadsight_learning.detection.families import detector_options
    from cadsight_learning.fit import fit_detector
    from cadsight_learning.pretraining.solids import KINDS

    from cadsight_cli.benchmarks.learning.training import drawn_images

    folder.mkdir()
    train, valid = drawn_images(64, 320, folder)
    options = detector_options({"family": "yolo11", "epochs": 10_000, "batch": 8}, "the benchmark")
    fit_detector(train, valid, KINDS, folder / "model", options)
