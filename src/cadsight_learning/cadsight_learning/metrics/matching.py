"""Detections on a set of images, matched once with the labels; figures of the set and of any resample of it.

COCO's matching and its average precision (101 recall points) as
:func:`cadsight_learning.metrics.average_precision.average_precision` has them from a library, in a form that a thousand
resamples can share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_learning.metrics.bootstrap import summed_again
from cadsight_learning.metrics.boxes import Boxes, common_areas, iou

# COCO's, as its code has them: 0.9 is 0.8999999999999999 there.
THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
# Numbers in hand at once: resamples times detections.
_AT_ONCE = 400_000


@dataclass(frozen=True, eq=False)
class MatchTable:
    """N images, C classes, D detections, T thresholds of IoU (:data:`THRESHOLDS`).

    Attributes:
        labels: (N, C) how many labels of each class an image has; ignored ones are not counted.
        image, class_id, score: (D,) of each detection: the index of its image, its class and its confidence.
        right: (D, T) whether it is right: the most confident free one of its class on a label, at each threshold.
        counted: (D, T) whether it counts: false on ignored labels.
        label: (D,) place of its label among its image's at IoU 0.5, or -1.
        overlap: (D,) IoU with that label, else with the label that it covers best, of any class.
        mistaken: (D,) class of the free label of another class that a wrong one covers at IoU 0.5, or -1.
    """

    labels: NDArray[np.int64]
    image: NDArray[np.int64]
    class_id: NDArray[np.int64]
    score: Array
    right: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    label: NDArray[np.int64]
    overlap: Array
    mistaken: NDArray[np.int64]

    @staticmethod
    def of(truth: Sequence[Boxes], found: Sequence[Boxes], classes: int) -> "MatchTable":
        """Match the detections of each image with its labels."""
        rows = [_matched(t, f) for t, f in zip(truth, found, strict=True)]
        labels = np.zeros((len(truth), classes), int)
        for counts, one in zip(labels, truth, strict=True):
            counts += np.bincount(one.classes[~one.crowd], minlength=classes)
        sizes = [len(r["score"]) for r in rows]
        columns: dict[str, Any] = {k: np.concatenate([r[k] for r in rows]) for k in rows[0]}
        return MatchTable(labels=labels, image=np.repeat(np.arange(len(rows)), sizes), **columns)

    @property
    def images(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> int:
        return self.labels.shape[1]

    def counts(self) -> NDArray[np.int64]:
        """(N, C, 3) how many are right, found and labelled of each class on each image, at IoU 0.5."""
        right, found = np.zeros_like(self.labels), np.zeros_like(self.labels)
        np.add.at(right, (self.image, self.class_id), self.right[:, 0])
        np.add.at(found, (self.image, self.class_id), self.counted[:, 0])
        return np.stack([right, found, self.labels], axis=2)

    def confusion(self) -> NDArray[np.int64]:
        """(C + 1, C + 1) labels of each class (rows) found as each class (columns) at IoU 0.5; the last is background.

        The last column are the labels that were missed, the last row what was found where no label is. A detection
        that is right stands on the diagonal whatever else it covers, so that precision and recall follow from it.
        """
        matrix = np.zeros((self.classes + 1, self.classes + 1), int)
        counted = self.counted[:, 0]
        true = np.where(self.right[:, 0], self.class_id, np.where(self.mistaken >= 0, self.mistaken, self.classes))
        np.add.at(matrix, (true[counted], self.class_id[counted]), 1)
        matrix[:-1, -1] = self.labels.sum(axis=0) - matrix[:-1, :-1].sum(axis=1)
        return matrix

    def average_precisions(self, weights: NDArray[np.integer] | None = None) -> Array:
        """(B, C, T) COCO's average precision where each image counts as often as ``weights`` (B, N) say.

        A class that a resample has no label of is NaN there; without weights the set as it is, B = 1.
        """
        weights = np.ones((1, self.images), int) if weights is None else weights
        positives = summed_again(self.labels, weights)
        found = np.full((len(weights), self.classes, len(THRESHOLDS)), np.nan)
        for class_id in np.flatnonzero(self.labels.any(axis=0)):
            mine = np.flatnonzero(self.class_id == class_id)
            mine = mine[np.argsort(-self.score[mine], kind="stable")]
            step = max(_AT_ONCE // max(len(mine), 1), 1)
            for start in range(0, len(weights), step):
                rows = slice(start, start + step)
                times = weights[rows][:, self.image[mine]]
                found[rows, class_id] = _precisions(
                    self.right[mine], self.counted[mine], times, positives[rows, class_id]
                )
        return found

    def in_order(self, classes: Sequence[int]) -> "MatchTable":
        """The same with the class ``classes[0]`` in the place of the first, and so on; every class is there once."""
        ids = np.argsort(classes)
        mistaken = np.where(self.mistaken >= 0, ids[self.mistaken], -1)
        return replace(self, labels=self.labels[:, classes], class_id=ids[self.class_id], mistaken=mistaken)

    def to_json(self) -> dict[str, Any]:
        """Enough to make every figure and interval again: labels by image, and a row for each detection.

        ``detections`` are rows of image, class, score and a digit for each threshold of IoU: 1 right, 0 wrong, -
        where it does not count.
        """
        marks = np.where(self.counted, np.where(self.right, "1", "0"), "-")
        rows = zip(self.image.tolist(), self.class_id.tolist(), self.score.tolist(), marks, strict=True)
        return {"labels": self.labels.tolist(), "detections": [[p, c, round(s, 6), "".join(m)] for p, c, s, m in rows]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "MatchTable":
        """What :meth:`to_json` made; which label a detection lies on is not kept.

        Raises:
            CadsightError: for data of another form.
        """
        try:
            labels = np.array(data["labels"], int)
            rows = data["detections"]
            marks = np.array([list(row[3]) for row in rows], "U1").reshape(len(rows), len(THRESHOLDS))
            image, class_id = (np.array([row[k] for row in rows], int) for k in (0, 1))
            score = np.array([row[2] for row in rows], float)
            if labels.ndim != 2 or (image >= len(labels)).any() or (class_id >= labels.shape[1]).any():
                raise ValueError("a detection lies on no image or class of the labels")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise CadsightError(f"a table of matches has no usable {error}, expected labels and detections") from error
        none = np.full(len(rows), -1)
        return MatchTable(labels, image, class_id, score, marks == "1", marks != "-", none, np.zeros(len(rows)), none)


def _matched(truth: Boxes, found: Boxes) -> dict[str, Any]:
    """COCO's matching at every threshold: best first, each on the free label of its class that it covers best."""
    crowd, count = truth.crowd, len(truth.boxes)
    order = np.argsort(-found.scores, kind="stable")
    boxes, classes = found.boxes[order], found.classes[order]
    size = len(order)
    overlaps = iou(boxes, truth.boxes)
    same = classes[:, None] == truth.classes[None, :]
    own = np.where(same & ~crowd, overlaps, 0.0)
    right = np.zeros((size, len(THRESHOLDS)), bool)
    label, levels = np.full(size, -1), np.arange(len(THRESHOLDS))
    taken = np.zeros((len(THRESHOLDS), count), bool)
    for i in range(size if count else 0):
        free = np.where(taken, 0.0, own[i])
        # Of two that are covered equally well COCO takes the later.
        best = count - 1 - np.argmax(free[:, ::-1], axis=1)
        right[i] = free[levels, best] >= THRESHOLDS
        taken[levels[right[i]], best[right[i]]] = True
        label[i] = best[0] if right[i, 0] else -1
    # A crowd is covered by what lies within it, however small (COCO's iscrowd).
    within = common_areas(boxes, truth.boxes[crowd]) / np.maximum(_areas(boxes), 1e-12)[:, None]
    in_crowd = np.where(same[:, crowd], within, 0.0).max(axis=1, initial=0.0)
    covered = np.where(crowd, 0.0, overlaps)
    best_overlap = covered.max(axis=1, initial=0.0)
    hit = label >= 0
    best_overlap[hit] = covered[np.flatnonzero(hit), label[hit]]
    counted = right | (in_crowd[:, None] < THRESHOLDS)
    return {
        "class_id": classes,
        "score": found.scores[order],
        "right": right,
        "counted": counted,
        "label": label,
        "overlap": best_overlap,
        "mistaken": _mistaken(np.where(same, 0.0, covered), label, counted[:, 0], truth.classes),
    }


