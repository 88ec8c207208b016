"""Boxes of one image, and how much they have in common."""

from dataclasses import dataclass, field

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes (N, 4) xyxy of one image, their class ids (N,) and, where they were found, scores (N,).

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


NO_BOXES = Boxes(np.zeros((0, 4)), np.zeros(0, np.int64))


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


def _xywh(box: Array) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]
