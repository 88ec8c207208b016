"""How good the automatic labels are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cadsight_core.box import Box
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import angle_between
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.run_folder import SPLITS, RunFolder, read_json
from cadsight_core.storage.folders.session_folder import SessionFolder

from cadsight_report.figures import LabelFigures, SessionFigures
from cadsight_report.truth import TrueFrame, Truth

WRONG_BELOW_IOU = 0.9
WRONG_ABOVE_DEG = 2.0


@dataclass(frozen=True)
class LabelError:
    """How far the labels of one image are from the truth.

    Attributes:
        colour_iou, kinematic_iou: of the boxes, before squaring; None where there is no such label.
        normal_deg: of the kept label; None where the image was rejected.
    """

    name: str
    kept: bool
    colour_iou: float | None
    kinematic_iou: float | None
    normal_deg: float | None

    @property
    def wrong(self) -> bool:
        """A kept label that a user would call wrong."""
        if not self.kept:
            return False
        iou, angle = self.kinematic_iou or 0.0, self.normal_deg
        return iou < WRONG_BELOW_IOU or (angle is not None and angle > WRONG_ABOVE_DEG)


def label_error(sample: Sample, frame: TrueFrame) -> LabelError:
    """Compare the labels of an image with the truth."""
    kept = bool(sample.instances)
    normal = sample.instances[0].normal if kept else None
    return LabelError(
        name=sample.name,
        kept=kept,
        colour_iou=_iou(sample.record.get("colour_box"), frame.box),
        kinematic_iou=_iou(sample.record.get("kinematic_box"), frame.box),
        normal_deg=None if normal is None else float(angle_between(normal, frame.normal)),
    )


def session_errors(session: SessionFolder, truth: Truth) -> list[LabelError]:
    """The errors of every image of a session that was labelled or rejected."""
    errors = []
    for folder in (session.labelled, session.rejected):
        if folder.is_dir():
            samples = Dataset.open(folder).samples()
            compared = with_progress(samples, len(samples), f"labels of {session.folder.name}")
            errors += [label_error(s, truth.at(int(s.record["stamp_ns"]))) for s in compared]
    return errors


def session_figures(session: SessionFolder, errors: Iterable[LabelError] | None) -> SessionFigures | None:
    """The figures of one session, or None where it was not labelled.

    Args:
        errors: of its images against the truth; None where there is none.
    """
    report = read_json(session.labels)
    if report is None:
        return None
    statistics = report.get("statistics", {})
    figures = SessionFigures(
        images=report["images"],
        accepted=report["accepted"],
        rejected=report["images"] - report["accepted"],
        rejected_by_reason=dict(report["reasons"])
        | ({"unreadable": len(report["unreadable"])} if report["unreadable"] else {}),
        iou_colour_vs_kinematic=statistics.get("box_iou", {}).get("mean"),
        mask_iou_colour_vs_kinematic=statistics.get("mask_iou", {}).get("mean"),
        iou_colour_vs_kinematic_before_correction=statistics.get("box_iou_before_correction", {}).get("mean"),
        hand_eye={k: v for k, v in report["correction"].items() if k != "nominal_from_corrected"},
        seconds=report["seconds"],
    )
    if errors is None:
        return figures
    kept = [e for e in errors if e.kept]
    return replace(
        figures,
        iou_colour_vs_truth=_mean(e.colour_iou for e in kept),
        iou_kinematic_vs_truth=_mean(e.kinematic_iou for e in kept),
        normal_error_deg=_mean(e.normal_deg for e in kept),
        wrong_kept=sum(e.wrong for e in kept),
    )


def label_figures(run: RunFolder, errors: Mapping[str, list[LabelError]]) -> LabelFigures | None:
    """Figures of all sessions, None where nothing was labelled.

    Args:
        errors: by session; one that is missing has no truth.
    """
    sessions = {split: session_figures(run.session(split), errors.get(split)) for split in SPLITS}
    known = {split: figures for split, figures in sessions.items() if figures is not None}
    if not known:
        return None
    reasons: Counter[str] = Counter()
    for figures in known.values():
        reasons.update(figures.rejected_by_reason)
    return LabelFigures(
        images=sum(figures.images for figures in known.values()),
        accepted=sum(figures.accepted for figures in known.values()),
        rejected=sum(figures.rejected for figures in known.values()),
        rejected_by_reason=dict(reasons),
        wrong_kept=sum(e.wrong for session in errors.values() for e in session) if errors else None,
        sessions=known,
    )


def _iou(box: Any, true: Box | None) -> float | None:
    if box is None:
        return None
    return Box(*map(float, box)).iou(true) if true is not None else 0.0


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
