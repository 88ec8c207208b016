"""What a detector makes of an image before it decides: for choosing images to label, and for telling what is new."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_learning.detection.detector import Detector

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
        features: (K, E) what the network sees there; (K, 0) where it does not tell.
        image_features: (D,) its finest maps, averaged over the image; (0,) where it does not tell.
    """

    boxes: Array
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]
    features: NDArray[np.float32]
    image_features: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def above(self, floor: float) -> "Evidence":
        """The detections of which a class scores more than ``floor``."""
        kept = self.scores.max(axis=1, initial=0.0) > floor
        return Evidence(
            self.boxes[kept], self.classes[kept], self.scores[kept], self.features[kept], self.image_features
        )

    def instances(self, size: ImageSize, confidence: float, max_detections: int) -> list[Instance]:
        """What ``predict`` gives for the same image, of this ``size``, without masks."""
        found: list[Instance] = []
        for box, number, scores in zip(self.boxes, self.classes, self.scores, strict=True):
            if scores[number] > confidence and len(found) < max_detections:
                clipped = Box(*map(float, box)).clipped(size)
                found.append(Instance(int(number), clipped, score=float(scores[number]), source="model"))
        return found


@runtime_checkable
class EvidenceDetector(Detector, Protocol):
    """A detector that tells more than what it decided."""

    @property
    def features_sha256(self) -> str:
        """SHA-256 of the weights that make ``image_features``, which stays as long as no training changes these; empty
        where there are no such features. An exported network knows it after its first inference."""

    def evidence(self, images: Sequence[Rgb], floor: float = FLOOR, at_most: int = AT_MOST) -> list[Evidence]:
        """What it makes of each image (H, W, 3)."""


def evidence_of(detector: Detector, images: Sequence[Rgb], floor: float = FLOOR) -> list[Evidence]:
    """What a detector makes of images (H, W, 3); of one that tells no more than its boxes, the score of each box's
    class."""
    if isinstance(detector, EvidenceDetector):
        return detector.evidence(images, floor)
    found = []
    for instances in detector.predict(images, floor, AT_MOST):
        scores = np.zeros((len(instances), len(detector.classes)), np.float32)
        classes = np.array([i.class_id for i in instances], np.int64)
        scores[np.arange(len(instances)), classes] = [i.score or 0.0 for i in instances]
        boxes = np.array([i.box.as_tuple() for i in instances], float).reshape(-1, 4)
        found.append(Evidence(boxes, classes, scores, np.zeros((len(instances), 0), np.float32)))
    return found
