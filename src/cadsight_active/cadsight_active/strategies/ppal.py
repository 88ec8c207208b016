"""Plug and play active learning (Yang et al., CVPR 2024): uncertainty by the difficulty of classes, then diversity.

The class difficulties are those of the labelled images after training (see :mod:`cadsight_active.difficulty`), not a
running mean within training, so that any detector can be asked.
"""

import math

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_active.candidates import Candidates
from cadsight_active.clustering.distances import unit
from cadsight_active.clustering.k_medoids import k_medoids
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice, most
from cadsight_active.strategies.uncertainty import AGGREGATES, entropies

# The paper's numbers: how fast the weight of a class grows with its difficulty, and by how much at most.
_ALPHA, _AT_MOST = 0.3, 0.2
# As far as two objects of different classes are apart, of which cosine distances are at most 2.
_OTHER_CLASS = 2.0


def class_weights(difficulties: Array) -> Array:
    """(C,) factors on the uncertainty of each class's detections (Yang et al., equation 4)."""
    slope = math.exp(1 / _ALPHA) - 1
    return 1 + _ALPHA * _AT_MOST * np.log1p(slope * difficulties)


def choose_ppal(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """The middles of ``k`` groups of the most uncertain images, alike by the objects of the same class in them."""
    weights: Array = np.ones(candidates.scores.shape[1])
    notes: tuple[str, ...] = ("no labelled image tells how difficult classes are, so that all count the same",)
    if candidates.difficulties is not None:
        weights, notes = class_weights(candidates.difficulties), ()
    uncertain = entropies(candidates.scores) * weights[_classes(candidates)]
    values = candidates.per_image(uncertain, AGGREGATES["sum"])
    there = np.sort(most(values, candidates.unlabelled, max(options.k, round(options.delta * options.k))))
    groups = k_medoids(image_distances(candidates.taken(there)), options.k, rng)
    images = there[groups]
    reasons = tuple(f"entropy by difficulty {values[i]:.3f}, the middle of a group of images alike" for i in images)
    return Choice(images, values, reasons, np.arange(options.k), notes)


def image_distances(candidates: Candidates) -> Array:
    """(N, N) how unlike the images are: over the objects of one, weighted by their scores, the cosine distance to
    the most alike object of the same class in the other, both ways (Yang et al., equations 6 and 7).

    An image without objects is as unlike all others as can be.
    """
    classes = _classes(candidates)
    objects = unit(candidates.object_features)
    best = candidates.scores.max(axis=1, initial=0.0)
    rows = [candidates.rows_of(i) for i in range(len(candidates))]
    found = np.zeros((len(rows), len(rows)))
    for a, one in enumerate(rows):
        for b, other in enumerate(rows):
            if a == b:
                continue
            if one.start == one.stop or other.start == other.stop:
                found[a, b] = _OTHER_CLASS
                continue
            far = 1 - objects[one] @ objects[other].T
            far[classes[one][:, None] != classes[other][None]] = _OTHER_CLASS
            found[a, b] = np.average(far.min(axis=1), weights=best[one])
    return (found + found.T) / 2


def _classes(candidates: Candidates) -> NDArray[np.int64]:
    """(T,) of the highest score of each detection."""
    return candidates.scores.argmax(axis=1) if len(candidates.scores) else np.zeros(0, np.int64)
