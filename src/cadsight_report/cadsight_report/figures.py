"""The figures of a run, as report.json keeps them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.folders.live_report import LiveFigures, ReplayVerdict
from cadsight_core.storage.folders.run_folder import FORMAT
from cadsight_learning.evaluation.normal_metrics import NormalMetrics
from cadsight_learning.metrics.results import DetectionMetrics

from cadsight_report.sections import SECTIONS

Against = Literal["truth", "labels"]
Relation = Literal["at least", "at most", "is"]
_TRUTH = ("iou_colour_vs_truth", "iou_kinematic_vs_truth", "normal_error_deg")


@dataclass(frozen=True, kw_only=True)
class SessionFigures:
    """The labels of one session.

    Attributes:
        iou_colour_vs_kinematic, mask_iou_colour_vs_kinematic: means of the agreement of both labels, of the boxes also
            before the hand-eye correction; None where there are none.
        hand_eye: the correction, as in labels.json.
        iou_colour_vs_truth, iou_kinematic_vs_truth, normal_error_deg: means over the kept labels; None where there is
            no truth, or no such label.
        wrong_kept: kept labels that a user would call wrong; None where there is no truth.
    """

    images: int
    accepted: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    iou_colour_vs_kinematic: float | None = None
    mask_iou_colour_vs_kinematic: float | None = None
    iou_colour_vs_kinematic_before_correction: float | None = None
    hand_eye: Mapping[str, Any]
    seconds: float
    iou_colour_vs_truth: float | None = None
    iou_kinematic_vs_truth: float | None = None
    normal_error_deg: float | None = None
    wrong_kept: int | None = None

    @property
    def has_truth(self) -> bool:
        return self.wrong_kept is not None

    def to_json(self) -> dict[str, Any]:
        left_out = () if self.has_truth else (*_TRUTH, "wrong_kept")
        return {name: value for name, value in asdict(self).items() if name not in left_out}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "SessionFigures":
        return SessionFigures(**data)


@dataclass(frozen=True, kw_only=True)
class LabelFigures:
    """The labels of all sessions; means against the truth are those of the test session."""

    images: int
    accepted: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    wrong_kept: int | None
    sessions: Mapping[str, SessionFigures]

    @property
    def _test(self) -> SessionFigures | None:
        return self.sessions.get("test")

    @property
    def iou_colour_vs_truth(self) -> float | None:
        return self._test.iou_colour_vs_truth if self._test else None

    @property
    def iou_kinematic_vs_truth(self) -> float | None:
        return self._test.iou_kinematic_vs_truth if self._test else None

    @property
    def normal_error_deg(self) -> float | None:
        return self._test.normal_error_deg if self._test else None

    def to_json(self) -> dict[str, Any]:
        counts = {"images": self.images, "accepted": self.accepted, "rejected": self.rejected}
        wrong = {} if self.wrong_kept is None else {"wrong_kept": self.wrong_kept}
        of_test = {name: getattr(self, name) for name in _TRUTH} if self._test and self._test.has_truth else {}
        sessions = {split: one.to_json() for split, one in self.sessions.items()}
        return {**counts, "rejected_by_reason": dict(self.rejected_by_reason), **wrong, **of_test, "sessions": sessions}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LabelFigures":
        return LabelFigures(
            images=data["images"],
            accepted=data["accepted"],
            rejected=data["rejected"],
            rejected_by_reason=data["rejected_by_reason"],
            wrong_kept=data.get("wrong_kept"),
            sessions={split: SessionFigures.from_json(one) for split, one in data["sessions"].items()},
        )


@dataclass(frozen=True)
class DetectorFigures:
    """The detector on the test session's images, evaluated against the truth or the kept labels."""

    metrics: DetectionMetrics
    against: Against

    def to_json(self) -> dict[str, Any]:
        found = self.metrics.to_json()
        return {"images": found.pop("pictures"), **found, "against": self.against}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "DetectorFigures":
        return DetectorFigures(DetectionMetrics.from_json({**data, "pictures": data["images"]}), data["against"])


@dataclass(frozen=True)
class NormalFigures:
    """The regressor on the test session's crops.

    Attributes:
        metrics: without those of each crop where they come from a file.
        constant_deg: mean error of always answering the mean normal of the training labels; None where there are none.
    """

    metrics: NormalMetrics
    against: Against
    constant_deg: float | None = None

    def to_json(self) -> dict[str, Any]:
        found = self.metrics.to_json()
        del found["per_image"]
        constant = {} if self.constant_deg is None else {"constant_deg": self.constant_deg}
        return {"images": found.pop("crops"), **found, **constant, "against": self.against}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "NormalFigures":
        metrics = NormalMetrics.from_json({**data, "crops": data["images"], "per_image": []})
        return NormalFigures(metrics, data["against"], data.get("constant_deg"))


