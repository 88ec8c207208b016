"""Comparisons made by hand: who is found in which trial is chosen, so that every figure is known."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from cadsight_experiments.results import Comparison, EvaluatedLabel, SetResult, TrialResult
from cadsight_learning.evaluation.label_properties import LabelProperties
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.results import Confusion

IMAGES = 80
_PERFECT = "1" * 10


def trial(seed: int, missed: Collection[int], angle: Sequence[float] | None = None) -> TrialResult:
    """A trial that finds everything exactly but the ``missed``; its mAP is the fraction found, but for 101 points."""
    found = [i not in missed for i in range(IMAGES)]
    angles = [None] * IMAGES if angle is None else list(map(float, angle))
    matches = {
        "labels": [[1]] * IMAGES,
        "detections": [[i, 0, 0.9, _PERFECT] for i in range(IMAGES) if found[i]],
    }
    return TrialResult(
        seed,
        {"map50_95": float(np.mean(found))} | ({} if angle is None else {"median_deg": float(np.median(angle))}),
        {},
        MatchTable.from_json(matches),
        Confusion(("bracket", "background"), ((sum(found), IMAGES - sum(found)), (0, 0))),
        tuple(EvaluatedLabel(f, float(f), 0.9 if f else None, a) for f, a in zip(found, angles, strict=True)),
    )


def one_set(
    name: str,
    origins: Mapping[str, int],
    trials: Sequence[TrialResult] = (),
    after: str = "",
    facts: Mapping[str, Any] | None = None,
) -> SetResult:
    means = {f: float(np.mean([t.figures[f] for t in trials])) for f in trials[0].figures} if trials else {}
    return SetResult(name, sum(origins.values()), origins, facts or {}, after, tuple(trials), means, {})


def comparison(small: int = 0, **sets: tuple[Any, ...]) -> Comparison:
    """Sets by name: their origins and trials, and other facts.

    Each image has one label; the first ``small`` are small ones and dark ones alternate.
    """
    objects = tuple(
        LabelProperties(
            f"t{i:03d}", "bracket", 0.2 + 0.001 * i - 0.15 * (i < small), None, 0.3 if i % 2 else 0.6, 0.1,
            10.0 + i % 11, 0.0,
        )
        for i in range(IMAGES)
    )  # fmt: skip
    made = tuple(
        one_set(name, origins, trials, **(others[0] if others else {}))
        for name, (origins, trials, *others) in sets.items()
    )
    return Comparison("test", IMAGES, 1, objects, (), made)


REAL = ({"real": 300}, [trial(s, range(0, 4)) for s in range(3)])
TWIN = ({"synthetic": 600}, [trial(s, range(0, 24)) for s in range(3)])
