"""What a comparison of training sets found, and how its files keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.storage.documents import taken_from
from cadsight_core.storage.json_text import number, with_nan
from cadsight_learning.evaluation.label_properties import LabelProperties
from cadsight_learning.metrics.bootstrap import Interval
from cadsight_learning.metrics.box_metrics import METRICS
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.results import Confusion
from cadsight_learning.normals.calibration import Calibration

DETECTOR_FIGURES = METRICS
NORMAL_FIGURES = ("mean_deg", "median_deg", "p90_deg")


@dataclass(frozen=True)
class EvaluatedLabel:
    """Whether a label of the test set was found, and how well.

    Attributes:
        iou, score: of the detection that found it; a missed label has the IoU of the best overlap, and no score.
        angle_deg: error of its predicted normal; None without a regressor, or where the label has no normal.
    """

    found: bool
    iou: float
    score: float | None
    angle_deg: float | None = None


@dataclass(frozen=True, eq=False)
class TrialResult:
    """Results on the test set of the models of one training.

    Attributes:
        figures: each of :data:`DETECTOR_FIGURES` and, with a regressor, of :data:`NORMAL_FIGURES`.
        intervals: 95 % intervals of these, images resampled.
        objects: of each label of the test set, in its order.
        calibration: None without a regressor.
        stopped: by kind of model why its training ended early; earlier versions did not record it.
    """

    seed: int
    figures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    matches: MatchTable
    confusion: Confusion
    objects: tuple[EvaluatedLabel, ...]
    calibration: Calibration | None = None
    stopped: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_normals(self) -> bool:
        return any(name in self.figures for name in NORMAL_FIGURES)

    def to_json(self) -> dict[str, Any]:
        angles = [{"angle_deg": one.angle_deg} if self.has_normals else {} for one in self.objects]
        return {
            "seed": self.seed,
            "figures": dict(self.figures),
            "intervals": {name: list(pair) for name, pair in self.intervals.items()},
            "matches": self.matches.to_json(),
            "confusion": self.confusion.to_json(),
            **({"calibration": self.calibration.to_json()} if self.calibration else {}),
            "stopped": dict(self.stopped),
            "objects": [
                {"found": one.found, "iou": one.iou, "score": one.score, **angle}
                for one, angle in zip(self.objects, angles, strict=True)
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "TrialResult":
        """What :meth:`to_json` made.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("a trial", "what `cadsight experiment` keeps"):
            return TrialResult(
                int(data["seed"]),
                with_nan(data["figures"]),
                {name: (number(low), number(high)) for name, (low, high) in data["intervals"].items()},
                MatchTable.from_json(data["matches"]),
                Confusion.from_json(data["confusion"]),
                tuple(EvaluatedLabel(**one) for one in data["objects"]),
                Calibration.from_json(data["calibration"]) if "calibration" in data else None,
                dict(data.get("stopped", {})),
            )


@dataclass(frozen=True, eq=False)
class SetResult:
    """The results of one training set.

    Attributes:
        images: number of training images.
        origins: number of images by origin, validation images among them.
        facts: those of its :class:`cadsight_experiments.training_set.TrainingSet`.
        after: name of the set from whose models its own went on, '' for none.
        mean, std: of each figure over the trials; the standard deviation (n - 1) only where there are several.
    """

    name: str
    images: int
    origins: Mapping[str, int]
    facts: Mapping[str, Any]
    after: str
    trials: tuple[TrialResult, ...]
    mean: Mapping[str, float]
    std: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pictures": self.images,
            "origins": dict(self.origins),
            "facts": dict(self.facts),
            "after": self.after,
            "trials": [trial.to_json() for trial in self.trials],
            "mean": dict(self.mean),
            "spread": dict(self.std),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "SetResult":
        """What :meth:`to_json` made, also in versions without facts and sets after others.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("a set", "what `cadsight experiment` keeps"):
            return SetResult(
                str(data["name"]),
                int(data["pictures"]),
                dict(data["origins"]),
                dict(data.get("facts", {})),
                str(data.get("after", "")),
                tuple(map(TrialResult.from_json, data["trials"])),
                with_nan(data["mean"]),
                with_nan(data["spread"]),
            )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models trained on several sets, all evaluated on one test set.

    Attributes:
        test: the test set's folder, of ``test_images``.
        seeds: number of trainings of each set.
        objects: properties of each label of the test set that counts.
        symmetry: names of the parts whose normals were evaluated up to symmetry.
    """

    test: str
    test_images: int
    seeds: int
    objects: tuple[LabelProperties, ...]
    symmetry: tuple[str, ...]
    sets: tuple[SetResult, ...]

    def named(self, name: str) -> SetResult:
        """The set of this name, which must be there."""
        return next(one for one in self.sets if one.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "test": self.test,
            "test_pictures": self.test_images,
            "seeds": self.seeds,
            "objects": [one.to_json() for one in self.objects],
            "symmetry": list(self.symmetry),
            "sets": [one.to_json() for one in self.sets],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Comparison":
        """What :meth:`to_json` made, also in versions without symmetry.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("a comparison", "what `cadsight experiment` writes"):
            return Comparison(
                str(data["test"]),
                int(data["test_pictures"]),
                int(data["seeds"]),
                tuple(map(LabelProperties.from_json, data["objects"])),
                tuple(data.get("symmetry", ())),
                tuple(map(SetResult.from_json, data["sets"])),
            )
