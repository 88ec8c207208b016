"""One training of a set's models and their results on the test set, kept in a folder; here or on another machine."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part
from cadsight_core.sample import Sample
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import json_with, refuse_foreign_file
from cadsight_learning.data.loading import load_together, parts_in
from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals, in_classes_of
from cadsight_learning.evaluation.label_properties import counting
from cadsight_learning.fit import fit_detector, fit_normals
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS, DetectorOptions, NormalOptions
from cadsight_learning.registry.model_folder import refuse_foreign_model
from cadsight_learning.training.progress import Progress, silent

from cadsight_experiments.results import DETECTOR_FIGURES, NORMAL_FIGURES, EvaluatedLabel, TrialResult
from cadsight_experiments.training_set import TrainingSet, chosen_samples

_FILE = "trial.json"
_is_trial = json_with("asked", "figures")


@dataclass(frozen=True)
class Trial:
    """One training of a set's models.

    Attributes:
        folder: where models and figures are kept.
        normals: how the regressor is trained; None for the detector alone.
        parts: classes whose symmetry counts for normals.
        data: fingerprints of the training images and of the test images.
        confidence, max_detections: which detections count on the test set (see
            :func:`cadsight_learning.evaluation.evaluate.evaluate_detector`).
    """

    training_set: TrainingSet
    seed: int
    folder: Path
    detector: DetectorOptions
    normals: NormalOptions | None
    parts: tuple[Part, ...]
    data: tuple[str, str]
    confidence: float = CONFIDENCE
    max_detections: int = MAX_DETECTIONS

    def __str__(self) -> str:
        return f"{self.training_set.name}, seed {self.seed}"

    def samples(self) -> tuple[Sequence[Sample], Sequence[Sample], tuple[str, ...]]:
        """Training images, validation images, and their classes.

        Raises:
            CadsightError: as :func:`cadsight_experiments.training_set.chosen_samples`.
        """
        return chosen_samples(self.training_set, self.seed)

    def kept(self) -> TrialResult | None:
        """Its result, where it has been done.

        Raises:
            CadsightError: when the folder holds results of a trial with other settings or data, or unreadable ones.
        """
        path = self.folder / _FILE
        try:
            kept = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CadsightError(f"{path} could not be read ({error}), expected a trial's figures") from error
        if not isinstance(kept, dict):
            raise CadsightError(f"{path} holds no object, expected a trial's figures")
        if kept.pop("asked", None) != self.settings:
            raise CadsightError(
                f"{self.folder} holds a trial with other settings or data, expected the same or another --out"
            )
        if "matches" not in kept:
            raise CadsightError(f"{self.folder} holds a trial of an earlier version, expected another --out")
        try:
            return TrialResult.from_json({"seed": self.seed, **kept})
        except CadsightError as error:
            raise CadsightError(f"{path}: {error}") from error

    def keep(self, result: TrialResult) -> None:
        kept = {"asked": self.settings, **result.to_json()}
        del kept["seed"]  # its folder's name
        write_atomically(self.folder / _FILE, figures_text(kept) + "\n")

    @property
    def settings(self) -> list[Any]:
        """What the results depend on, of JSON's types."""
        settings: list[Any] = [*self.data, *(o and dataclasses.asdict(o) for o in (self.detector, self.normals))]
        if self.normals and self.parts:
            settings.append({p.name: [[*s.axis, s.order] for s in p.symmetry] for p in self.parts})
        # Trials of before there was a choice have none on record.
        if (self.confidence, self.max_detections) != (CONFIDENCE, MAX_DETECTIONS):
            settings.append([self.confidence, self.max_detections])
        return settings


def refuse_foreign_trial(folder: Path) -> None:
    """Refuse a folder in which a trial would overwrite files that no trial wrote.

    Raises:
        CadsightError: naming the file.
    """
    refuse_foreign_file(folder / _FILE, _is_trial)
    for kind in ("detector", "normals"):
        refuse_foreign_model(folder / kind)


TrialProgress = Callable[[Trial, str], contextlib.AbstractContextManager[Progress]]


def unseen(trial: Trial, what: str) -> contextlib.AbstractContextManager[Progress]:
    """A progress that shows nothing."""
    return contextlib.nullcontext(silent)


@dataclass(frozen=True)
class Trials:
    """Trainings by number, each run where it is called: in another process or on another machine too.

    Attributes:
        test: the data set that models are evaluated on.
        progress: for a trial and the model's kind, a context around its training; it gives the function that each
            epoch is reported to.
        threads: threads of one training, 0 for as many as torch takes.
    """

    trials: Sequence[Trial]
    test: str
    progress: TrialProgress = unseen
    threads: int = 0

    def __call__(self, number: int) -> None:
        """Train and evaluate, unless that was done; the results are in the trial's folder.

        Raises:
            CadsightError: whatever reading, training and evaluating raise.
        """
        trial = self.trials[number]
        if trial.kept() is not None:
            return
        if self.threads:
            torch.set_num_threads(self.threads)
        train, valid, classes = trial.samples()
        samples, names = self._test_images
        tests = in_classes_of(samples, names, classes)
        with self.progress(trial, "detector") as progress:
            detector, card = fit_detector(train, valid, classes, trial.folder / "detector", trial.detector, progress)
        # What does not fit into memory is a setting that the experiment has.
        batch = min(trial.detector.batch, detector.at_once)
        asked = (trial.confidence, trial.max_detections, trial.detector.square)
        evaluated = evaluate_detector(detector, tests, *asked, batch)
        figures = dict(evaluated.scores)
        intervals = {f: evaluated.intervals[f] for f in DETECTOR_FIGURES if f in evaluated.intervals}
        objects = tuple(EvaluatedLabel(one.found, one.iou, one.score) for p in evaluated.per_image for one in p.labels)
        calibration = None
        ended = {"detector": card.stopped}
        if trial.normals is not None:
            there = parts_in(trial.parts, classes)
            with self.progress(trial, "normals") as progress:
                folder = trial.folder / "normals"
                regressor, card = fit_normals(train, valid, classes, folder, trial.normals, progress, there)
            symmetries = {p.class_id: p.symmetry for p in there}
            angles = evaluate_normals(regressor, tests, symmetries, min(trial.normals.batch, regressor.at_once))
            ended["normals"] = card.stopped
            figures |= {f: angles.figures[f] for f in NORMAL_FIGURES}
            intervals |= {f: angles.intervals[f] for f in NORMAL_FIGURES}
            objects = _with_angles(objects, tests, [crop.angle_deg for crop in angles.per_image])
            calibration = angles.calibration
        early = {kind: why for kind, why in ended.items() if why}
        trial.keep(
            TrialResult(
                trial.seed, figures, intervals, evaluated.matches, evaluated.confusion, objects, calibration, early
            )
        )

    @cached_property
    def _test_images(self) -> tuple[Sequence[Sample], tuple[str, ...]]:
        return load_together([self.test])


def stopped(why: str) -> str:
    """The sentence on a training that ended before its schedule."""
    return f"training stopped early, as {why}; the best epoch until then was kept"


def _with_angles(
    objects: Sequence[EvaluatedLabel], samples: Sequence[Sample], angles: Sequence[float]
) -> tuple[EvaluatedLabel, ...]:
    """``objects``, one for each label that counts, with the ``angles``, one for each label that has a normal."""
    left = iter(angles)
    by_label = {id(i): next(left) if i.normal is not None else None for s in samples for i in s.instances}
    labels = [i for s in samples for i in counting(s)]
    return tuple(dataclasses.replace(o, angle_deg=by_label[id(i)]) for o, i in zip(objects, labels, strict=True))
