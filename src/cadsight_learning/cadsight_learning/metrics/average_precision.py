"""Figures of detections and normals, from plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from cadsight_learning.metrics.boxes import Boxes, _xywh

# What is served: detections of at least this score.
_CONFIDENT = 0.5


@dataclass(frozen=True)
class AveragePrecision:
    """COCO's average precision at IoU 0.5 and as mean of 0.50 to 0.95; per class where it occurs."""

    map50: float
    map50_95: float
    per_class: dict[int, tuple[float, float]]


def average_precision(
    truth: Sequence[Boxes], found: Sequence[Boxes], classes: int, max_detections: int = 10
) -> AveragePrecision:
    """COCO's figures (101 recall points) over images, with at most ``max_detections`` an image and class."""
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
    """The score that epochs are compared by, and the figures on validation images.

    Only confident boxes are served; the others tell epochs apart while no box is confident yet.
    """
    confident = [b.at_least(_CONFIDENT) for b in found]
    every, kept = (average_precision(truth, boxes, classes) for boxes in (found, confident))
    score = 0.5 * kept.map50_95 + 0.4 * every.map50_95 + 0.1 * every.map50
    return score, {"map50": every.map50, "map50_95": every.map50_95, "map50_95_sure": kept.map50_95}


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
