"""Whether a regressor of normals is as sure as it should be."""

from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from scipy.stats import spearmanr

from cadsight_learning.normals.von_mises_fisher import angles_within, mean_negative_log_likelihood, share_within

# The shares at which the curve is drawn, and over which the error is averaged.
LEVELS = np.arange(1, 20) / 20


def calibration(angles_deg: Array, concentrations: Array) -> dict[str, Any]:
    """Angles (N,) that were found, against the von Mises-Fisher distributions that were predicted for them.

    Each crop's distribution says within which angle a share of its errors lies. Of N crops the same share should be
    found within it, whatever the share (Kuleshov et al., Accurate Uncertainties for Deep Learning, section 3.5).

    Returns:
        ``expected`` and ``observed``: the points of that curve, a diagonal where all is well, below it where the
        regressor is too sure; ``error``: their mean distance (expected calibration error);
        ``negative_log_likelihood`` in nats, lower for a better one; ``median_deg``: the median over crops of the angle
        that half of a crop's errors should lie within; ``rank_correlation``: Spearman's, between that angle and the
        one found: 1 where the surer of two crops is always the better one, 0 where sureness says nothing of one crop.
    """
    shares, expected_deg = share_within(angles_deg, concentrations), angles_within(0.5, concentrations)
    observed = np.array([(shares <= level).mean() for level in LEVELS])
    return {
        "expected": LEVELS.tolist(),
        "observed": observed.tolist(),
        "error": float(np.abs(observed - LEVELS).mean()),
        "negative_log_likelihood": mean_negative_log_likelihood(angles_deg, concentrations),
        "median_deg": float(np.median(expected_deg)),
        "rank_correlation": _rank_correlation(expected_deg, angles_deg),
    }


def _rank_correlation(first: Array, second: Array) -> float:
    if np.ptp(first) <= 1e-9 * np.abs(first).max() or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)
