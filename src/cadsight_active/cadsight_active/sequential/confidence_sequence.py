"""Bounds of a mean that hold at all times at once (Waudby-Smith and Ramdas, Estimating means of bounded random
variables by betting, 2020)."""

import math


class MeanSequence:
    """Lower and upper bound of the mean of numbers in 0 to 1 that come one by one: each of both holds for ever with a
    probability of ``1 - alpha`` (predictable plug-in empirical Bernstein, theorem 2, one side each)."""

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._count, self._sum, self._squares = 0, 0.5, 0.25
        self._bets = self._won = self._spent = 0.0
        self.lower, self.upper = 0.0, 1.0

    @property
    def count(self) -> int:
        return self._count

    def add(self, value: float) -> None:
        """Take the next number, 0 to 1."""
        mean, variance = self._sum / (self._count + 1), self._squares / (self._count + 1)
        self._count += 1
        bet = min(math.sqrt(2 * math.log(1 / self._alpha) / (variance * self._count * math.log(1 + self._count))), 0.5)
        self._bets += bet
        self._won += bet * value
        self._spent += 4 * (value - mean) ** 2 * (-math.log1p(-bet) - bet) / 4
        middle, half = self._won / self._bets, (math.log(1 / self._alpha) + self._spent) / self._bets
        self.lower, self.upper = max(self.lower, middle - half), min(self.upper, middle + half)
        self._sum += value
        self._squares += (value - self._sum / (self._count + 1)) ** 2
