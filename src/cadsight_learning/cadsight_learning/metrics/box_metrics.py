"""The figures of boxes that each class and a whole set has: ours, and those that other packages add."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.registered import Registered

GROUP = "cadsight.metrics"


@dataclass(frozen=True)
class Matched:
    """What became of B sets of boxes, a set and its resamples: of one class, or of all.

    Attributes:
        right, found, labelled: (B,) how many boxes are right, found and labelled, at IoU 0.5.
        precisions: (B, T) average precision at each of :data:`cadsight_learning.metrics.matching.THRESHOLDS`; NaN
            where there is no label.
    """

    right: Array
    found: Array
    labelled: Array
    precisions: Array

    def over(self, part: Array, whole: Array) -> Array:
        """``part`` over ``whole``, (B,); NaN where there is no label."""
        return np.where(self.labelled > 0, part / np.maximum(whole, 1e-12), np.nan)


@dataclass(frozen=True)
class BoxMetric:
    """A figure of boxes, a fraction from 0 to 1; evaluation gives each its value and its 95 % interval.

    Attributes:
        name: as files and the command line have it.
        title: as pages have it.
        of: its value (B,) of each set; NaN where a set has none.
    """

    name: str
    title: str
    of: Callable[[Matched], Array]


METRICS = Registered(
    "metric of boxes",
    GROUP,
    BoxMetric,
    (
        BoxMetric("precision", "Precision", lambda m: m.over(m.right, m.found)),
        BoxMetric("recall", "Recall", lambda m: m.over(m.right, m.labelled)),
        BoxMetric("f1", "F1", lambda m: m.over(2 * m.right, m.found + m.labelled)),
        # Right over right, wrong and missed.
        BoxMetric("accuracy", "Accuracy", lambda m: m.over(m.right, m.found + m.labelled - m.right)),
        BoxMetric("map50", "mAP50", lambda m: m.precisions[:, 0]),
        BoxMetric("map50_95", "mAP50:95", lambda m: m.precisions.mean(axis=1)),
    ),
)
