"""Trainings on chosen images, each kept under a name that is made of all that its result depends on."""

import dataclasses
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.storage.json_text import json_text
from cadsight_learning.data.loading import load_together
from cadsight_learning.evaluation.evaluate import in_classes_of
from cadsight_learning.options import DetectorOptions
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.similarity.compare import some

from cadsight_experiments.results import TrialResult
from cadsight_experiments.trial import Trial, Trials

# MMDetection's, which the paper evaluates with (its configs/_base_/models/faster-rcnn_r50_fpn.py).
CONFIDENCE, MAX_DETECTIONS = 0.05, 100
# Enough to see a training that fails; more cost time in every epoch.
_VALID = 8


@dataclass(frozen=True, kw_only=True)
class ChosenTrial(Trial):
    """One training of a detector on images that were chosen of a pool.

    Every label is learned from, as none is there to spare: a few of the chosen images validate as well.

    Attributes:
        names: of the chosen images, in the order of the alphabet.
        classes: of the detector.
        key: what stands for the content of all that the result depends on.
        times: how often each image comes in an epoch.
        keeps_model: whether the detector stays on the disk, for others go on from it.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    key: str
    times: int = 1
    keeps_model: bool = False

    @property
    def model(self) -> Path:
        """Folder of its detector."""
        return self.folder / "detector"

    def samples(self) -> tuple[Sequence[Sample], Sequence[Sample], tuple[str, ...]]:
        found = self.training_set.folders
        chosen = named(*load_together(found), self.names, self.classes)
        return chosen * self.times, some(chosen, _VALID), self.classes

    def kept(self) -> TrialResult | None:
        if self.keeps_model and not (self.model / WEIGHTS).is_file():
            return None
        return super().kept()

    @property
    def settings(self) -> list[Any]:
        return [self.key]


class ChosenTrials(Trials):
    """Trainings on chosen images; of a model that nobody goes on from nothing stays on the disk."""

    def __call__(self, number: int) -> None:
        super().__call__(number)
        trial = self.trials[number]
        if isinstance(trial, ChosenTrial) and not trial.keeps_model:
            shutil.rmtree(trial.model, ignore_errors=True)


def named(
    samples: Sequence[Sample], names: Sequence[str], chosen: Sequence[str], classes: Sequence[str]
) -> list[Sample]:
    """Those of ``samples``, labelled with ``names``, that are ``chosen``, in the class ids of ``classes``.

    Raises:
        CadsightError: for one that is not there, or of another class.
    """
    wanted = set(chosen)
    found = [s for s in samples if s.name in wanted]
    if len(found) < len(wanted):
        lacking = sorted(wanted - {s.name for s in found})[0]
        raise CadsightError(f"the image {lacking} is not in the pool, expected those that were chosen")
    return [dataclasses.replace(s, split="") for s in in_classes_of(found, names, classes)]


def digest(*parts: Any) -> str:
    """16 hex digits that stand for values of JSON's types."""
    return hashlib.sha256(json_text(parts, sort_keys=True).encode()).hexdigest()[:16]


def content_of(options: DetectorOptions, weights: str) -> dict[str, Any]:
    """What a training's result depends on of its options, ``weights`` standing for the weights' content."""
    return {**dataclasses.asdict(options), "weights": weights, "device": ""}
