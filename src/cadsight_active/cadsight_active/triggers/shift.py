"""The camera sees something else than before: a conformal test martingale on frozen features."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.geometry import Array

from cadsight_active.sequential.conformal import ConformalRanks
from cadsight_active.sequential.martingale import RestartedMixture
from cadsight_active.triggers.trigger import Alarm, Observed

# So many of the loudest images are named, of so many of the latest.
_LOUDEST, _LATEST = 5, 50


@dataclass(frozen=True)
class ShiftOptions:
    """How sure the shift of the input must be."""

    calibration: int = parameter(
        400, "images that say what is usual: half to compare with, half to rank among", minimum=40
    )
    level: float = parameter(
        1000.0, "wealth that is an alarm, which ever comes by chance with a probability of 1 / level", minimum=2.0
    )
    neighbours: int = parameter(5, "usual images, the nearest, that a new one is compared with", minimum=1, maximum=100)
    lag: int = parameter(
        15, "every so many images one is taken: neighbours look alike, and for them no bound holds", minimum=1
    )
    seed: int = parameter(0, "of the ranks of equal scores", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)


class ShiftTrigger:
    """Alarms when new images are stranger than the usual ones, whose first ``calibration`` it takes for usual.

    The score of an image is its mean distance to its nearest neighbours among one half of those; it is ranked among the
    scores of the other half and of all that came since. By Ville's inequality it ever alarms with a chance of at most
    ``1 / level`` as long as the taken images are exchangeable, over the whole deployment.
    """

    def __init__(self, options: ShiftOptions = ShiftOptions()) -> None:
        self._options = options
        self._silent = False
        self.reset()

    def observe(self, image: Observed) -> Alarm | None:
        if image.features is None or self._silent:
            return None
        self._seen += 1
        if (self._seen - 1) % self._options.lag:
            return None
        features = np.asarray(image.features, float)
        if len(self._usual) < self._options.calibration:
            self._usual.append(features)
            if len(self._usual) == self._options.calibration:
                self._calibrate()
            return None
        assert self._ranks is not None
        score = self._score(features)
        self._latest.append((score, image.name))
        wealth = self._wealth.bet(self._ranks.p_value(score))
        if wealth < self._options.level:
            return None
        self._silent = True
        loudest = tuple(name for _, name in sorted(self._latest, reverse=True)[:_LOUDEST])
        reason = f"the last images look unlike the {self._options.calibration} usual ones"
        return Alarm("shift", reason, wealth, self._options.level, loudest, is_new=True)

    def reset(self) -> None:
        self._usual: list[Array] = []
        self._reference: Array = np.zeros((0, 0))
        self._ranks: ConformalRanks | None = None
        self._wealth = RestartedMixture()
        self._latest: deque[tuple[float, str]] = deque(maxlen=_LATEST)
        self._seen = 0
        self._silent = False

    @property
    def wealth(self) -> float:
        """Of the gambler who bets on a shift; 1 at the beginning."""
        return self._wealth.wealth

    def _calibrate(self) -> None:
        # Every second one, so that a slow change within the calibration is in both halves.
        self._reference = np.stack(self._usual[::2])
        self._ranks = ConformalRanks([self._score(one) for one in self._usual[1::2]], self._options.seed)

    def _score(self, features: Array) -> float:
        far = np.linalg.norm(self._reference - features, axis=1)
        near = min(self._options.neighbours, len(far))
        return float(np.partition(far, near - 1)[:near].mean())


def lag_of(scores: Array, most: float = 0.1) -> int:
    """After how many steps the autocorrelation of ``scores`` (N,) of an unchanged stream is below ``most``; N where it
    never is."""
    centred = np.asarray(scores, float) - np.mean(scores)
    power = float(centred @ centred)
    if power == 0:
        return 1
    for lag in range(1, len(centred)):
        if float(centred[:-lag] @ centred[lag:]) / power < most:
            return lag
    return len(centred)
