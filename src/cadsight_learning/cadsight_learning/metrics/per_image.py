"""What became of each label and each detection of each image, to find what fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cadsight_learning.metrics.boxes import Boxes, iou
from cadsight_learning.metrics.matching import MatchTable

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelResult:
    """One label.

    Attributes:
        box: corners x0, y0, x1, y1 in pixels.
        score: of what found it; None where nothing did.
        iou: with what found it, of a missed one with what covers it best.
    """

    class_name: str
    box: Corners
    found: bool
    score: float | None
    iou: float

    def to_json(self) -> dict[str, Any]:
        box = list(self.box)
        return {"class": self.class_name, "box": box, "found": self.found, "score": self.score, "iou": self.iou}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LabelResult":
        x0, y0, x1, y1 = data["box"]
        return LabelResult(data["class"], (x0, y0, x1, y1), data["found"], data["score"], data["iou"])


@dataclass(frozen=True)
class WrongDetection:
    """What was found where no such label is."""

    class_name: str
    score: float

    def to_json(self) -> dict[str, Any]:
        return {"class": self.class_name, "score": self.score}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "WrongDetection":
        return WrongDetection(data["class"], data["score"])


@dataclass(frozen=True)
class ImageResult:
    """One image by its name: its labels that count in their order, and what was wrong."""

    name: str
    labels: tuple[LabelResult, ...]
    wrong: tuple[WrongDetection, ...]

    def to_json(self) -> dict[str, Any]:
        labels, wrong = [one.to_json() for one in self.labels], [one.to_json() for one in self.wrong]
        return {"name": self.name, "labels": labels, "wrong": wrong}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "ImageResult":
        labels, wrong = map(LabelResult.from_json, data["labels"]), map(WrongDetection.from_json, data["wrong"])
        return ImageResult(data["name"], tuple(labels), tuple(wrong))


def per_image(
    table: MatchTable, names: Sequence[str], images: Sequence[str], truth: Sequence[Boxes], found: Sequence[Boxes]
) -> tuple[ImageResult, ...]:
    """The result of each of the named ``images`` (N,), whose boxes and matches are given in the same order."""
    rows = []
    for number, (name, there, seen) in enumerate(zip(images, truth, found, strict=True)):
        mine = np.flatnonzero(table.image == number)
        finder = {int(table.label[d]): d for d in mine if table.label[d] >= 0}
        best = iou(seen.boxes, there.boxes).max(axis=0, initial=0.0)
        labels = []
        for label in np.flatnonzero(~there.crowd).tolist():
            x0, y0, x1, y1 = (round(float(x), 3) for x in there.boxes[label])
            by = finder.get(label)
            labels.append(
                LabelResult(
                    names[there.classes[label]],
                    (x0, y0, x1, y1),
                    by is not None,
                    None if by is None else round(float(table.score[by]), 6),
                    round(float(best[label] if by is None else table.overlap[by]), 6),
                )
            )
        wrong = tuple(
            WrongDetection(names[table.class_id[d]], round(float(table.score[d]), 6))
            for d in mine
            if table.counted[d, 0] and not table.right[d, 0]
        )
        rows.append(ImageResult(name, tuple(labels), wrong))
    return tuple(rows)