@dataclass(frozen=True)
class InferenceFigures:
    """Live inference.

    Attributes:
        detected: frames in which something was found; None in reports of earlier versions.
        unknown_stamps: results of no frame that the camera took; None where there is no truth, as the angles.
        normal_mean_deg, normal_median_deg: of the best normal of each frame to the truth; None where there was none.
    """

    figures: LiveFigures
    detected: int | None = None
    unknown_stamps: int | None = None
    normal_mean_deg: float | None = None
    normal_median_deg: float | None = None

    def to_json(self) -> dict[str, Any]:
        own = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return {**self.figures.to_json(), **{name: value for name, value in own.items() if value is not None}}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "InferenceFigures":
        own = (data.get(f.name) for f in fields(InferenceFigures)[1:])
        return InferenceFigures(LiveFigures.from_json(data), *own)


@dataclass(frozen=True)
class ReplayFigures:
    """The replay of the live run's bag; the verdict is None where it was compared with nothing."""

    figures: LiveFigures
    verdict: ReplayVerdict | None

    @property
    def equal(self) -> bool | None:
        return self.verdict.equal if self.verdict else None

    def to_json(self) -> dict[str, Any]:
        verdict = self.verdict.to_json() if self.verdict else {"differences": []}
        differences = verdict.pop("differences")
        return {**verdict, **self.figures.to_json(), "differences": differences}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "ReplayFigures":
        verdict = ReplayVerdict.from_json(data) if "equal" in data else None
        return ReplayFigures(LiveFigures.from_json(data), verdict)


@dataclass(frozen=True)
class Verdict:
    """A target beside what was measured.

    Attributes:
        key: where the figure stands in report.json; ``of`` is that of a count without which it means nothing, or ''.
        what: the figure in words.
        value, met: None where nothing was measured.
    """

    key: str
    what: str
    relation: Relation
    limit: float | bool
    unit: str
    of: str
    value: float | bool | None
    met: bool | None


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """A run.

    Attributes:
        made: when the report was, as ISO 8601 has it.
        part: the classes of its sets; None where there is no set.
        truth: whether there is truth beside it.
        seconds: of each finished step.
        sections: of each of :data:`cadsight_report.sections.SECTIONS` that found something, what it keeps.
        detector_on_labels: where ``detector`` is evaluated against the truth, the same against the kept labels.
        missing: what the report lacks, a sentence each.
    """

    run: str
    made: str
    part: str | None
    truth: bool
    live: InferenceFigures | None = None
    replay: ReplayFigures | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    labels: LabelFigures | None = None
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    detector: DetectorFigures | None = None
    detector_on_labels: DetectorFigures | None = None
    normals: NormalFigures | None = None
    targets: tuple[Verdict, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def seconds_total(self) -> float | None:
        return sum(self.seconds.values()) if self.seconds else None

    def to_json(self) -> dict[str, Any]:
        """What report.json holds; figures may be no number."""
        return {
            "format": FORMAT,
            "run": self.run,
            "made": self.made,
            "part": self.part,
            "truth": self.truth,
            "live": self.live and self.live.to_json(),
            "replay": self.replay and self.replay.to_json(),
            "seconds": dict(self.seconds),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "labels": self.labels and self.labels.to_json(),
            **{name: self.sections.get(name) for name in SECTIONS},
            "detector": self.detector and self.detector.to_json(),
            "detector_on_labels": self.detector_on_labels and self.detector_on_labels.to_json(),
            "normals": self.normals and self.normals.to_json(),
            "seconds_total": self.seconds_total,
            "targets": [asdict(verdict) for verdict in self.targets],
            "missing": list(self.missing),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "RunFigures":
        """What :meth:`to_json` made, nulls in place of what is no number."""

        def section(kind: Any, name: str) -> Any:
            return None if data.get(name) is None else kind.from_json(data[name])

        return RunFigures(
            run=data["run"],
            made=data["made"],
            part=data["part"],
            truth=data["truth"],
            live=section(InferenceFigures, "live"),
            replay=section(ReplayFigures, "replay"),
            seconds=data["seconds"],
            settings=data["settings"],
            versions=data["versions"],
            labels=section(LabelFigures, "labels"),
            sections={name: data[name] for name in SECTIONS if data.get(name) is not None},
            detector=section(DetectorFigures, "detector"),
            detector_on_labels=section(DetectorFigures, "detector_on_labels"),
            normals=section(NormalFigures, "normals"),
            targets=tuple(Verdict(**{"of": "", **one}) for one in data["targets"]),
            missing=tuple(data["missing"]),
        )


def read_figures(path: str | Path) -> RunFigures:
    """What a report.json holds.

    Raises:
        CadsightError: when it cannot be read or is another file.
    """
    data = read_document(path, FORMAT, "report")
    with taken_from(f"the report {path}", "what `cadsight report` writes"):
        return RunFigures.from_json(data)
