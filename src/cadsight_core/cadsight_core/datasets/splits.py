"""Dividing samples into those to train with, to choose by and to test on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample, Split

Order = Literal["random", "blocks"]
NAMES: tuple[Split, ...] = ("train", "valid", "test")


def divide(
    samples: Sequence[Sample], fractions: Mapping[str, float], *, order: Order = "random", seed: int = 0
) -> Sequence[Sample]:
    """The samples in their order, each with its split, made when taken out; fractions are of their sum.

    ``blocks`` keeps neighbours together (frames of one video look alike, and must not be trained with and tested
    on), ``random`` deals them out by ``seed``.

    Raises:
        CadsightError: for negative fractions, none at all, or fewer samples than splits with a fraction.
    """
    weights = {name: float(fractions.get(name, 0.0)) for name in NAMES}
    total = sum(weights.values())
    if not (np.isfinite(total) and total > 0 and min(weights.values()) >= 0) or set(fractions) - set(NAMES):
        raise CadsightError(f"the fractions are {dict(fractions)}, expected numbers for train, valid and test")
    used = [name for name in NAMES if weights[name] > 0]
    if len(samples) < len(used):
        raise CadsightError(f"{len(samples)} samples cannot be divided into {len(used)} splits, expected more of them")
    counts = _counts([weights[name] / total * len(samples) for name in used])
    dealt: list[Split] = [name for name, count in zip(used, counts, strict=True) for _ in range(count)]
    if order == "random":
        dealt = [dealt[i] for i in np.random.default_rng(seed).permutation(len(dealt))]
    return DerivedSamples(lambda number: replace(samples[number], split=dealt[number]), range(len(samples)))


def _counts(exact: Sequence[float]) -> list[int]:
    """Whole numbers, one or more each, with the same sum: the largest remainders are rounded up."""
    counts = np.maximum(np.floor(exact).astype(int), 1)
    target = round(sum(exact))
    for index in np.argsort(np.floor(exact) - exact, kind="stable"):
        if counts.sum() < target:
            counts[index] += 1
    while counts.sum() > target:
        counts[np.argmax(counts)] -= 1
    return counts.tolist()
