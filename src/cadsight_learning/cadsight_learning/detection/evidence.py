"""What a detector makes of an image before it decides: for choosing images to label, and for telling what is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

from cadsight_learning.detection.detector import TorchDetector

# What scores less is no detection; of more than so many detections an image the best are kept.
FLOOR, AT_MOST = 0.05, 100


@dataclass(frozen=True, eq=False)
class Evidence:
    """The K detections of one image, most confident first.

    Attributes:
        boxes: (K, 4) corners x0, y0, x1, y1 in the image's own pixels.
        classes: (K,) of the highest score.
        scores: (K, C) of every class, as the network gave them before it took the highest and suppressed doubles: of
            YOLO and RT-DETR a sigmoid each, of R-CNN a softmax without its background.
        features: (K, E) what the network sees there.
    """

    boxes: Array
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]
    features: NDArray[np.float32]

    def above(self, floor: float) -> "Evidence":
        """The detections of which a class scores more than ``floor``."""
        kept = self.scores.max(axis=1, initial=0.0) > floor
        return Evidence(self.boxes[kept], self.classes[kept], self.scores[kept], self.features[kept])


@runtime_checkable
class EvidenceDetector(TorchDetector, Protocol):
    """A detector that tells more than what it decided."""

    def evidence(self, images: Sequence[Rgb], floor: float = FLOOR, at_most: int = AT_MOST) -> list[Evidence]:
        """What it makes of each image (H, W, 3)."""
