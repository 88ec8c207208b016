"""What training through us costs beside calling ultralytics or torchvision directly with the same settings."""

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.formats.yolo.labels import write_yolo
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Sample, Split
from cadsight_learning.detection.families import detector_options, family_of
from cadsight_learning.options import DetectorOptions
from cadsight_learning.pretraining.solids import KINDS, random_scene

Show = Callable[[str, dict[str, Any]], None]
# Who trains a family without us.
_LIBRARIES = {
    "yolo": "ultralytics",
    "rtdetr": "ultralytics",
    "faster-rcnn": "torchvision",
    "mask-rcnn": "torchvision",
}


@dataclass(frozen=True)
class TrainingBenchmark:
    """Trainings on the same drawn images, ours and a library's own in turn, each in a process of its own."""

    family: str = parameter("yolo11", "family of the network")
    images: int = parameter(64, "images to train on; a quarter as many more validate", minimum=4)
    image_size: int = parameter(160, "longer side of an image as the network sees it", minimum=32)
    batch: int = parameter(8, "images a step", minimum=2)
    epochs: int = parameter(3, "epochs of each training that are measured, after a first one", minimum=1)
    rounds: int = parameter(2, "trainings of each kind", minimum=1)
    device: str = parameter("auto", "where to compute: auto, cpu, cuda or cuda:N")

    def __post_init__(self) -> None:
        check(self)
        if not self.library:
            raise CadsightError(f"the family is {self.family}, which nothing but CADsight trains: expected another")
        self.options()

    def options(self) -> DetectorOptions:
        """How both sides train."""
        return detector_options({
            "family": self.family,
            "epochs": self.epochs + 1,
            "image_size": self.image_size,
            "batch": self.batch,
            "weights": "scratch",
            "device": self.device,
            # The loss of the first steps of SGD from scratch is no number at a higher rate.
            "learning_rate": 2e-3 if family_of(self.family).name == "yolo" else 1e-4,
        })  # fmt: skip

    @property
    def library(self) -> str:
        """Whose own training there is of the family, '' for nobody's."""
        return _LIBRARIES.get(family_of(self.family).name, "")

    @property
    def full_precision(self) -> bool:
        """Whether both sides compute in float32: on a CPU ultralytics has nothing less, where we have."""
        from cadsight_learning.runtime.devices import device_of

        return self.library == "ultralytics" and device_of(self.device).type == "cpu"

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Median seconds an epoch of each side, validation and saving included, and ``overhead_percent`` of ours.

        Raises:
            CadsightError: when a training ends before its epochs are done.
        """
        times: dict[str, list[float]] = {"ours": [], "direct": []}
        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as name:
            folder = Path(name)
            for round_number in range(self.rounds):
                # Who goes first changes, as a machine warms up and others use it.
                for side in sorted(times, reverse=round_number % 2 == 0):
                    out = folder / f"{side}_{round_number}"
                    out.mkdir()
                    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                        seconds = pool.submit(_ours if side == "ours" else _direct, self, out).result()
                    if len(seconds) != self.epochs + 1:
                        raise CadsightError(f"{len(seconds)} epochs were trained, expected {self.epochs + 1}")
                    times[side] += seconds[1:]
                    show(side, {"round": round_number + 1, "seconds_per_epoch": median(seconds[1:])})
        ours, direct = median(times["ours"]), median(times["direct"])
        result = {
            "settings": dataclasses.asdict(self.options())
            | {"pictures": self.images, "full_precision": self.full_precision},
            "ours": {"seconds_per_epoch": ours, "epochs": times["ours"]},
            "direct": {"seconds_per_epoch": direct, "epochs": times["direct"]},
            "overhead": {"overhead_percent": 100 * (ours / direct - 1)},
        }
        show("overhead", {"ours": ours, "direct": direct, **result["overhead"]})
        return result


def drawn_images(images: int, side: int, folder: Path) -> tuple[list[Sample], list[Sample]]:
    """Drawn images of ``side`` pixels to train on, and a quarter as many to validate, written to ``folder``."""
    camera = Camera(ImageSize(side, round(side * 0.8 / 32) * 32), side, side, side / 2, side * 0.4)
    samples: list[Sample] = []
    valid = max(images // 4, 1)
    for number in range(valid + images):
        drawing = random_scene(camera, np.random.default_rng([0, number]))
        split: Split = "valid" if number < valid else "train"
        path = folder / f"{number:05d}.png"
        write_image(path, drawing.image)
        samples.append(Sample(path.stem, path, camera.size, camera, drawing.instances, "synthetic", split))
    return samples[valid:], samples[:valid]


def _ours(plan: TrainingBenchmark, folder: Path) -> list[float]:
    from cadsight_learning.fit import fit_detector
    from cadsight_learning.runtime.precision import full_precision

    train, valid = drawn_images(plan.images, plan.image_size, folder)
    ended: list[float] = []
    options = plan.options()
    # The first epoch has no beginning that is seen from here, and is not counted.
    with full_precision() if plan.full_precision else contextlib.nullcontext():
        fit_detector(train, valid, KINDS, folder / "model", options, lambda report: ended.append(time.monotonic()))
    return [0.0, *(float(d) for d in np.diff(ended))]


def _direct(plan: TrainingBenchmark, folder: Path) -> list[float]:
    from cadsight_cli.benchmarks.learning.direct_training import train_by_torchvision, train_by_ultralytics

    train, valid = drawn_images(plan.images, plan.image_size, folder)
    options: Any = plan.options()
    if plan.library == "torchvision":
        return train_by_torchvision(train, valid, len(KINDS), folder, options)
    data = write_yolo({"train": train, "valid": valid}, KINDS, folder / "yolo", shapes="boxes")
    return train_by_ultralytics(data, folder, options)
