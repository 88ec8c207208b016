"""Weighted k-means after a careful start (Arthur and Vassilvitskii, k-means++, 2007)."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_active.clustering.distances import Floats, chunks, squared_norms, squared_to

_MOST_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Clusters:
    """K groups of N points.

    Attributes:
        centres: (K, D) weighted means of their members.
        labels: (N,) the group of each point.
        inertia: sum of the weighted squared distances to the centres.
    """

    centres: NDArray[np.float32]
    labels: NDArray[np.int64]
    inertia: float


def careful_start(points: Floats, weights: Array, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The numbers of ``k`` distinct ``points`` (N, D): each next one with a probability that grows with its weight (N,)
    and with its squared distance to those before.

    Where all that are left lie on those taken, or weigh nothing, the next one is any of them.
    """
    norms = squared_norms(points)
    nearest = np.full(len(points), np.inf, np.float32)
    free = np.ones(len(points), bool)
    taken: list[int] = []
    for _ in range(k):
        likely = weights * (nearest if taken else 1.0) * free
        total = likely.sum()
        if not total > 0:
            likely, total = free.astype(float), free.sum()
        number = int(np.searchsorted(np.cumsum(likely), rng.random() * total, side="right"))
        # Rounding may lead behind the last that can be taken.
        number = min(number, int(np.flatnonzero(likely)[-1]))
        taken.append(number)
        free[number] = False
        far = np.concatenate([f[:, 0] for f in squared_to(points, norms, np.asarray(points[number : number + 1]))])
        nearest = np.minimum(nearest, far)
    return np.array(taken, np.int64)


def k_means(points: Floats, weights: Array, k: int, rng: np.random.Generator) -> Clusters:
    """``k`` groups of ``points`` (N, D), each point as heavy as its weight (N,) says; N is at least ``k``.

    A group that loses its members keeps its centre. Points that all weigh nothing weigh the same.
    """
    weights = np.asarray(weights, float)
    if not weights.sum() > 0:
        weights = np.ones(len(points))
    norms = squared_norms(points)
    centres = np.asarray(points[careful_start(points, weights, k, rng)], np.float32)
    labels, inertia = _assigned(points, norms, weights, centres)
    for _ in range(_MOST_ROUNDS):
        moved = _means(points, weights, labels, centres)
        again, inertia = _assigned(points, norms, weights, moved)
        centres = moved
        if (again == labels).all():
            break
        labels = again
    return Clusters(centres, labels, inertia)


def nearest_members(points: Floats, centres: Floats, may: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Of each centre (K, D) the number of the nearest of ``points`` (N, D) that ``may`` (N,) be taken and is not yet.

    The first centre takes first. At least K points may be taken.
    """
    far = np.concatenate(list(squared_to(points, squared_norms(points), centres)))
    far[~may] = np.inf
    taken = []
    for centre in range(len(centres)):
        taken.append(int(far[:, centre].argmin()))
        far[taken[-1]] = np.inf
    return np.array(taken, np.int64)


def _assigned(
    points: Floats, norms: NDArray[np.float32], weights: Array, centres: NDArray[np.float32]
) -> tuple[NDArray[np.int64], float]:
    labels, nearest = [], []
    for far in squared_to(points, norms, centres):
        labels.append(far.argmin(axis=1))
        nearest.append(far.min(axis=1))
    return np.concatenate(labels), float(weights @ np.concatenate(nearest))


def _means(
    points: Floats, weights: Array, labels: NDArray[np.int64], centres: NDArray[np.float32]
) -> NDArray[np.float32]:
    sums, heavy, first = np.zeros(centres.shape), np.zeros(len(centres)), 0
    for some in chunks(points):
        last = first + len(some)
        members = np.zeros((len(centres), len(some)), np.float32)
        members[labels[first:last], np.arange(len(some))] = weights[first:last]
        sums += members @ some
        heavy += np.bincount(labels[first:last], weights[first:last], len(centres))
        first = last
    there = heavy > 0
    moved = centres.copy()
    moved[there] = (sums[there] / heavy[there, None]).astype(np.float32)
    return moved
