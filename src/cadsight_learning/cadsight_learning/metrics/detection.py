"""The figures of detections against labels, each with its interval (Comillas, section 4.2; Rudenko, section 6)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_learning.metrics.average_precision import average_precision
from cadsight_learning.metrics.bootstrap import resampled, share_interval, share_intervals, summed_again
from cadsight_learning.metrics.boxes import Boxes, iou
from cadsight_learning.metrics.matching import MatchTable

BACKGROUND = "background"
# Those that have an interval.
SHARES = ("precision", "recall", "f1", "accuracy", "map50", "map50_95")


def detection_figures(
    truth: Sequence[Boxes], found: Sequence[Boxes], names: Sequence[str], max_detections: int, seed: int = 0
) -> tuple[dict[str, Any], MatchTable]:
    """Figures over pictures, boxes in any one scale, and the matches that they were made from.

    Returns:
        ``precision``, ``recall``, ``f1`` and ``accuracy`` (right over right, wrong and missed) at IoU 0.5, ``map50``
        and ``map50_95`` by COCO, ``mean_iou`` of the right ones, ``pictures_right`` (share of the pictures with every
        label found and nothing wrong, the accuracy of Rudenko, section 6), ``intervals`` of these but the last two
        (95 %, pictures resampled, ``seed``), ``confusion`` with its ``classes`` and ``matrix``, and ``per_class`` by
        name.
    """
    table = MatchTable.of(truth, found, len(names))
    counts = table.counts()
    precise = average_precision(truth, found, len(names), max_detections)
    weights = resampled(table.pictures, seed=seed)
    again = summed_again(counts, weights)
    precisions = table.average_precisions(weights)
    right = table.right[:, 0]
    wrong = _by_picture(table, table.counted[:, 0] & ~right)
    missed = (counts[:, :, 2] - counts[:, :, 0]).sum(axis=1)
    whole: NDArray[np.bool_] = np.equal(wrong + missed, 0)
    figures = {
        "pictures": table.pictures,
        "labels": int(table.labels.sum()),
        **_shares(counts.sum(axis=(0, 1))),
        "map50": precise.map50,
        "map50_95": precise.map50_95,
        "mean_iou": float(table.overlap[right].mean()) if right.any() else 0.0,
        "pictures_right": float(whole.mean()),
        "intervals": _intervals(again.sum(axis=1), _mean_over_classes(precisions), table.pictures)
        | {"pictures_right": list(share_interval(summed_again(whole, weights) / table.pictures, table.pictures))},
        "confusion": {"classes": [*names, BACKGROUND], "matrix": table.confusion().tolist()},
        "per_class": {
            names[c]: {
                "labels": int(table.labels[:, c].sum()),
                **_shares(counts[:, c].sum(axis=0)),
                "map50": ap50,
                "map50_95": ap,
                "intervals": _intervals(again[:, c], precisions[:, c], int(np.count_nonzero(table.labels[:, c]))),
            }
            for c, (ap50, ap) in precise.per_class.items()
        },
    }
    return figures, table


def resampled_figures(table: MatchTable, weights: NDArray[np.integer]) -> dict[str, Array]:
    """:data:`SHARES` (B,) where each picture counts as often as ``weights`` (B, N) say."""
    again = summed_again(table.counts().sum(axis=1), weights)
    return _shares_of(again) | _precisions_of(_mean_over_classes(table.average_precisions(weights)))


def per_picture(
    table: MatchTable, names: Sequence[str], pictures: Sequence[str], truth: Sequence[Boxes], found: Sequence[Boxes]
) -> list[dict[str, Any]]:
    """What became of each label and each detection of each picture, for those who look for what fails.

    Returns:
        of each picture its ``name``, its ``labels`` in their order (``class``, ``box``, ``found``, the ``score`` of
        what found it, and the ``iou`` with it, of a missed one with what covers it best), and ``wrong``: class and
        score of what was found where no such label is.
    """
    rows: list[dict[str, Any]] = []
    for number, (name, there, seen) in enumerate(zip(pictures, truth, found, strict=True)):
        mine = np.flatnonzero(table.picture == number)
        finder = {int(table.label[d]): d for d in mine if table.label[d] >= 0}
        best = iou(seen.boxes, there.boxes).max(axis=0, initial=0.0)
        labels = [
            {
                "class": names[there.classes[place]],
                "box": [round(float(x), 3) for x in there.boxes[place]],
                "found": place in finder,
                "score": round(float(table.score[finder[place]]), 6) if place in finder else None,
                "iou": round(float(table.overlap[finder[place]] if place in finder else best[place]), 6),
            }
            for place in np.flatnonzero(~there.crowd).tolist()
        ]
        wrong = [
            {"class": names[table.class_id[d]], "score": round(float(table.score[d]), 6)}
            for d in mine
            if table.counted[d, 0] and not table.right[d, 0]
        ]
        rows.append({"name": name, "labels": labels, "wrong": wrong})
    return rows


def _intervals(counts: NDArray[Any], precisions: Array, pictures: int) -> dict[str, list[float]]:
    """Of ``counts`` (B, 3) and ``precisions`` (B, T) of the resamples."""
    return share_intervals(_shares_of(counts) | _precisions_of(precisions), max(pictures, 1))


def _shares(counts: NDArray[Any]) -> dict[str, float]:
    """The shares of one set's ``counts`` (3,); 0 where there is nothing to divide by."""
    return {name: float(np.nan_to_num(value[0])) for name, value in _shares_of(counts[None]).items()}


def _shares_of(counts: NDArray[Any]) -> dict[str, Array]:
    """Shares (B,) of ``counts`` (B, 3) of right, found and labelled; NaN where there is no label."""
    right, found, labelled = (counts[:, k].astype(float) for k in range(3))

    def over(part: Array, whole: Array) -> Array:
        return np.where(labelled > 0, part / np.maximum(whole, 1e-12), np.nan)

    return {
        "precision": over(right, found),
        "recall": over(right, labelled),
        "f1": over(2 * right, found + labelled),
        "accuracy": over(right, found + labelled - right),
    }


def _precisions_of(precisions: Array) -> dict[str, Array]:
    """``map50`` and ``map50_95`` (B,) of average precisions (B, T)."""
    return {"map50": precisions[:, 0], "map50_95": precisions.mean(axis=1)}


def _mean_over_classes(precisions: Array) -> Array:
    """(B, T) of (B, C, T), over the classes that are there; NaN where none is."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(precisions).all(axis=2))
    sums = np.where(known[:, :, None], precisions, 0.0).sum(axis=1)
    count = known.sum(axis=1)[:, None]
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _by_picture(table: MatchTable, which: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(table.picture[which], minlength=table.pictures)
