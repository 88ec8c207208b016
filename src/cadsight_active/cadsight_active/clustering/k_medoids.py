"""Groups of things of which only distances are known."""

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

_MOST_ROUNDS = 100


def k_medoids(distances: Array, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The numbers of ``k`` distinct members of N whose ``distances`` (N, N) are known, each the middle of a group.

    It starts with a random one and then the farthest from those before. A group that loses its members, as doubles make
    it, keeps its middle.
    """
    middles = [int(rng.integers(len(distances)))]
    while len(middles) < k:
        nearest = distances[:, middles].min(axis=1)
        nearest[middles] = -1
        middles.append(int(nearest.argmax()))
    found = np.array(middles, np.int64)
    for _ in range(_MOST_ROUNDS):
        labels = distances[:, found].argmin(axis=1)
        # A middle is of its own group, also where a double of it is the middle of another.
        labels[found] = np.arange(k)
        moved = found.copy()
        for group in range(k):
            members = np.flatnonzero(labels == group)
            moved[group] = members[distances[np.ix_(members, members)].sum(axis=1).argmin()]
        if (moved == found).all():
            break
        found = moved
    return found
