"""How certain a figure from a few images is: the images resampled, with replacement, many times over.

The bootstrap of Efron (1979) with percentile intervals. Images are resampled, not boxes or crops: those of one image
stand or fall together.
"""

from collections.abc import Mapping

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import ArrayLike, NDArray

RESAMPLES, FRACTION = 1000, 0.95
Interval = tuple[float, float]


def resampled(images: int, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.int64]:
    """How often each of ``images`` is in each of the resamples: (resamples, images), every row adds up to it."""
    rng = np.random.default_rng([seed, 0xB007])
    return rng.multinomial(images, np.full(images, 1 / images), size=resamples)


def summed_again(per_image: ArrayLike, weights: NDArray[np.integer]) -> NDArray[np.int64]:
    """Sums (B, ...) over images of ``per_image`` (N, ...) integers, each as often as ``weights`` (B, N) say."""
    # In floats, which hold such integers exactly: they alone go through the fast matrix product.
    return np.rint(np.tensordot(weights.astype(float), np.asarray(per_image, float), 1)).astype(int)


def interval(values: ArrayLike, fraction: float = FRACTION) -> Interval:
    """The middle ``fraction`` of the values of the resamples; those that are no number are left out."""
    tail = 50 * (1 - fraction)
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)


def proportion_interval(values: ArrayLike, images: int, fraction: float = FRACTION) -> Interval:
    """The interval of a fraction (0 to 1), honest where every resample gives a whole 0 or 1.

    Fifteen images out of fifteen leave a bootstrap nothing to vary. The exact interval of Clopper and Pearson (1934)
    for as many of as many images stands in its place: 0.78 to 1 for fifteen.
    """
    low, high = interval(values, fraction)
    least = ((1 - fraction) / 2) ** (1 / images)
    if low == high == 1.0:
        return least, 1.0
    if low == high == 0.0:
        return 0.0, 1 - least
    return low, high


def proportion_intervals(values: Mapping[str, Array], images: int) -> dict[str, Interval]:
    """:func:`proportion_interval` of each figure; a figure that no resample has is left out."""
    found = {name: proportion_interval(v, images) for name, v in values.items()}
    return {name: pair for name, pair in found.items() if np.isfinite(pair).all()}


def quantiles(values: ArrayLike, weights: NDArray[np.integer], quantile: float) -> Array:
    """Quantile (B,) of ``values`` (N,), each taken as often as ``weights`` (B, N) say, as ``np.quantile`` of them."""
    order = np.argsort(np.asarray(values, float), kind="stable")
    ordered = np.asarray(values, float)[order]
    found = np.full(len(weights), np.nan)
    for row, counts in enumerate(np.cumsum(weights[:, order], axis=1)):
        if counts[-1]:
            position = quantile * (counts[-1] - 1)
            low, high = ordered[np.searchsorted(counts, [np.floor(position), np.ceil(position)], side="right")]
            found[row] = low + (high - low) * (position % 1)
    return found


def means(values: ArrayLike, weights: NDArray[np.integer]) -> Array:
    """Mean (B,) of ``values`` (N,), each taken as often as ``weights`` (B, N) say; NaN where none was."""
    counts = weights.sum(axis=1)
    sums = weights @ np.asarray(values, float)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
