"""Figures of runs made by hand: what a test does not name is as if nothing was measured, or of no matter."""

from typing import Any

import numpy as np
from cadsight_core.storage.folders.live_report import LiveFigures
from cadsight_learning.evaluation.normal_metrics import NormalMetrics
from cadsight_learning.metrics.box_metrics import METRICS
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.results import Confusion, DetectionMetrics
from cadsight_report.figures import DetectorFigures, InferenceFigures, LabelFigures, NormalFigures, RunFigures


def detector(against: Any = "truth", losses: Any = None, **given: Any) -> DetectorFigures:
    none = np.zeros(0, int)
    matches = MatchTable(np.ones((60, 1), int), none, none, none, none, none, none, none, none)
    metrics = DetectionMetrics(
        labels=60,
        intervals={},
        images=60,
        mean_iou=1.0,
        images_right=1.0,
        confusion=Confusion(("bracket", "background"), ((60, 0), (0, 0))),
        per_class={},
        matches=matches,
        losses=losses or {},
        scores={**dict.fromkeys(METRICS, 1.0), **given},
    )
    return DetectorFigures(metrics, against)


def normals(mean_deg: float = 5.0, median_deg: float = 3.0, constant_deg: float | None = 20.0) -> NormalFigures:
    metrics = NormalMetrics(
        mean_deg=mean_deg,
        median_deg=median_deg,
        p90_deg=9.0,
        under_5_deg=0.8,
        under_10_deg=0.9,
        intervals={},
        loss=0.1,
        crops=60,
        symmetric=0,
        calibration=None,
    )
    return NormalFigures(metrics, "truth", constant_deg)


def labels(wrong_kept: int | None = None, sessions: Any = None, **counts: Any) -> LabelFigures:
    known = {"images": 5, "accepted": 4, "rejected": 1, "rejected_by_reason": {"colour_nothing": 1}, **counts}
    return LabelFigures(**known, wrong_kept=wrong_kept, sessions=sessions or {})


def live_figures(detected: int | None = 50, frames: int = 50, **counts: Any) -> InferenceFigures:
    return InferenceFigures(LiveFigures(frames=frames, **counts), detected)


def run(**given: Any) -> RunFigures:
    known: dict[str, Any] = {"run": "demo", "made": "2026-01-01T00:00:00+00:00", "part": "bracket", "truth": False}
    return RunFigures(**{**known, "versions": {"Python": "3.11"}, **given})
