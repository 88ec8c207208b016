"""How fast detections are evaluated: every figure of a detector with its intervals, without the detector's own time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_learning.metrics.average_precision import average_precision
from cadsight_learning.metrics.bootstrap import RESAMPLES
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.detection import detection_figures
from cadsight_learning.metrics.per_image import per_image

Show = Callable[[str, dict[str, Any]], None]

# As many as a detector gives at most.
_PER_IMAGE = 10
_SIDE = 640.0


@dataclass(frozen=True)
class EvaluationBenchmark:
    """Images full of boxes, most of them found with a small offset, some as another class, some missed."""

    boxes: int = parameter(10_000, "boxes that are found, ten an image", minimum=10, maximum=10_000_000)
    classes: int = parameter(5, "classes", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Seconds of one core, for all that `cadsight evaluate` computes and for COCO's average precision alone."""
        truth, found = _random_boxes(round(self.boxes / _PER_IMAGE), self.classes)
        names = [str(c) for c in range(self.classes)]
        numbers = [str(i) for i in range(len(truth))]

        def evaluated() -> None:
            metrics = detection_figures(truth, found, names, _PER_IMAGE)
            per_image(metrics.matches, names, numbers, truth, found)

        size = {"boxes": sum(len(f.boxes) for f in found), "pictures": len(truth), "classes": self.classes}
        speeds = {
            "coco_alone": {"cpu_seconds": _cpu(lambda: average_precision(truth, found, self.classes, _PER_IMAGE))},
            "evaluation": {"cpu_seconds": _cpu(evaluated), "resamples": RESAMPLES, **size},
        }
        for stage, figures in speeds.items():
            show(stage, figures)
        return speeds


def _random_boxes(images: int, classes: int) -> tuple[list[Boxes], list[Boxes]]:
    rng = np.random.default_rng(0)
    truth, found = [], []
    for _ in range(images):
        corner = rng.uniform(0, 0.8 * _SIDE, (_PER_IMAGE, 2))
        there = np.hstack([corner, corner + rng.uniform(20, 0.2 * _SIDE, (_PER_IMAGE, 2))])
        kinds = rng.integers(0, classes, _PER_IMAGE)
        seen = there + rng.normal(0, 3, there.shape)
        other = np.where(rng.random(_PER_IMAGE) < 0.9, kinds, rng.integers(0, classes, _PER_IMAGE))
        truth.append(Boxes(there, kinds))
        found.append(Boxes(seen, other, rng.uniform(0.5, 1.0, _PER_IMAGE)))
    return truth, found


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
