"""What is kept of what the camera sees: what the model is unsure of, or has not seen."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter

from cadsight_active.pool.seen import Seen, Why
from cadsight_active.strategies.uncertainty import margins


@dataclass(frozen=True)
class PoolOptions:
    """What the pool keeps. Distances are those of the cosine, 0 to 2."""

    max_bytes: int = parameter(
        20_000_000_000,
        "bytes of the pool; beyond them the least informative of the new images go, of equals the oldest, and never "
        "one that is selected, labelled or audited",
        minimum=1_000_000,
        maximum=10**15,
    )
    duplicate_distance: float = parameter(
        0.02, "an image is left out that is as near as this to one that is kept", minimum=0.0, maximum=2.0
    )
    unsure: float = parameter(
        0.5,
        "an image is kept where the model is as unsure of one of its detections: 1 less how far the best class is "
        "before the second",
        minimum=0.01,
        maximum=1.0,
    )
    novel_distance: float = parameter(
        0.2, "an image is kept with an object as far as this from every one that is kept", minimum=0.01, maximum=2.0
    )
    floor: float = parameter(0.05, "score below which nothing counts as a detection", minimum=0.03, maximum=0.9)
    at_most: int = parameter(
        8, "detections of an image that are asked about, the most confident", minimum=1, maximum=100
    )
    seed: int = parameter(0, "of everything random", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)


def asked(seen: Seen, options: PoolOptions) -> Seen:
    """With the detections only that count."""
    best = seen.scores.max(axis=1, initial=0.0)
    rows = np.argsort(-best, kind="stable")[: options.at_most]
    rows = rows[best[rows] > options.floor]
    return Seen(
        seen.stamp_ns,
        seen.boxes[rows],
        seen.scores[rows],
        seen.object_features[rows],
        seen.image_features,
        seen.model,
        seen.image_model,
    )


def why_kept(scores: np.ndarray, object_distances: np.ndarray, options: PoolOptions) -> Why | None:
    """Why an image that is no duplicate is kept; None where it is not.

    Its value is how many times the uncertainty or the novelty, whichever is more, is what is asked for.

    Args:
        scores: (K, C) of its detections.
        object_distances: (K,) to the nearest known objects, infinite where none is known; (0,) without features.
    """
    uncertainty = float(margins(scores).max()) if scores.size else 0.0
    # Where nothing is known, an object is as far as one can be from what only features of one sign are made of.
    novelty = float(np.minimum(object_distances, 1.0).max(initial=0.0))
    value = max(uncertainty / options.unsure, novelty / options.novel_distance)
    if uncertainty >= options.unsure:
        reason = f"the model is unsure: {uncertainty:.3f} of 1, at least {options.unsure:g} is asked for"
    elif novelty >= options.novel_distance:
        reason = f"an object is {novelty:.3f} from every known one, at least {options.novel_distance:g} is asked for"
    else:
        return None
    return Why(reason, uncertainty, novelty, value)
