"""A weighted core set (Sener and Savarese 2018) of the objects that a model sees, as in OFDS (arXiv 2412.10032)."""

import numpy as np
from cadsight_core.geometry import Array

from cadsight_active.candidates import Candidates, Floats
from cadsight_active.clustering.distances import squared_norms, squared_to, unit
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice
from cadsight_active.strategies.uncertainty import margins

# Objects of labelled images that all others are compared with in one pass, so that memory does not grow with them.
_AT_ONCE = 256


def choose_core_set(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """One by one the image of the object that is farthest from all objects of labelled and chosen images, its distance
    times its uncertainty; images without an object come last, at random."""
    objects = unit(candidates.object_features)
    norms = squared_norms(objects)
    weights = margins(candidates.scores)
    nearest: Array = np.full(len(objects), np.inf)
    covered = np.flatnonzero(candidates.labelled[candidates.owners])
    for first in range(0, len(covered), _AT_ONCE):
        nearest = _covered(nearest, objects, norms, objects[covered[first : first + _AT_ONCE]])
    free = ~candidates.labelled
    images: list[int] = []
    reasons: list[str] = []
    values = np.full(len(candidates), np.nan)
    while len(images) < options.k:
        # Where nothing is covered yet all are equally far, and the weight alone decides.
        far = np.where(np.isinf(nearest), 1.0, np.sqrt(np.minimum(nearest, 4.0))) * weights
        far[~free[candidates.owners]] = -1.0
        if not len(far) or far.max() < 0:
            break
        best = int(far.argmax())
        image = int(candidates.owners[best])
        values[image] = far[best]
        images.append(image)
        reasons.append(f"its object {best - candidates.starts[image]} is {far[best]:.3f} away from all labelled ones")
        free[image] = False
        nearest = _covered(nearest, objects, norms, objects[candidates.rows_of(image)])
    rest = rng.permutation(np.flatnonzero(free))[: options.k - len(images)]
    reasons += ["at random, as no image with an object is left"] * len(rest)
    return Choice(np.array([*images, *rest], np.int64), values, tuple(reasons))


def _covered(nearest: Array, objects: Floats, norms: Floats, new: Floats) -> Array:
    """Squared distances (T,) to the nearest of all covered objects, ``new`` (n, E) ones among them."""
    if not len(new):
        return nearest
    far = np.concatenate([f.min(axis=1) for f in squared_to(objects, np.asarray(norms, np.float32), new)])
    return np.minimum(nearest, far)
