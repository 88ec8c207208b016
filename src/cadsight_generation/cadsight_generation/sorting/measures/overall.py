"""What holds of all generated images together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from cadsight_learning.similarity.features import kernel_distance
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

# Of Naeem et al., section 4.
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Overall:
    """The generated images as a set, by features of another network than the one that sorts.

    Attributes:
        distinct: how many different images there are: each is alike one of these, and they are not alike each other.
        kid: kernel distance to the held-out real images, whose average is 0 for images of the same kind.
        kid_p_value: of its being as large by chance.
        kid_of_training: the same of the images trained on.
        coverage: fraction of the held-out images that have a generated one nearer than their fifth neighbour.
        copying: standardised rank sum of the distances to the training images, generated against held-out ones: far
            below 0 where the generated ones lie nearer.
        copying_p_value: of its being as low by chance.
        judge: the network whose features these are.
    """

    distinct: int
    kid: float
    kid_p_value: float
    kid_of_training: float
    coverage: float
    copying: float
    copying_p_value: float
    judge: str


def overall(
    generated: Array, trained_on: Array, held_out: Array, alike: NDArray[np.bool_], judge: str, seed: int
) -> Overall:
    """
    Args:
        generated, trained_on, held_out: features (N, D), (M, D) and (n, D).
        alike: (N, N), which generated images are one image.
    """
    # One image is no set: the unbiased distance has a term for each pair.
    pairs = [kernel_distance(one, held_out, seed) if len(one) > 1 else {} for one in (generated, trained_on)]
    statistic, p_value = data_copying(generated, trained_on, held_out)
    return Overall(
        distinct=len(leaders(alike)),
        kid=pairs[0].get("kid", float("nan")),
        kid_p_value=pairs[0].get("chance", float("nan")),
        kid_of_training=pairs[1].get("kid", float("nan")),
        coverage=coverage(generated, held_out),
        copying=statistic,
        copying_p_value=p_value,
        judge=judge,
    )


def leaders(alike: NDArray[np.bool_]) -> Sequence[int]:
    """Of images of which ``alike`` (N, N) tells pairs, those that are like none before them that leads."""
    found: list[int] = []
    for number in range(len(alike)):
        if not alike[number, found].any():
            found.append(number)
    return found


def coverage(generated: Array, real: Array) -> float:
    """Fraction of the ``real`` images (n, D) that have a generated one (N, D) no farther than their fifth neighbour
    (Naeem et al. 2020, Reliable fidelity and diversity metrics, equation 4)."""
    within = cdist(real, real)
    k = min(_NEIGHBOURS, len(real) - 1)
    radii = np.partition(within, k, axis=1)[:, k]  # the nearest is the image itself
    return float((cdist(real, generated).min(axis=1) <= radii).mean())


def data_copying(generated: Array, trained_on: Array, held_out: Array) -> tuple[float, float]:
    """Whether generated images lie nearer to the training images than held-out ones do, in one cell (Meehan et al.
    2020, A non-parametric test to detect data-copying in generative models, section 4.1).

    Returns:
        the standardised rank sum, and its one-sided p-value.
    """
    near, usual = (cdist(one, trained_on).min(axis=1) for one in (generated, held_out))
    test = mannwhitneyu(near, usual, alternative="less")
    n, m = len(near), len(usual)
    deviation = np.sqrt(n * m * (n + m + 1) / 12)
    return float((test.statistic - n * m / 2) / deviation), float(test.pvalue)
