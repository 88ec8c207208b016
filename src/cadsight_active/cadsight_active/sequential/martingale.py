"""Wealth of a gambler who bets against p-values being uniform (Vovk, Nouretdinov and Gammerman, Testing
Exchangeability On-Line, 2003).

By Ville's inequality the chance that it ever reaches a level L is at most 1 / L, over the whole deployment.
"""

import numpy as np
from cadsight_core.geometry import Array

_NODES = 16


class RestartedMixture:
    """A mixture of power martingales ``prod(e * p ** (e - 1))`` over e in (0, 1), and over when it began.

    One that began at the first p-value alone would have lost its wealth on thousands of usual ones before something
    changes. Of the wealth ``1 / (k (k + 1))`` is laid by for one that begins at the k-th p-value, so that after n usual
    ones a change must win back a factor of about ``n ** 2`` and no more.
    """

    def __init__(self) -> None:
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        self._powers: Array = (nodes + 1) / 2
        self._weights: Array = weights / 2
        self._log_wealth: Array = np.full(_NODES, -np.inf)
        self._count = 0

    @property
    def count(self) -> int:
        """How many p-values came."""
        return self._count

    @property
    def wealth(self) -> float:
        """What the gambler has who began with 1."""
        return float(np.exp(self._log_wealth).sum() + 1 / (self._count + 1))

    def bet(self, p_value: float) -> float:
        """The wealth after a p-value in (0, 1]."""
        self._count += 1
        begins = np.log(self._weights) - np.log(self._count * (self._count + 1.0))
        wins = np.log(self._powers) + (self._powers - 1) * np.log(p_value)
        self._log_wealth = np.logaddexp(self._log_wealth, begins) + wins
        return self.wealth
