"""The figures of detections against labels, each with its interval (Comillas, section 4.2; Rudenko, section 6)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_learning.metrics.average_precision import average_precision
from cadsight_learning.metrics.bootstrap import (
    Interval,
    proportion_interval,
    proportion_intervals,
    resampled,
    summed_again,
)
from cadsight_learning.metrics.box_metrics import METRICS, Matched
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.results import BoxMetrics, Confusion, DetectionMetrics

BACKGROUND = "background"


def detection_figures(
    truth: Sequence[Boxes], found: Sequence[Boxes], names: Sequence[str], max_detections: int, seed: int = 0
) -> DetectionMetrics:
    """Figures over images, boxes in any one scale, with intervals by resampling of ``seed``.

    Whatever does not come from boxes, such as losses, is left to be filled in.
    """
    table = MatchTable.of(truth, found, len(names))
    counts = table.counts()
    precise = average_precision(truth, found, len(names), max_detections)
    weights = resampled(table.images, seed=seed)
    again = summed_again(counts, weights)
    there, precisions = table.average_precisions(), table.average_precisions(weights)
    right = table.right[:, 0]
    wrong = _by_image(table, table.counted[:, 0] & ~right)
    missed = (counts[:, :, 2] - counts[:, :, 0]).sum(axis=1)
    whole: NDArray[np.bool_] = np.equal(wrong + missed, 0)
    return DetectionMetrics(
        images=table.images,
        labels=int(table.labels.sum()),
        scores=_fractions(counts.sum(axis=(0, 1)), _mean_over_classes(there))
        | {"map50": precise.map50, "map50_95": precise.map50_95},
        mean_iou=float(table.overlap[right].mean()) if right.any() else 0.0,
        images_right=float(whole.mean()),
        intervals=_intervals(again.sum(axis=1), _mean_over_classes(precisions), table.images)
        | {"pictures_right": proportion_interval(summed_again(whole, weights) / table.images, table.images)},
        confusion=Confusion((*names, BACKGROUND), tuple(map(tuple, table.confusion().tolist()))),
        per_class={
            names[c]: BoxMetrics(
                labels=int(table.labels[:, c].sum()),
                scores=_fractions(counts[:, c].sum(axis=0), there[:, c]) | {"map50": ap50, "map50_95": ap},
                intervals=_intervals(again[:, c], precisions[:, c], int(np.count_nonzero(table.labels[:, c]))),
            )
            for c, (ap50, ap) in precise.per_class.items()
        },
        matches=table,
    )


def resampled_figures(table: MatchTable, weights: NDArray[np.integer]) -> dict[str, Array]:
    """Each of ``METRICS`` (B,) where each image counts as often as ``weights`` (B, N) say."""
    again = summed_again(table.counts().sum(axis=1), weights)
    return _scores_of(again, _mean_over_classes(table.average_precisions(weights)))


def _intervals(counts: NDArray[Any], precisions: Array, images: int) -> dict[str, Interval]:
    """Intervals from ``counts`` (B, 3) and ``precisions`` (B, T) of the resamples."""
    return proportion_intervals(_scores_of(counts, precisions), max(images, 1))


def _fractions(counts: NDArray[Any], precisions: Array) -> dict[str, float]:
    """The fractions of one set's ``counts`` (3,) and ``precisions`` (1, T); 0 where there is nothing to divide by."""
    return {name: float(np.nan_to_num(value[0])) for name, value in _scores_of(counts[None], precisions).items()}


def _scores_of(counts: NDArray[Any], precisions: Array) -> dict[str, Array]:
    """Each of ``METRICS`` (B,) of ``counts`` (B, 3) of right, found and labelled, and ``precisions`` (B, T)."""
    right, found, labelled = (counts[:, k].astype(float) for k in range(3))
    matched = Matched(right, found, labelled, precisions)
    return {name: metric.of(matched) for name, metric in METRICS.items()}


def _mean_over_classes(precisions: Array) -> Array:
    """(B, T) of (B, C, T), over the classes that are there; NaN where none is."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(precisions).all(axis=2))
    sums = np.where(known[:, :, None], precisions, 0.0).sum(axis=1)
    count = known.sum(axis=1)[:, None]
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _by_image(table: MatchTable, which: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(table.image[which], minlength=table.images)
