"""Typical images for a start without labels (Hacohen et al., Active Learning on a Budget, 2022)."""

import numpy as np
from numpy.typing import NDArray

from cadsight_active.candidates import Candidates
from cadsight_active.clustering.distances import squared_norms, squared_to
from cadsight_active.clustering.k_means import k_means
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice

# The paper's numbers.
_MOST_CLUSTERS, _NEIGHBOURS, _SMALLEST = 500, 20, 5
# Of a larger cluster so many at random say how typical each is: with more, distances of all to all take too long.
_AT_MOST = 1000
_FOR_CENTRES = 50_000


def choose_typiclust(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """Of as many clusters as there will be labelled images, the most typical image of each that has no label, the
    largest clusters first; what is typical has its neighbours near."""
    assert candidates.common_features is not None
    points = np.asarray(candidates.common_features, np.float32)
    count = min(int(candidates.labelled.sum()) + options.k, _MOST_CLUSTERS, len(points))
    labels = _clustered(points, count, rng)
    sizes = np.bincount(labels, minlength=count)
    known = np.bincount(labels[candidates.labelled], minlength=count)
    free = ~candidates.labelled
    left = sizes - known
    values = np.full(len(points), np.nan)
    images: list[int] = []
    groups: list[int] = []
    while len(images) < options.k:
        # Those too small to be typical of anything come after all others.
        order = np.lexsort((-sizes, known, sizes < _SMALLEST, left == 0))
        group = int(order[0])
        members = np.flatnonzero(labels == group)
        if np.isnan(values[members]).all():
            values[members] = _typicality(points[members], rng)
        there = members[free[members]]
        image = int(there[values[there].argmax()])
        images.append(image)
        groups.append(group)
        known[group] += 1
        left[group] -= 1
        free[image] = False
    reasons = tuple(
        f"typical ({values[i]:.2f}) of cluster {g} of {sizes[g]} images" for i, g in zip(images, groups, strict=True)
    )
    return Choice(np.array(images, np.int64), values, reasons, np.array(groups, np.int64))


def _clustered(points: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(N,) the cluster of each point; of many points so many at random say where the clusters lie."""
    some = points if len(points) <= _FOR_CENTRES else points[np.sort(rng.permutation(len(points))[:_FOR_CENTRES])]
    clusters = k_means(some, np.ones(len(some)), count, rng)
    if some is points:
        return clusters.labels
    return np.concatenate([f.argmin(axis=1) for f in squared_to(points, squared_norms(points), clusters.centres)])


def _typicality(points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    """(N,) the inverse of the mean distance to the nearest neighbours (Hacohen et al., equation 4)."""
    if len(points) == 1:
        return np.zeros(1)
    some = points if len(points) <= _AT_MOST else points[np.sort(rng.permutation(len(points))[:_AT_MOST])]
    near = min(_NEIGHBOURS, len(some) - 1)
    rows = []
    for far in squared_to(points, squared_norms(points), some):
        # A point itself is its nearest.
        nearest = np.sort(np.partition(far, near, axis=1)[:, : near + 1], axis=1)[:, 1:]
        rows.append(np.sqrt(nearest).mean(axis=1))
    return 1 / (np.concatenate(rows).astype(float) + 1e-6)
