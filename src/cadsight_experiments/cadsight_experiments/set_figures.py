"""The figures of each training set of a comparison with intervals, and the resamples they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from cadsight_learning.evaluation.label_properties import LabelProperties
from cadsight_learning.metrics.bootstrap import interval, means, proportion_interval, quantiles, resampled
from cadsight_learning.metrics.detection import resampled_figures
from numpy.typing import NDArray

from cadsight_experiments.results import Comparison, TrialResult


@dataclass(frozen=True)
class Measured:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def resampled_sets(comparison: Comparison) -> dict[str, dict[str, Array]]:
    """By name of the set each figure (B,), its mean over the trials, test images and trials resampled.

    Images are resampled alike for all sets, so that differences between sets are paired; trials within each set.
    Resamples of three seeds show little of how much a fourth would differ.
    """
    weights = resampled(comparison.test_images)
    found = {}
    for number, one in enumerate(comparison.sets):
        trials = [_of_trial(t, comparison.objects, weights) for t in one.trials]
        sampled = np.random.default_rng([number, 0x5EED]).integers(len(trials), size=(len(trials), len(weights)))
        found[one.name] = {
            name: np.take_along_axis(np.stack([t[name] for t in trials]), sampled, axis=0).mean(axis=0)
            for name in trials[0]
        }
    return found


def set_figures(comparison: Comparison, again: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Measured]]:
    """By name of the set each figure by its name, from the resamples of :func:`resampled_sets`."""
    return {
        one.name: {
            name: Measured(value, *_interval(name, again[one.name][name], comparison.test_images))
            for name, value in one.mean.items()
            if name in again[one.name]
        }
        for one in comparison.sets
    }


def _interval(name: str, values: Array, images: int) -> tuple[float, float]:
    return interval(values) if name.endswith("_deg") else proportion_interval(values, images)


def _of_trial(trial: TrialResult, objects: Sequence[LabelProperties], weights: NDArray[np.int64]) -> dict[str, Array]:
    figures = resampled_figures(trial.matches, weights)
    positions = {name: i for i, name in enumerate(dict.fromkeys(o.image for o in objects))}
    known = [
        (positions[o.image], t.angle_deg)
        for o, t in zip(objects, trial.objects, strict=True)
        if t.angle_deg is not None
    ]
    if known:
        rows, angles = np.array([k[0] for k in known]), np.array([k[1] for k in known], float)
        times = weights[:, rows]
        figures["mean_deg"] = means(angles, times)
        figures |= {f"{name}_deg": quantiles(angles, times, q) for name, q in (("median", 0.5), ("p90", 0.9))}
    return figures
