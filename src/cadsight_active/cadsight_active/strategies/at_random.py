"""The baseline of every comparison, and the cheapest use of a model."""

import numpy as np

from cadsight_active.candidates import Candidates
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice, most
from cadsight_active.strategies.uncertainty import margin_of_images


def choose_random(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """Every image alike."""
    images = rng.permutation(candidates.unlabelled)[: options.k]
    return Choice(images, np.full(len(candidates), np.nan), ("at random",) * options.k)


def choose_random_margin(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """The largest margins among a random part, so that not every image needs to be inferred."""
    unlabelled = candidates.unlabelled
    some = rng.permutation(unlabelled)[: max(options.k, round(options.among * len(unlabelled)))]
    values = margin_of_images(candidates, options.aggregate)
    images = most(values, np.sort(some), options.k)
    return Choice(images, values, tuple(f"margin {values[i]:.3f}, among {len(some)} at random" for i in images))
