"""Diverse mini-batches (Zhdanov 2019; Eversberg, algorithm 2)."""

import numpy as np

from cadsight_active.candidates import Candidates
from cadsight_active.clustering.k_means import k_means, nearest_members
from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.strategy import Choice, most
from cadsight_active.strategies.uncertainty import ONE_CLASS, margin_of_images


def choose_dbal(candidates: Candidates, options: SelectionOptions, rng: np.random.Generator) -> Choice:
    """Of the most uncertain images the nearest to each centre of their weighted clusters.

    With ``over`` = ``all`` the labelled images are in the clusters too, but only images without labels are chosen.
    """
    assert candidates.image_features is not None
    values = margin_of_images(candidates, options.aggregate)
    # At least k of those without labels, so that each cluster has one.
    there = most(values, candidates.unlabelled, max(options.k, round(options.beta * options.k)))
    if options.over == "all":
        there = np.concatenate([there, np.flatnonzero(candidates.labelled)])
    there = np.sort(there)
    points = np.asarray(candidates.image_features[there], np.float32)
    clusters = k_means(points, values[there], options.k, rng)
    nearest = nearest_members(points, clusters.centres, ~candidates.labelled[there])
    images = there[nearest]
    sizes = np.bincount(clusters.labels, minlength=options.k)
    reasons = tuple(
        f"margin {values[i]:.3f}, nearest to the middle of cluster {c} of {sizes[c]}" for c, i in enumerate(images)
    )
    notes = (ONE_CLASS,) if candidates.scores.shape[1] == 1 else ()
    return Choice(images, values, reasons, np.arange(options.k), notes)
