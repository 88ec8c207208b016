"""From labelled samples to a model in the registry."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cadsight_core.datasets.derived import end_to_end
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part
from cadsight_core.sample import Sample

from cadsight_learning.data.on_demand import training_bytes
from cadsight_learning.data.validation_images import of_detector, of_regressor
from cadsight_learning.detection.detector import TorchDetector
from cadsight_learning.detection.factory import new_detector, task_of
from cadsight_learning.detection.families import family_for
from cadsight_learning.normals.cad_views import drawn_views
from cadsight_learning.normals.crops import View, views_on_demand
from cadsight_learning.normals.task import NormalTask
from cadsight_learning.normals.torch_regressor import NormalRegressor, new_regressor, residual_covariance
from cadsight_learning.normals.von_mises_fisher import temperature
from cadsight_learning.options import DetectorOptions, NormalOptions
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.model_folder import refuse_foreign_model
from cadsight_learning.registry.provenance import LearnedFrom
from cadsight_learning.registry.store import code_version, fingerprint, now, save_model
from cadsight_learning.runtime.devices import device_of, out_of_memory_explained
from cadsight_learning.training.curves import curve_files
from cadsight_learning.training.progress import Progress, StepProgress, silent
from cadsight_learning.training.trainer import Outcome, Schedule, forget, train


def fit_detector(
    train_samples: Sequence[Sample],
    valid_samples: Sequence[Sample],
    classes: Sequence[str],
    folder: str | Path,
    options: DetectorOptions,
    progress: Progress = silent,
    steps: StepProgress = silent,
) -> tuple[TorchDetector, ModelCard]:
    """Train a detector, keep the epoch that is best on ``valid_samples`` and save it in ``folder``.

    Called again after a kill with the same arguments it goes on after the last whole epoch.

    Raises:
        CadsightError: for a folder with files of others under a model's names, an empty set, one without labels, a
            label outside the classes or without the mask that the family learns, an unreadable image, weights that
            cannot be had, a device without memory left, or what
            :func:`cadsight_learning.training.trainer.train` raises.
    """
    refuse_foreign_model(folder)
    check_samples(train_samples, "train", classes)
    check_samples(valid_samples, "valid", classes)
    if not any(s.instances for s in train_samples):
        raise CadsightError(f"none of the {len(train_samples)} images to train on has a label, expected some")
    data = described({"train": train_samples, "valid": valid_samples})
    learned_from = LearnedFrom.of(train_samples, valid_samples, options.weights)
    # The identity of a training does not depend on where it runs: begun on one device it may go on on another.
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name != "device"}
    settings |= family_for(options).retired  # so that a training of an older version is gone on with
    schedule = Schedule(
        epochs=options.epochs,
        seconds=options.seconds,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        patience=options.patience,
        seed=options.seed,
        identity=identity_of(data, settings, list(classes)),
        optimizer=options.optimizer,
    )
    with out_of_memory_explained(f"batch {options.batch}, image_size {options.image_size}"):
        detector, started_from = new_detector(classes, options)
        task = task_of(detector, train_samples, valid_samples, options)
        outcome = train(task, schedule, folder, progress, steps)
    detector.load(outcome.state)
    card = filled(
        ModelCard("detector", detector.architecture, tuple(classes), options.image_size, started_from, data),
        dataclasses.asdict(options),
        outcome,
    )
    images = of_detector(valid_samples, options.image_size)
    save_model(folder, card, outcome.state, learned_from, images, curve_files(outcome.curves))
    forget(folder)
    return detector, card


def fit_normals(
    train_samples: Sequence[Sample],
    valid_samples: Sequence[Sample],
    classes: Sequence[str],
    folder: str | Path,
    options: NormalOptions,
    progress: Progress = silent,
    parts: Sequence[Part] = (),
    steps: StepProgress = silent,
) -> tuple[NormalRegressor, ModelCard]:
    """Train a regressor of normals on every labelled normal, keep the best epoch and save it in ``folder``.

    The symmetry of ``parts`` counts in training and validation: of the normals that look the same the nearest is the
    true one. With ``options.drawn`` it also learns from that many views drawn of the CAD of each part; validation
    never does. Class ids of ``parts`` are indices in ``classes``.

    Kept of the residuals on ``valid_samples`` are their covariance, and where the network gives a concentration the
    temperature of that. Goes on after a kill as :func:`fit_detector`.

    Raises:
        CadsightError: for a folder with files of others under a model's names, an empty set, one without normals, an
            unreadable image, drawn views without a part, weights or a device that cannot be had, a device without
            memory left, or what :func:`cadsight_learning.training.trainer.train` raises.
    """
    refuse_foreign_model(folder)
    check_samples(train_samples, "train", classes)
    check_samples(valid_samples, "valid", classes)
    data = described({"train": train_samples, "valid": valid_samples})
    learned_from = LearnedFrom.of(train_samples, valid_samples, options.weights)
    if options.drawn and not parts:
        raise CadsightError(f"{options.drawn} views are to be drawn of no part, expected a part with its CAD file")
    symmetries = {part.class_id: part.symmetry for part in parts if part.symmetry}
    if symmetries:
        data["symmetry"] = {classes[i]: [dataclasses.asdict(s) for s in found] for i, found in symmetries.items()}
    if options.drawn:
        data["drawn"] = {"views": options.drawn, "parts": [part.name for part in parts]}
    # As for detectors: begun on one device it may go on on another.
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name != "device"}
    schedule = Schedule(
        epochs=options.epochs,
        seconds=options.seconds,
        learning_rate=options.learning_rate,
        weight_decay=1e-2,
        patience=options.patience,
        seed=options.seed,
        identity=identity_of(data, settings, list(classes)),
    )
    with out_of_memory_explained(f"batch {options.batch}, image_size {options.image_size}"):
        regressor, started_from = new_regressor(options)
        regressor.module.to(device_of(options.device))
        # Drawn and changed at the size that the network sees: a quarter of the work at half of the side.
        keep = training_bytes()
        taken = views_on_demand(train_samples, options.image_size, symmetries, keep)
        drawn: list[View] = []
        for part in parts if options.drawn else ():
            drawn += drawn_views(part, train_samples, options.drawn, options.image_size, options.seed)
        evaluated = views_on_demand(valid_samples, symmetries=symmetries, keep=keep // 4)
        task = NormalTask(regressor.module, end_to_end(taken, drawn), evaluated, options)
        outcome = train(task, schedule, folder, progress, steps)
        regressor.load(outcome.state)
        found = task.answers(regressor.module)
    regressor.covariance = residual_covariance(found.normals, found.true)
    extra: dict[str, object] = {"covariance": regressor.covariance.tolist()}
    if found.concentrations is not None:
        regressor.temperature = extra["temperature"] = temperature(found.angles_deg, found.concentrations)
    card = filled(
        ModelCard(
            "normals",
            options.architecture,
            tuple(classes),
            options.image_size,
            started_from,
            data,
            extra=extra,
        ),
        dataclasses.asdict(options),
        outcome,
    )
    images = of_regressor(evaluated, options.image_size)
    save_model(folder, card, outcome.state, learned_from, images, curve_files(outcome.curves))
    forget(folder)
    return regressor, card


def check_samples(samples: Sequence[Sample], what: str, classes: Sequence[str]) -> None:
    """Refuse an empty set, and labels of classes that are not there.

    Raises:
        CadsightError: naming the set or the sample.
    """
    if not samples:
        raise CadsightError(f"the {what} set is empty, expected at least one labelled image")
    for sample in samples:
        wrong = next((i.class_id for i in sample.instances if not 0 <= i.class_id < len(classes)), None)
        if wrong is not None:
            raise CadsightError(f"{sample.name} has the class id {wrong}, expected 0 to {len(classes) - 1}")


def described(splits: dict[str, Sequence[Sample]]) -> dict[str, dict[str, object]]:
    """Number of images, labels and fingerprint of each split."""
    return {
        name: {
            "pictures": len(samples),
            "labels": sum(len(s.instances) for s in samples),
            "fingerprint": fingerprint(samples),
        }
        for name, samples in splits.items()
    }


def identity_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str, allow_nan=True).encode()).hexdigest()


def filled(card: ModelCard, options: dict[str, object], outcome: Outcome) -> ModelCard:
    """The card with what came out of training."""
    best = next(c for c in outcome.curves if c["epoch"] == outcome.best_epoch)
    figures = {k.removeprefix("valid/"): v for k, v in best.items() if k.startswith("valid/")}
    return dataclasses.replace(
        card,
        options=options,
        figures=figures,
        epochs=outcome.epochs,
        best_epoch=outcome.best_epoch,
        seconds=round(outcome.seconds, 1),
        stopped=outcome.stopped,
        code=code_version(),
        created=now(),
        extra=card.extra | ({"computed": outcome.computed} if outcome.computed else {}),
    )
