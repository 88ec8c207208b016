"""Figures of detections and normals, from plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from cadsight_core.geometry import Array, angle_between
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import ArrayLike, NDArray

from cadsight_learning.resampling import interval, means, quantiles, resampled, share_intervals

# What is served: detections of at least this score.
_SURE = 0.5
# Degrees; the share of angles under each is a figure.
SMALL_ANGLES = (5, 10)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes (N, 4) xyxy of one picture, their class ids (N,) and, where they were found, scores (N,).

    ``ignored`` (N,) marks the truth that neither counts as missed nor as found (COCO's ``iscrowd``).
    """

    boxes: Array
    classes: NDArray[np.int64]
    scores: Array = field(default_factory=lambda: np.zeros(0))
    ignored: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def crowd(self) -> NDArray[np.bool_]:
        """(N,) ``ignored``, also where none was given."""
        return np.asarray(self.ignored, bool) if len(self.ignored) else np.zeros(len(self.boxes), bool)

    def at_least(self, confidence: float) -> "Boxes":
        keep = self.scores >= confidence
        return Boxes(self.boxes[keep], self.classes[keep], self.scores[keep])


@dataclass(frozen=True)
class AveragePrecision:
    """COCO's average precision at IoU 0.5 and as mean of 0.50 to 0.95; per class where it occurs."""

    map50: float
    map50_95: float
    per_class: dict[int, tuple[float, float]]


def average_precision(
    truth: Sequence[Boxes], found: Sequence[Boxes], classes: int, max_detections: int = 10
) -> AveragePrecision:
    """COCO's figures (101 recall points) over pictures, with at most ``max_detections`` a picture and class."""
    ground = COCO(_ground(truth, classes))
    rows = [
        {"image_id": i + 1, "category_id": int(c) + 1, "bbox": _xywh(b), "score": float(s)}
        for i, one in enumerate(found)
        for b, c, s in zip(one.boxes, one.classes, one.scores, strict=True)
    ]
    if not rows or not ground.anns:
        present = {int(c) for one in truth for c in one.classes}
        return AveragePrecision(0.0, 0.0, dict.fromkeys(sorted(present), (0.0, 0.0)))
    run = COCOeval_faster(ground, ground.loadRes(rows), "bbox")
    run.params.maxDets = [1, 5, max_detections]
    run.evaluate()
    run.accumulate()
    # (IoU, recall, class, area, detections): every area, all detections; -1 where a class has no truth.
    precision = np.asarray(run.eval["precision"])[:, :, :, 0, -1]
    per_class = {
        c: (float(precision[0, :, c].mean()), float(precision[:, :, c].mean()))
        for c in range(classes)
        if (precision[:, :, c] > -1).any()
    }
    map50, map50_95 = (float(np.mean(v)) for v in zip(*per_class.values(), strict=True))
    return AveragePrecision(map50, map50_95, per_class)


def epoch_figures(truth: Sequence[Boxes], found: Sequence[Boxes], classes: int) -> tuple[float, dict[str, float]]:
    """What an epoch is told apart by, and its figures on validation pictures.

    What is served are the sure ones; the others tell epochs apart while nothing is sure yet.
    """
    sure = [b.at_least(_SURE) for b in found]
    every, kept = (average_precision(truth, boxes, classes) for boxes in (found, sure))
    score = 0.5 * kept.map50_95 + 0.4 * every.map50_95 + 0.1 * every.map50
    return score, {"map50": every.map50, "map50_95": every.map50_95, "map50_95_sure": kept.map50_95}


def iou(a: Array, b: Array) -> Array:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4) xyxy."""
    common = common_areas(a, b)
    areas = [np.prod(x[:, 2:] - x[:, :2], axis=1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def common_areas(a: Array, b: Array) -> Array:
    """Area (N, M) that boxes (N, 4) and (M, 4) xyxy share."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.prod(np.clip(high - low, 0, None), axis=2)


def angle_figures(predicted: ArrayLike, true: ArrayLike) -> dict[str, float]:
    """Mean, median and 90th percentile in degrees of the angles between normals (N, 3), and shares of small ones."""
    angles = np.asarray(angle_between(predicted, true))
    return {
        "mean_deg": float(np.mean(angles)),
        "median_deg": float(np.median(angles)),
        "p90_deg": float(np.percentile(angles, 90)),
        **{f"under_{limit}_deg": float(np.mean(angles < limit)) for limit in SMALL_ANGLES},
    }


def angle_intervals(angles_deg: ArrayLike, pictures: Sequence[str], seed: int = 0) -> dict[str, list[float]]:
    """The 95 % interval of each of :func:`angle_figures` for angles (N,) of crops of the named ``pictures`` (N,)."""
    angles = np.asarray(angles_deg, float)
    names, place = np.unique(np.asarray(pictures), return_inverse=True)
    weights = resampled(len(names), seed=seed)[:, place]
    shares = {f"under_{limit}_deg": means(angles < limit, weights) for limit in SMALL_ANGLES}
    return {
        "mean_deg": list(interval(means(angles, weights))),
        "median_deg": list(interval(quantiles(angles, weights, 0.5))),
        "p90_deg": list(interval(quantiles(angles, weights, 0.9))),
        **share_intervals(shares, len(names)),
    }


def squared_distance(predicted: ArrayLike, true: ArrayLike) -> float:
    """The paper's loss over normals (N, 3) (Comillas, equation 1)."""
    difference = np.asarray(predicted, float) - np.asarray(true, float)
    return float(np.mean(np.sum(difference**2, axis=-1)))


def _ground(truth: Sequence[Boxes], classes: int) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for i, one in enumerate(truth):
        for box, class_id, crowd in zip(one.boxes, one.classes, one.crowd, strict=True):
            bbox = _xywh(box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i + 1,
                    "category_id": int(class_id) + 1,
                    "bbox": bbox,
                    "area": bbox[2] * bbox[3],
                    "iscrowd": int(crowd),
                }
            )
    return {
        "images": [{"id": i + 1} for i in range(len(truth))],
        "categories": [{"id": c + 1, "name": str(c)} for c in range(classes)],
        "annotations": annotations,
    }


def _xywh(box: Array) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]
