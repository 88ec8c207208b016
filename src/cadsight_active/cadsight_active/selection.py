"""Choosing a batch among candidates, the same one for the same seed."""

from dataclasses import replace

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from scipy.stats import spearmanr

from cadsight_active.candidates import LOWEST_FLOOR, Candidates
from cadsight_active.clustering.distances import unit
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_active.strategies.strategy import Choice, Strategy

# The order of the images at these floors is compared with that at the one that is taken.
FLOORS = (0.03, 0.05, 0.1)


def select(candidates: Candidates, options: SelectionOptions) -> Choice:
    """The choice of ``options.strategy`` among ``candidates``, whose numbers are all finite.

    Raises:
        CadsightError: for an unknown strategy, no image to choose from, fewer than are asked for, and a model without
            the features that the strategy needs.
    """
    strategy = STRATEGIES.named(options.strategy)
    refuse_too_few(len(candidates.unlabelled), options)
    _refuse_lacking(strategy, candidates)
    seen = candidates.above(options.floor, options.at_most)
    choice = strategy.choose(seen, options, np.random.default_rng(options.seed))
    taken = choice.images
    if len(set(taken.tolist())) != options.k or candidates.labelled[taken].any():
        raise CadsightError(
            f"the strategy {strategy.name} chose {len(set(taken.tolist()))} images, some labelled, expected "
            f"{options.k} different ones without labels"
        )
    return choice


def refuse_too_few(count: int, options: SelectionOptions) -> None:
    """Refuse to choose among ``count`` images without a label when these are too few.

    Raises:
        CadsightError: naming both numbers.
    """
    if not count:
        raise CadsightError("the pool has no image without a label, expected some to choose from")
    if options.k > count:
        raise CadsightError(f"{options.k} images are to be chosen and the pool has {count}, expected at most so many")


def floor_correlations(candidates: Candidates, options: SelectionOptions, choice: Choice) -> dict[str, float]:
    """How the strategy's values of all unlabelled images at each of :data:`FLOORS` go with those of its ``choice`` by
    ``options`` (Spearman's rank correlation); empty where it gives not every image a value, or all the same."""
    values = _ranking(candidates, choice)
    if values is None:
        return {}
    found = {}
    for floor in FLOORS:
        other: Array | None = values
        if floor != options.floor:
            lower_or_higher = replace(options, floor=max(floor, LOWEST_FLOOR))
            other = _ranking(candidates, select(candidates, lower_or_higher))
        if other is not None:
            found[f"{floor:g}"] = float(spearmanr(values, other).statistic)
    return found


def nearest_labelled(candidates: Candidates, images: NDArray[np.int64]) -> tuple[Array, Array] | None:
    """Of each of ``images`` (K,) the number of the labelled image that is most alike, and the cosine distance of their
    features; None where nothing is labelled or there are no features."""
    features = candidates.image_features if candidates.image_features is not None else candidates.common_features
    labelled = np.flatnonzero(candidates.labelled)
    if features is None or not len(labelled):
        return None
    similar = unit(features[images]) @ unit(features[labelled]).T
    best = similar.argmax(axis=1)
    return labelled[best], 1 - similar[np.arange(len(best)), best]


def _ranking(candidates: Candidates, choice: Choice) -> Array | None:
    values = choice.values[candidates.unlabelled]
    return None if np.isnan(values).any() or np.ptp(values) == 0 else values


def _refuse_lacking(strategy: Strategy, candidates: Candidates) -> None:
    for need, there in (
        ("image_features", candidates.image_features is not None),
        ("object_features", candidates.object_features.shape[1] > 0 or not len(candidates.object_features)),
        ("common_features", candidates.common_features is not None),
    ):
        if need in strategy.needs and not there:
            raise CadsightError(
                f"the strategy {strategy.name} needs {need.replace('_', ' ')} and the model gives none, expected a "
                "detector that torch runs, or a strategy such as margin"
            )
