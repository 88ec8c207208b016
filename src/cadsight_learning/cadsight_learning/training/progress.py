"""The progress reports of a training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class EpochReport:
    """How far a training is.

    Attributes:
        epoch: counted from 1.
        fraction: how much of the training is done, 0 to 1, by epochs or by time.
        figures: of this epoch, such as ``train/box_loss`` and ``valid/map50``.
        computed: how its last step was computed, '' where nothing else was tried.
    """

    epoch: int
    epochs: int
    fraction: float
    seconds: float
    figures: dict[str, float]
    best: bool
    computed: str = ""


@dataclass(frozen=True)
class StepReport:
    """How far a training is within an epoch, and at which pace.

    Attributes:
        fraction: as in :class:`EpochReport`.
        step_seconds: of one of the last steps, by their median.
        left: seconds until the end at this pace.
    """

    fraction: float
    step_seconds: float
    left: float


Progress = Callable[[EpochReport], None]

StepProgress = Callable[[StepReport], None]


def silent(_: "EpochReport | StepReport") -> None:
    """A progress that shows nothing."""
