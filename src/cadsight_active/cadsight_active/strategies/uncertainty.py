"""How unsure a model is of an image, from the class scores of its detections."""

from collections.abc import Callable, Mapping

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_active.candidates import Candidates, Floats

ONE_CLASS = (
    "with one class a detection of score p counts 1 - |2p - 1|, largest where p is 0.5: the paper's equation 1 has no "
    "second class there and would be largest for the boxes that score least"
)
_LEAST = 1e-10


def margins(scores: Floats) -> Array:
    """(T,) of scores (T, C): 1 less how far the best class is before the second (Eversberg, equation 1).

    With one class it is ``1 - |2p - 1|``, as far as the part is before its absence.
    """
    scores = np.asarray(scores, float)
    if scores.shape[1] == 1:
        return 1 - np.abs(2 * scores[:, 0] - 1)
    best = np.partition(scores, -2, axis=1)[:, -2:]
    return 1 - (best[:, 1] - best[:, 0])


def entropies(scores: Floats) -> Array:
    """(T,) of scores (T, C), in nats: the sum of the entropies of each class being there or not."""
    p = np.clip(np.asarray(scores, float), _LEAST, 1 - _LEAST)
    total: Array = -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum(axis=1)
    return total


def _sum(values: Floats, owners: NDArray[np.int64], count: int) -> Array:
    return np.bincount(owners, values, count).astype(float)


def _mean(values: Floats, owners: NDArray[np.int64], count: int) -> Array:
    return _sum(values, owners, count) / np.maximum(np.bincount(owners, minlength=count), 1)


def _max(values: Floats, owners: NDArray[np.int64], count: int) -> Array:
    largest = np.zeros(count)
    np.maximum.at(largest, owners, values)
    return largest


# (values (T,), the image of each (T,), how many images N) -> (N,); 0 of an image without detections.
AGGREGATES: Mapping[str, Callable[[Floats, NDArray[np.int64], int], Array]] = {"sum": _sum, "mean": _mean, "max": _max}


def margin_of_images(candidates: Candidates, aggregate: str) -> Array:
    """(N,) margins of the detections of each image together (Eversberg, equation 2, for the sum)."""
    return candidates.per_image(margins(candidates.scores), AGGREGATES[aggregate])


def entropy_of_images(candidates: Candidates, aggregate: str) -> Array:
    """(N,) entropies of the detections of each image together."""
    return candidates.per_image(entropies(candidates.scores), AGGREGATES[aggregate])