def _mistaken(others: Array, label: NDArray[Any], counted: NDArray[np.bool_], classes: NDArray[Any]) -> NDArray[Any]:
    """For wrong detections the class of the missed label that they cover, or -1."""
    mistaken = np.full(len(label), -1)
    free = np.ones(len(classes), bool)
    free[label[label >= 0]] = False
    for i in np.flatnonzero((label < 0) & counted):
        left = np.where(free, others[i], 0.0)
        if left.max(initial=0.0) >= THRESHOLDS[0]:
            free[left.argmax()] = False
            mistaken[i] = classes[left.argmax()]
    return mistaken


def _precisions(
    right: NDArray[np.bool_], counted: NDArray[np.bool_], times: NDArray[Any], positives: NDArray[Any]
) -> Array:
    """(B, T) average precision of detections, best first, each there ``times`` (B, D) over ``positives`` labels."""
    found = np.zeros((len(times), len(THRESHOLDS)))
    needed = _needed(positives)
    # Rows one behind the other with room between: one search finds the positions in all of them.
    apart = np.arange(len(times))[:, None] * (int(positives.max(initial=0)) + int(times.sum(axis=1).max(initial=0)) + 2)
    seen: Array | None = None
    for t in range(len(THRESHOLDS)):
        if seen is None or (counted[:, t] != counted[:, t - 1]).any():
            seen = np.cumsum(times * counted[:, t], axis=1)
        hits = np.flatnonzero(right[:, t])
        if not len(hits):
            continue
        true = np.cumsum(times[:, hits], axis=1)
        precision = true / np.maximum(seen[:, hits], 1)
        best = np.zeros((len(times), len(hits) + 1))
        best[:, :-1] = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        positions = np.searchsorted((true + apart).ravel(), (needed + apart).ravel()).reshape(needed.shape)
        positions = np.minimum(positions - np.arange(len(times))[:, None] * len(hits), len(hits))
        found[:, t] = np.take_along_axis(best, positions, axis=1).mean(axis=1)
    found[positives == 0] = np.nan
    return found


def _needed(positives: NDArray[Any]) -> NDArray[Any]:
    """(B, 101) how many of ``positives`` (B,) must be found for each recall, as COCO compares floats."""
    counts = np.maximum(positives, 1)[:, None]
    needed = np.ceil(_RECALLS * counts).astype(int)
    needed -= (needed - 1) / counts >= _RECALLS
    needed += needed / counts < _RECALLS
    return needed


def _areas(boxes: Array) -> Array:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
