"""How many images a second each runtime processes on this processor, side by side on the same images."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import chosen, load_together
from cadsight_learning.detection.detector import Detector, warm_up
from cadsight_learning.detection.ultralytics.yolo import YoloDetector
from cadsight_learning.evaluation.evaluate import evaluate_detector, in_classes_of
from cadsight_learning.models import load_detector
from cadsight_learning.options import RUNTIMES
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.provenance import refuse_learned
from cadsight_learning.registry.store import find, save_model
from cadsight_learning.runtime.sessions import runtime_of
from cadsight_learning.weights.checkpoint import load_state
from torch import Tensor

# The network as ultralytics builds it: no layers fused, the colours of an image one after the other.
PLAIN = "plain torch"
Report = Callable[[str, dict[str, Any]], None]
_HEIGHT_OF_WIDTH = 0.75


def _noted(sentence: str) -> None:
    print(f"note: {sentence}")


@dataclass(frozen=True)
class InferenceBenchmark:
    """What is measured: ``predict`` of one image of 4:3, so framing and suppression count.

    Each runtime that this machine has is measured beside torch as we run it (layers fused, channels last) and beside
    :data:`PLAIN`.

    Attributes:
        model: folder of a detector; None: YOLO11 nano with random weights.
        image_size: longer side in pixels of an image as the network sees it; None: the model's own, else 640.
        runs: looks of each runtime, in turns.
        threads: threads of one look; None: as many as torch takes.
        data: a labelled set on which each runtime is evaluated; images that the model learned from are refused.
        split: only these images of it, '' for all.
    """

    model: str | None = None
    image_size: int | None = None
    runs: int = 20
    threads: int | None = None
    data: str | None = None
    split: str = ""

    def run(self, report: Report, note: Callable[[str], None] = _noted) -> dict[str, Any]:
        """Speeds of each runtime, each told once it is known.

        Args:
            note: is called with notes on the images for evaluation.

        Raises:
            CadsightError: for a number below 1, a missing runtime or model, and a set that cannot be read or was
                learned from.
        """
        for name in ("image_size", "runs", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise CadsightError(f"{name} is {value}, expected at least 1")
        if self.split and not self.data:
            raise CadsightError(f"the split is {self.split!r} and there are no data, expected --data")
        if self.data and not self.model:
            raise CadsightError("there are data and no model, expected --model: random weights have no score")
        before = torch.get_num_threads()
        try:
            with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch:
                folder = (
                    Path(find(self.model)) if self.model else random_detector(Path(scratch), self.image_size or 640)
                )
                return self._run(folder, report, note)
        finally:
            torch.set_num_threads(before)

    def _run(self, folder: Path, report: Report, note: Callable[[str], None]) -> dict[str, Any]:
        samples = self._samples(folder, note)
        detectors: dict[str, Detector] = {
            runtime: load_detector(folder, device="cpu", runtime=runtime, threads=self.threads or 0)
            for runtime in _runtimes()
        }
        detectors[PLAIN] = _plain(folder)
        for detector in detectors.values():
            detector.image_size = self.image_size or detector.image_size
        width = detectors["torch"].image_size
        height = round(width * _HEIGHT_OF_WIDTH)
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        for detector in detectors.values():
            warm_up(detector, width, height)
        seconds: dict[str, list[float]] = {runtime: [] for runtime in detectors}
        for _ in range(self.runs):
            for runtime, detector in detectors.items():
                started = time.perf_counter()
                detector.predict([image])
                seconds[runtime].append(time.perf_counter() - started)
        medians = {runtime: float(np.median(seconds[runtime])) for runtime in detectors}
        found: dict[str, Any] = {}
        for runtime, detector in detectors.items():
            median = medians[runtime]
            found[runtime] = {
                "median_ms": median * 1e3,
                "pictures_per_s": 1 / median,
                "times_torch": medians["torch"] / median,
                "times_plain_torch": medians[PLAIN] / median,
            }
            if samples:
                found[runtime]["map50_95"] = evaluate_detector(detector, samples, confidence=0.001).map50_95
            report(runtime, found[runtime])
        return {"image_size": width, "runs": self.runs, "threads": torch.get_num_threads(), **found}

    def _samples(self, folder: Path, note: Callable[[str], None]) -> list[Sample]:
        if self.data is None:
            return []
        samples, classes = load_together([self.data])
        samples = in_classes_of(chosen(samples, self.split), classes, load_card(folder).classes)
        for sentence in refuse_learned(folder, samples):
            note(sentence)
        return samples


def random_detector(folder: Path, image_size: int, seed: int = 0) -> Path:
    """Save YOLO11 nano with random weights in ``folder``, which is returned."""
    torch.manual_seed(seed)
    module = YoloDetector("yolo11n", ("part",), image_size).module
    save_model(folder, ModelCard("detector", "yolo11n", ("part",), image_size), module.state_dict())
    return folder


class _PlainYolo(YoloDetector):
    """Looks with the network as it was built and trained."""

    def _for_inference(self) -> Any:
        return self.module

    def _outputs(self, images: Tensor) -> Any:
        return super()._outputs(images.contiguous())


def _plain(folder: Path) -> Detector:
    card = load_card(folder)
    detector = _PlainYolo(card.architecture, card.classes, card.image_size)
    detector.load(load_state(folder / WEIGHTS), folder / WEIGHTS)
    detector.module.eval().to(memory_format=torch.contiguous_format)
    return detector


def _runtimes() -> tuple[str, ...]:
    return RUNTIMES[RUNTIMES.index(runtime_of("auto", "cpu")) :]
