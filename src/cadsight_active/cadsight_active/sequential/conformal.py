"""How strange each new score is among all before it (Vovk et al., Algorithmic Learning in a Random World, 2005)."""

import bisect
from collections.abc import Iterable

import numpy as np


class ConformalRanks:
    """Smoothed p-values of scores, each ranked among those that it began with and all that came since.

    As long as the scores are exchangeable, the p-values are independent and uniform, whatever the scores' distribution.
    Ranked among the first ones alone they would depend on each other.
    """

    def __init__(self, scores: Iterable[float], seed: int = 0) -> None:
        """``seed`` is that of the ranks of equal scores."""
        self._scores = sorted(scores)
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._scores)

    def p_value(self, score: float) -> float:
        """In (0, 1): the fraction of scores, this one among them, that are as strange or stranger; equal ones count in
        part, at random."""
        more = len(self._scores) - bisect.bisect_right(self._scores, score)
        equal = bisect.bisect_right(self._scores, score) - bisect.bisect_left(self._scores, score)
        bisect.insort(self._scores, score)
        # Above 0, at which a bet would be infinite.
        uniform = 1 - self._rng.random()
        return float((more + uniform * (equal + 1)) / len(self._scores))
