"""What a trigger sees of a deployment, and what it says."""

from dataclasses import dataclass
from typing import Protocol

from cadsight_core.geometry import Array


@dataclass(frozen=True, eq=False)
class Observed:
    """One image that the cell saw.

    Attributes:
        name: of the image.
        monotonic_s: seconds of a clock that never goes back, of the process that saw it.
        is_new: whether the pool kept it.
        features: (F,) of a network that no training changes; None where it was not asked.
        score: 0 to 1, how well the served model did on it, where its labels are known and it is held out; else None.
    """

    name: str
    monotonic_s: float
    is_new: bool = True
    features: Array | None = None
    score: float | None = None


@dataclass(frozen=True)
class Alarm:
    """Why a new cycle should begin.

    Attributes:
        trigger: name of the trigger.
        reason: a sentence.
        statistic, threshold: what was measured and what it reached.
        images: names of those that spoke loudest, the loudest first.
        is_new: whether it speaks of what the cell only just began to show, of which images from before say nothing.
    """

    trigger: str
    reason: str
    statistic: float
    threshold: float
    images: tuple[str, ...] = ()
    is_new: bool = False


class Trigger(Protocol):
    """Watches a deployment, image by image."""

    def observe(self, image: Observed) -> Alarm | None:
        """An alarm where this image is one too many; None otherwise. After an alarm it is silent until it is reset."""

    def reset(self) -> None:
        """Begin anew, as after a model was swapped."""
