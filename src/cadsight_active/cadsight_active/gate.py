"""Whether a new model is served: only if it is surely better on images that no training saw."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.sample import Sample
from cadsight_learning.metrics.bootstrap import resampled
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.provenance import refuse_learned

from cadsight_active.gate_options import GateOptions

Answer = Literal["accept", "keep", "cannot tell"]
_USUAL = GateOptions()


@dataclass(frozen=True)
class Difference:
    """How much better the new model is, by mAP50:95.

    Attributes:
        value: on the held-out images.
        low: one-sided lower bound.
    """

    value: float
    low: float


@dataclass(frozen=True)
class GateVerdict:
    """What a gate answers.

    Attributes:
        answer: ``accept`` serves the new model; the others keep the one before.
        reason: a sentence.
        images: how many were held out.
        overall: None where nothing can be said.
        classes: of each class that has labels, by its name.
    """

    answer: Answer
    reason: str
    images: int
    overall: Difference | None = None
    classes: tuple[tuple[str, Difference], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "overall": self.overall and asdict(self.overall),
            "classes": {name: asdict(one) for name, one in self.classes},
        }


def gate(served: MatchTable, new: MatchTable, names: Sequence[str], options: GateOptions = _USUAL) -> GateVerdict:
    """Compare two models that were matched with the labels of the same held-out images.

    A paired bootstrap: each resample of the images, the same for both models, gives a difference of mAP50:95. The new
    model is accepted where the quantile ``alpha / gates`` of the differences is above 0, and of each class the quantile
    ``alpha`` is not below ``-tolerated``.

    Raises:
        CadsightError: when the tables are of other images or labels.
    """
    if not np.array_equal(served.labels, new.labels):
        raise CadsightError("the two models were evaluated on other images or labels, expected the same for both")
    counts = served.labels.sum(axis=0)
    few = [f"{name} with {n}" for name, n in zip(names, counts, strict=True) if 0 < n < options.least_labels]
    if served.images < options.least_images:
        why = f"{served.images} images are held out, expected at least {options.least_images}"
        return GateVerdict("cannot tell", why, served.images)
    if few or not counts.any():
        which = ", ".join(few) or "none"
        why = f"too few labels are held out ({which}), expected at least {options.least_labels} a class"
        return GateVerdict("cannot tell", why, served.images)
    weights = np.vstack([np.ones((1, served.images), int), resampled(served.images, options.resamples, options.seed)])
    by_class = _per_class(new, weights) - _per_class(served, weights)
    overall = _difference(np.nanmean(by_class, axis=1), options.alpha / options.gates)
    there = np.flatnonzero(counts)
    classes = tuple((names[c], _difference(by_class[:, c], options.alpha)) for c in there)
    worse = [f"{name} (at worst {one.low:+.3f})" for name, one in classes if one.low < -options.tolerated]
    if overall.low <= 0:
        why = f"mAP50:95 changes by {overall.value:+.3f}, at worst {overall.low:+.3f}, expected surely more than 0"
        return GateVerdict("keep", why, served.images, overall, classes)
    if worse:
        why = f"{', '.join(worse)} may be worse, expected no class worse by more than {options.tolerated:g}"
        return GateVerdict("keep", why, served.images, overall, classes)
    why = f"mAP50:95 rises by {overall.value:.3f}, at least {overall.low:.3f}"
    return GateVerdict("accept", why, served.images, overall, classes)


@dataclass(frozen=True)
class Compared:
    """What a gate says of two models.

    Attributes:
        notes: what is to be known of the comparison.
    """

    verdict: GateVerdict
    notes: tuple[str, ...]


def compare_detectors(
    served: Path,
    new: Path,
    samples: Sequence[Sample],
    names: Sequence[str],
    options: GateOptions = _USUAL,
    device: str = "auto",
) -> Compared:
    """Have both detectors find what is labelled in ``samples``, and let the gate decide.

    Args:
        served, new: folders of the models.
        names: the classes of the samples.

    Raises:
        CadsightError: for a model that is no detector, two that know other classes, a labelled class that they lack, an
            image that one of them learned from, and what cannot be read.
    """
    # They bring torch, which a caller that has the tables does without.
    from cadsight_learning.evaluation.evaluate import evaluate_detector, in_classes_of
    from cadsight_learning.models import load_detector

    cards = [load_card(folder) for folder in (served, new)]
    for folder, card in zip((served, new), cards, strict=True):
        if card.kind != "detector":
            raise CadsightError(f"{folder} is a model of {card.kind}, expected a detector")
    classes = cards[0].classes
    if set(cards[1].classes) != set(classes):
        raise CadsightError(
            f"the models know the classes {', '.join(classes)} and {', '.join(cards[1].classes)}, expected the same"
        )
    tables, notes = [], []
    for folder, card in zip((served, new), cards, strict=True):
        tests = in_classes_of(samples, names, card.classes)
        notes += refuse_learned(folder, tests)
        tables.append(evaluate_detector(load_detector(folder, device=device), tests).matches)
    # In the order of the model before, whatever the order of the other.
    tables[1] = tables[1].in_order([cards[1].classes.index(name) for name in classes])
    return Compared(gate(tables[0], tables[1], classes, options), tuple(notes))


def _per_class(table: MatchTable, weights: np.ndarray) -> Array:
    """(B, C) average precision over all thresholds of IoU; NaN where a resample has no label of a class."""
    return table.average_precisions(weights).mean(axis=2)


def _difference(values: Array, alpha: float) -> Difference:
    """Of the images themselves, which come first, and of their resamples."""
    known = values[1:][np.isfinite(values[1:])]
    return Difference(float(values[0]), float(np.quantile(known, alpha)))
