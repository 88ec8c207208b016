"""How well two ways to sort agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cadsight_generation.sorting.options import COLOURS, Colour


@dataclass(frozen=True, eq=False)
class Agreement:
    """Attributes:
    table: (4, 4) images by the first way's colour and the second's, in the order of :data:`.options.COLOURS`.
    kappa: agreement beyond chance, 1 where all agree and 0 where no more do than by chance; NaN where both ways
        have one colour only (Cohen 1960).
    low, high: its 95 % interval by the standard error of Fleiss, Cohen and Everitt (1969).
    """

    table: NDArray[np.int64]
    kappa: float
    low: float
    high: float


def agreement(first: Sequence[Colour], second: Sequence[Colour]) -> Agreement:
    """Of images sorted twice, in the same order."""
    table = np.zeros((len(COLOURS), len(COLOURS)), np.int64)
    for a, b in zip(first, second, strict=True):
        table[COLOURS.index(a), COLOURS.index(b)] += 1
    n = table.sum()
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    seen, chance = np.trace(p), rows @ columns
    if chance == 1:
        return Agreement(table, float("nan"), float("nan"), float("nan"))
    kappa = (seen - chance) / (1 - chance)
    doubt = 1 - kappa
    diagonal = (np.diag(p) * (1 - (rows + columns) * doubt) ** 2).sum()
    others = doubt**2 * ((p - np.diag(np.diag(p))) * (columns[:, None] + rows[None, :]) ** 2).sum()
    variance = (diagonal + others - (kappa - chance * doubt) ** 2) / ((1 - chance) ** 2 * n)
    half = 1.96 * np.sqrt(max(variance, 0))
    return Agreement(table, float(kappa), float(kappa - half), float(kappa + half))
