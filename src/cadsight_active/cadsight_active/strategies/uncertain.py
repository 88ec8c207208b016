"""The images of which the model is least sure (Eversberg, algorithm 1)."""

import numpy as np

from cadsight_active.candidates import Candidates
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice, most
from cadsight_active.strategies.uncertainty import ONE_CLASS, entropy_of_images, margin_of_images


def choose_margin(candidates: Candidates, options: SelectionOptions, _: np.random.Generator) -> Choice:
    """The largest margins."""
    values = margin_of_images(candidates, options.aggregate)
    images = most(values, candidates.unlabelled, options.k)
    notes = (ONE_CLASS,) if candidates.scores.shape[1] == 1 else ()
    return Choice(images, values, tuple(f"margin {values[i]:.3f}" for i in images), notes=notes)


def choose_entropy(candidates: Candidates, options: SelectionOptions, _: np.random.Generator) -> Choice:
    """The largest entropies."""
    values = entropy_of_images(candidates, options.aggregate)
    images = most(values, candidates.unlabelled, options.k)
    return Choice(images, values, tuple(f"entropy {values[i]:.3f}" for i in images))
