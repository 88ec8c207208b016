"""Figures of predicted normals."""

from collections.abc import Sequence

import numpy as np
from cadsight_core.geometry import angle_between
from numpy.typing import ArrayLike

from cadsight_learning.metrics.bootstrap import Interval, interval, means, proportion_intervals, quantiles, resampled

# Degrees; the fraction of angles under each is a figure.
SMALL_ANGLES = (5, 10)


def angle_figures(predicted: ArrayLike, true: ArrayLike) -> dict[str, float]:
    """Mean, median and 90th percentile in degrees of the angles between normals (N, 3), and fractions of small ones."""
    angles = np.asarray(angle_between(predicted, true))
    return {
        "mean_deg": float(np.mean(angles)),
        "median_deg": float(np.median(angles)),
        "p90_deg": float(np.percentile(angles, 90)),
        **{f"under_{limit}_deg": float(np.mean(angles < limit)) for limit in SMALL_ANGLES},
    }


def angle_intervals(angles_deg: ArrayLike, images: Sequence[str], seed: int = 0) -> dict[str, Interval]:
    """The 95 % interval of each of :func:`angle_figures` for angles (N,) of crops of the named ``images`` (N,)."""
    angles = np.asarray(angles_deg, float)
    names, positions = np.unique(np.asarray(images), return_inverse=True)
    weights = resampled(len(names), seed=seed)[:, positions]
    scores = {f"under_{limit}_deg": means(angles < limit, weights) for limit in SMALL_ANGLES}
    return {
        "mean_deg": interval(means(angles, weights)),
        "median_deg": interval(quantiles(angles, weights, 0.5)),
        "p90_deg": interval(quantiles(angles, weights, 0.9)),
        **proportion_intervals(scores, len(names)),
    }


def squared_distance(predicted: ArrayLike, true: ArrayLike) -> float:
    """The paper's loss over normals (N, 3) (Comillas, equation 1)."""
    difference = np.asarray(predicted, float) - np.asarray(true, float)
    return float(np.mean(np.sum(difference**2, axis=-1)))
