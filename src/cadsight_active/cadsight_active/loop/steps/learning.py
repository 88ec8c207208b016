"""A training of the loop: from the served model's weights, on what it knew and what was labelled since."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import load_together
from cadsight_learning.detection.families import detector_options
from cadsight_learning.evaluation.evaluate import in_classes_of
from cadsight_learning.fit import fit_detector
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.store import version
from cadsight_learning.training.progress import Progress, silent

from cadsight_active.gate import GateVerdict, compare_detectors
from cadsight_active.gate_options import GateOptions
from cadsight_active.loop.history import Learned
from cadsight_active.loop.options import LoopOptions

# Labelled images that validate as well: of a few none can be spared.
_VALIDATING = 32


def learn(
    earlier: Sequence[str | Path],
    labelled: Sequence[str | Path],
    model: Path,
    out: Path,
    options: LoopOptions,
    cycle: int,
    progress: Progress = silent,
) -> Learned:
    """Train a detector that goes on from ``model``; called again after a kill it goes on where it was.

    Args:
        earlier: data sets that the first model learned from, so that it forgets nothing.
        labelled: those that the loop labelled.
        out: folder of the new model in the registry.

    Raises:
        CadsightError: when a data set cannot be read, has a class that the model lacks, or as
            :func:`cadsight_learning.fit.fit_detector`.
    """
    card = load_card(model)
    ours = in_classes(labelled, card)
    before = in_classes(earlier, card)
    if not ours:
        raise CadsightError("no image was labelled, expected some to learn from")
    # As many of each, so that few new images are not lost among many old ones.
    samples = [*before, *ours * max(1, round(len(before) / len(ours)))]
    given: dict[str, Any] = {name: card.options[name] for name in ("family", "size", "square") if name in card.options}
    detector = detector_options(
        {
            **given,
            "weights": str(model / WEIGHTS),
            "image_size": card.image_size,
            "batch": options.batch,
            "epochs": max(1, round(options.updates / -(-len(samples) // options.batch))),
            "learning_rate": options.learning_rate,
            "freeze": options.freeze,
            "seed": options.seed + cycle,
            "device": "auto",
        },
        "the loop",
    )
    fit_detector(samples, ours[-_VALIDATING:], card.classes, out, detector, progress)
    return Learned(out.name, version(out), model.name, len(before) + len(ours))


def compare(served: Path, new: Path, audits: Sequence[str | Path], options: GateOptions) -> GateVerdict:
    """What the gate says of two detectors on audited images, by folders.

    Raises:
        CadsightError: as :func:`cadsight_active.gate.compare_detectors`, and when a data set cannot be read.
    """
    if not audits:
        return GateVerdict("cannot tell", f"no image is held out, expected at least {options.least_images}", 0)
    return compare_detectors(served, new, *load_together(audits), options).verdict


def in_classes(folders: Sequence[str | Path], card: ModelCard) -> list[Sample]:
    """The images of data sets, in the class ids of a model and of no split.

    Raises:
        CadsightError: when one cannot be read, or has a class that the model lacks.
    """
    if not folders:
        return []
    samples, names = load_together(folders)
    return [replace(sample, split="") for sample in in_classes_of(samples, names, card.classes)]
