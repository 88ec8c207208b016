"""Metrics of a detector on labelled images, and how a file keeps them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cadsight_core.storage.documents import taken_from

from cadsight_learning.metrics.bootstrap import Interval
from cadsight_learning.metrics.box_metrics import METRICS
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.per_image import ImageResult

# The figures that every stored file has; METRICS may have grown since.
_ALWAYS = ("precision", "recall", "f1", "accuracy", "map50", "map50_95")
_LOSS = "_loss"


@dataclass(frozen=True)
class Confusion:
    """How many labels of each class (rows) were found as each class (columns); the last of both is the background."""

    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        return {"classes": list(self.classes), "matrix": [list(row) for row in self.matrix]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Confusion":
        return Confusion(tuple(data["classes"]), tuple(map(tuple, data["matrix"])))


@dataclass(frozen=True)
class BoxMetrics:
    """The boxes of one class, or of all.

    Attributes:
        labels: how many there are.
        scores: each of :data:`cadsight_learning.metrics.box_metrics.METRICS` by its name; a file of before one was
            added lacks it.
        intervals: of these, 95 %, images resampled; a figure that no resample has is left out.
    """

    labels: int
    scores: Mapping[str, float]
    intervals: Mapping[str, Interval]

    @property
    def precision(self) -> float:
        return self.scores["precision"]

    @property
    def recall(self) -> float:
        return self.scores["recall"]

    @property
    def f1(self) -> float:
        return self.scores["f1"]

    @property
    def accuracy(self) -> float:
        return self.scores["accuracy"]

    @property
    def map50(self) -> float:
        return self.scores["map50"]

    @property
    def map50_95(self) -> float:
        return self.scores["map50_95"]

    def _to_json(self) -> dict[str, Any]:
        return {"labels": self.labels, **self.scores}


@dataclass(frozen=True)
class MaskMetrics:
    """COCO's average precision of masks."""

    mask_map50: float
    mask_map50_95: float


@dataclass(frozen=True, kw_only=True)
class DetectionMetrics(BoxMetrics):
    """A detector on labelled images.

    Attributes:
        images: how many there are.
        mean_iou: of what is right at IoU 0.5.
        images_right: fraction of the images with every label found and nothing wrong (Rudenko, section 6).
        matches: from which every figure and interval can be made again.
        losses: those of training on these images, of a detector that torch runs.
        masks: of a detector that gives masks, where the labels have some.
        confidence, max_detections, square: what was asked for (see
            :func:`cadsight_learning.evaluation.evaluate.evaluate_detector`).
    """

    images: int
    mean_iou: float
    images_right: float
    confusion: Confusion
    per_class: Mapping[str, BoxMetrics]
    matches: MatchTable
    losses: Mapping[str, float] = field(default_factory=dict)
    masks: MaskMetrics | None = None
    confidence: float = 0.0
    max_detections: int = 0
    square: bool = False
    per_image: tuple[ImageResult, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Every figure that is a single number, by its name."""
        masks = asdict(self.masks) if self.masks else {}
        of_boxes = {**self.scores, "mean_iou": self.mean_iou, "pictures_right": self.images_right}
        return {**of_boxes, **self.losses, **masks}

    def to_json(self) -> dict[str, Any]:
        """What ``cadsight evaluate --json`` keeps, with keys that are figures' names."""
        return {
            "pictures": self.images,
            **self._to_json(),
            "mean_iou": self.mean_iou,
            "pictures_right": self.images_right,
            "intervals": _lists(self.intervals),
            "confusion": self.confusion.to_json(),
            "per_class": {
                name: {**one._to_json(), "intervals": _lists(one.intervals)} for name, one in self.per_class.items()
            },
            **self.losses,
            **(asdict(self.masks) if self.masks else {}),
            "confidence": self.confidence,
            "max_detections": self.max_detections,
            "square": self.square,
            "per_image": [one.to_json() for one in self.per_image],
            "matches": self.matches.to_json(),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "DetectionMetrics":
        """What :meth:`to_json` made; a null is a figure that is no number.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("what is kept of a detector", "what `cadsight evaluate` writes"):
            return DetectionMetrics(
                **_box_metrics(data),
                images=int(data["pictures"]),
                mean_iou=_number(data["mean_iou"]),
                images_right=_number(data["pictures_right"]),
                confusion=Confusion.from_json(data["confusion"]),
                per_class={name: BoxMetrics(**_box_metrics(one)) for name, one in data["per_class"].items()},
                matches=MatchTable.from_json(data["matches"]),
                losses={name: _number(value) for name, value in data.items() if name.endswith(_LOSS)},
                masks=MaskMetrics(_number(data["mask_map50"]), _number(data["mask_map50_95"]))
                if "mask_map50" in data
                else None,
                confidence=_number(data["confidence"]),
                max_detections=int(data["max_detections"]),
                square=bool(data["square"]),
                per_image=tuple(map(ImageResult.from_json, data["per_image"])),
            )


def _box_metrics(data: Mapping[str, Any]) -> dict[str, Any]:
    intervals = {name: (_number(low), _number(high)) for name, (low, high) in data["intervals"].items()}
    kept = (*_ALWAYS, *(name for name in METRICS if name in data and name not in _ALWAYS))
    return {
        "labels": int(data["labels"]),
        "scores": {name: _number(data[name]) for name in kept},
        "intervals": intervals,
    }


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _lists(intervals: Mapping[str, Interval]) -> dict[str, list[float]]:
    return {name: list(pair) for name, pair in intervals.items()}
