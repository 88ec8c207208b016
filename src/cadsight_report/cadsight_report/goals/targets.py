"""The targets of a run, and whether it reaches them."""

from collections.abc import Callable
from dataclasses import dataclass

from cadsight_report.figures import Relation, RunFigures, Verdict

Value = float | bool | None


@dataclass(frozen=True)
class Figure:
    """A figure of a run: where it stands in report.json, and the field that has it; None where nothing was measured."""

    key: str
    value: Callable[[RunFigures], Value]


@dataclass(frozen=True)
class Target:
    """``limit`` is what the figure is compared with; ``of`` is a count; where that is 0 the figure means nothing."""

    figure: Figure
    what: str
    relation: Relation
    limit: float | bool
    unit: str = ""
    of: Figure | None = None


# Frames of the live step in which something was detected: without any there is no result to be right or wrong.
_DETECTED = Figure("live.detected", lambda run: run.live.detected if run.live else None)

TARGETS = (
    Target(
        Figure("labels.iou_kinematic_vs_truth", lambda run: run.labels.iou_kinematic_vs_truth if run.labels else None),
        "kinematic boxes against the truth, mean IoU", "at least", 0.97,
    ),
    Target(
        Figure("labels.iou_colour_vs_truth", lambda run: run.labels.iou_colour_vs_truth if run.labels else None),
        "colour boxes against the truth, mean IoU", "at least", 0.95,
    ),
    Target(
        Figure("labels.normal_error_deg", lambda run: run.labels.normal_error_deg if run.labels else None),
        "labelled normals against the truth, mean error", "at most", 0.5, "degrees",
    ),
    Target(
        Figure("labels.wrong_kept", lambda run: run.labels.wrong_kept if run.labels else None),
        "wrong labels kept", "at most", 0,
    ),
    Target(
        Figure("detector.map50", lambda run: run.detector.metrics.map50 if run.detector else None),
        "detector mAP50", "at least", 0.95,
    ),
    Target(
        Figure("detector.map50_95", lambda run: run.detector.metrics.map50_95 if run.detector else None),
        "detector mAP50:95", "at least", 0.80,
    ),
    Target(
        Figure("normals.mean_deg", lambda run: run.normals.metrics.mean_deg if run.normals else None),
        "normals, mean error", "at most", 6.0, "degrees",
    ),
    Target(
        Figure("normals.median_deg", lambda run: run.normals.metrics.median_deg if run.normals else None),
        "normals, median error", "at most", 4.0, "degrees",
    ),
    Target(
        Figure("live.overhead_ms_p50", lambda run: run.live.figures.overhead_ms_p50 if run.live else None),
        "live, added to the two bare model calls, p50", "at most", 10.0, "ms", _DETECTED,
    ),
    Target(
        Figure("live.wrong_stamps", lambda run: run.live.figures.wrong_stamps if run.live else None),
        "live, results with a stamp that no frame had", "at most", 0, of=_DETECTED,
    ),
    Target(
        Figure("live.unknown_stamps", lambda run: run.live.unknown_stamps if run.live else None),
        "live, results of no frame that the camera took", "at most", 0, of=_DETECTED,
    ),
    Target(
        Figure("live.dropped_in_transport", lambda run: run.live.figures.dropped_in_transport if run.live else None),
        "live, frames lost in transport", "at most", 0, of=_DETECTED,
    ),
    Target(
        Figure("replay.equal", lambda run: run.replay.equal if run.replay else None),
        "replay gives the live results up to dropped frames", "is", True, of=_DETECTED,
    ),
    Target(Figure("seconds_total", lambda run: run.seconds_total), "all steps together", "at most", 2400.0, "s"),
)  # fmt: skip


def verdicts(figures: RunFigures, targets: tuple[Target, ...] = TARGETS) -> tuple[Verdict, ...]:
    """Compare the figures with the targets, unrounded."""
    return tuple(_evaluated(figures, target) for target in targets)


def _evaluated(figures: RunFigures, target: Target) -> Verdict:
    # Reports of earlier versions do not hold every count.
    nothing = target.of is not None and target.of.value(figures) == 0
    value = None if nothing else target.figure.value(figures)
    met: bool | None = None
    if value is not None:
        limit = target.limit
        met = bool({"at least": value >= limit, "at most": value <= limit, "is": value == limit}[target.relation])
    of = target.of.key if target.of else ""
    return Verdict(target.figure.key, target.what, target.relation, target.limit, target.unit, of, value, met)
