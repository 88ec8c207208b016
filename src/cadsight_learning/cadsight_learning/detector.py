"""What every detector can do, whichever library is behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cadsight_core.images import Rgb
from cadsight_core.sample import Instance, Sample

CONFIDENCE, MAX_DETECTIONS = 0.5, 10


@dataclass(frozen=True)
class EpochReport:
    """How far a training is.

    Attributes:
        epoch: counted from 1.
        share: how much of the training is done, 0 to 1, by epochs or by time.
        figures: of this epoch, such as ``train/box_loss`` and ``valid/map50``.
    """

    epoch: int
    epochs: int
    share: float
    seconds: float
    figures: dict[str, float]
    best: bool


Progress = Callable[[EpochReport], None]


def silent(_: EpochReport) -> None:
    """The progress of those who do not look."""


class Detector(Protocol):
    """Finds parts in pictures."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each picture (H, W, 3), surest first, boxes in its own pixels, ``source`` 'model'."""

    def losses(self, samples: Sequence[Sample], square: bool = False) -> dict[str, float]:
        """Mean losses over labelled pictures, as in training: ``box_loss``, ``class_loss``, ``dfl_loss``."""

    def warm_up(self, width: int, height: int) -> None:
        """Run once on a picture of this size, so that the first real one is not the slow one."""
