"""Whether a regressor of normals is as confident as it should be."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from scipy.stats import spearmanr

from cadsight_learning.normals.von_mises_fisher import angles_within, fraction_within, mean_negative_log_likelihood

# The fractions at which the curve is computed, and over which the error is averaged.
LEVELS = np.arange(1, 20) / 20


@dataclass(frozen=True)
class Calibration:
    """The confidence of a regressor against its errors.

    Attributes:
        expected, observed: the points of a curve, a diagonal where all is well, below it where the regressor is
            overconfident: the fraction of errors within the angle that a fraction of them should lie within.
        error: their mean distance (expected calibration error).
        negative_log_likelihood: in nats, lower for a better one.
        median_deg: median over crops of the angle that half of a crop's errors should lie within.
        rank_correlation: Spearman's, between that angle and the one found: 1 where the more confident of two crops
            is always the better one, 0 where confidence tells nothing of one crop.
    """

    expected: tuple[float, ...]
    observed: tuple[float, ...]
    error: float
    negative_log_likelihood: float
    median_deg: float
    rank_correlation: float

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "expected": list(self.expected), "observed": list(self.observed)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Calibration":
        """What :meth:`to_json` made; raises a KeyError or TypeError for data of another form."""
        names = ("error", "negative_log_likelihood", "median_deg", "rank_correlation")
        numbers = (math.nan if data[name] is None else float(data[name]) for name in names)
        return Calibration(tuple(data["expected"]), tuple(data["observed"]), *numbers)


def calibration(angles_deg: Array, concentrations: Array) -> Calibration:
    """Angles (N,) that were found, against the von Mises-Fisher distributions that were predicted for them.

    Each crop's distribution says within which angle a fraction of its errors lies. Of N crops the same fraction should
    be found within it, whatever it is (Kuleshov et al., Accurate Uncertainties for Deep Learning, section 3.5).
    """
    fractions, expected_deg = fraction_within(angles_deg, concentrations), angles_within(0.5, concentrations)
    observed = np.array([(fractions <= level).mean() for level in LEVELS])
    return Calibration(
        tuple(LEVELS.tolist()),
        tuple(observed.tolist()),
        float(np.abs(observed - LEVELS).mean()),
        mean_negative_log_likelihood(angles_deg, concentrations),
        float(np.median(expected_deg)),
        _rank_correlation(expected_deg, angles_deg),
    )


def _rank_correlation(first: Array, second: Array) -> float:
    if np.ptp(first) <= 1e-9 * np.abs(first).max() or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)
