"""The served model does worse than when it was accepted (Podkopaev and Ramdas, Tracking the risk of a deployed model,
2021)."""

from collections import deque
from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter

from cadsight_active.sequential.confidence_sequence import MeanSequence
from cadsight_active.triggers.trigger import Alarm, Observed

_LOUDEST = 5
# After so many images a new sequence begins; so many of the latest go on.
_EVERY, _SEQUENCES = 10, 50


@dataclass(frozen=True)
class FallingScoreOptions:
    """How sure it must be that the score fell, and by how much."""

    first: int = parameter(50, "held-out images after a swap that say how good the model is", minimum=5)
    alpha: float = parameter(0.01, "chance of ever alarming without a fall", minimum=1e-6, maximum=0.5)
    tolerated: float = parameter(0.05, "fall of the mean score that is no alarm", minimum=0.0, maximum=1.0)

    def __post_init__(self) -> None:
        check(self)


class FallingScoreTrigger:
    """Alarms when the mean score of held-out images is surely lower, by more than is tolerated, than that of the first
    ones after the last reset.

    Both are bounded by confidence sequences of half the ``alpha``, so that it may look after every image. One that
    began long before a fall would be diluted by what was good, so a new one begins every few images; the k-th has the
    part ``1 / (k (k + 1))`` of its half.
    """

    def __init__(self, options: FallingScoreOptions = FallingScoreOptions()) -> None:
        self._options = options
        self._silent = False
        self.reset()

    def observe(self, image: Observed) -> Alarm | None:
        if image.score is None or self._silent:
            return None
        if self._first.count < self._options.first:
            self._first.add(image.score)
            return None
        if self._since % _EVERY == 0:
            k = self._since // _EVERY + 1
            self._latest.append(MeanSequence(self._options.alpha / 2 / (k * (k + 1))))
        self._since += 1
        self._scores.append((image.score, image.name))
        for sequence in self._latest:
            sequence.add(image.score)
        threshold = self._first.lower - self._options.tolerated
        surest = min(self._latest, key=lambda sequence: sequence.upper)
        if surest.upper >= threshold:
            return None
        self._silent = True
        worst = tuple(name for _, name in sorted(list(self._scores)[-surest.count :])[:_LOUDEST])
        reason = f"the mean score of the last {surest.count} held-out images is at most {surest.upper:.3f}"
        return Alarm("falling_score", reason, surest.upper, threshold, worst, is_new=True)

    def reset(self) -> None:
        self._first = MeanSequence(self._options.alpha / 2)
        self._latest: deque[MeanSequence] = deque(maxlen=_SEQUENCES)
        self._scores: deque[tuple[float, str]] = deque(maxlen=_SEQUENCES * _EVERY)
        self._since = 0
        self._silent = False
