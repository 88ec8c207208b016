"""How often a gate serves a model that is no better, and one that is, on detections of a known precision."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_active.gate import gate
from cadsight_core.config.parameters import check, parameter
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.matching import MatchTable

Show = Callable[[str, dict[str, Any]], None]

_NAMES = ("bolt", "nut")
_CORNERS = np.array([[0.0, 0, 20, 20], [40, 0, 60, 20]])
_MISSED = 0.1
# Noise of a box's corners in pixels: of the model before, and of new ones that are alike, worse and better.
_BEFORE = 1.0
_NEW = {"alike": 1.0, "worse": 1.12, "better": 0.8}


@dataclass(frozen=True)
class GateBenchmark:
    """Pairs of models that find two labels an image, each missed with a chance of 0.1, with noise on its corners."""

    trials: int = parameter(200, "pairs of models of each kind", minimum=1, maximum=100_000)
    images: int = parameter(120, "held-out images", minimum=100, maximum=100_000)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Of each kind of new model how many are accepted, and how much their mAP50:95 differs on average."""
        speeds = {}
        for kind, noise in _NEW.items():
            verdicts = []
            for number in range(self.trials):
                served, new = (_found(self.images, one, [number, k]) for k, one in enumerate((_BEFORE, noise)))
                verdicts.append(gate(served, new, _NAMES))
            differences = [v.overall.value for v in verdicts if v.overall is not None]
            speeds[kind] = {
                "accepted": sum(v.answer == "accept" for v in verdicts),
                "of": self.trials,
                "mean_difference": float(np.mean(differences)),
            }
            show(kind, speeds[kind])
        return speeds


def _found(images: int, noise: float, seed: list[int]) -> MatchTable:
    rng = np.random.default_rng(seed)
    truth = [Boxes(_CORNERS, np.array([0, 1])) for _ in range(images)]
    found = []
    for one in truth:
        kept = rng.random(len(one.boxes)) >= _MISSED
        moved = one.boxes[kept] + rng.normal(0, noise, (int(kept.sum()), 4))
        found.append(Boxes(moved, one.classes[kept], rng.uniform(0.5, 1, kept.sum())))
    return MatchTable.of(truth, found, len(_NAMES))
