"""Conformal p-values: how unusual an image is among real images that were held out (Vovk et al. 2005, section 2.2)."""

import math

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array


def p_values(scores: Array, calibration: Array) -> Array:
    """For each score (N,) the probability that a new real image scores as low: (1 + how many of ``calibration`` (n,)
    are at most it) / (n + 1). Exact for any n where real images are exchangeable; none is below 1 / (n + 1)."""
    ranked = np.sort(calibration)
    p: Array = (1 + np.searchsorted(ranked, scores, side="right")) / (len(ranked) + 1)
    return p


def needed(level: float) -> int:
    """How many held-out images a p-value of at most ``level`` takes: 19 for 5 %, 99 for 1 %."""
    return math.ceil(1 / level - 1e-9) - 1


def refuse_too_few(held_out: int, level: float, what: str = "held-out real images") -> None:
    """Refuse a calibration that cannot reach ``level``.

    Raises:
        CadsightError: with the number that it takes.
    """
    if held_out < needed(level):
        raise CadsightError(
            f"{held_out} {what} came, from which no p-value is below {1 / (held_out + 1):.3g}; a level of {level:g} "
            f"expects at least {needed(level)}"
        )
