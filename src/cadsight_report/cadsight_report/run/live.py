"""The report of the perception node on a live run, and that of its replay."""

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from cadsight_core.geometry import angle_between
from cadsight_core.parts.symmetry import equal_normal
from cadsight_core.storage.folders.live_report import Frame, LiveReport, Replayed, read_live_report, read_replayed
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_core.storage.folders.session_folder import SessionFolder

from cadsight_report.figures import InferenceFigures, ReplayFigures
from cadsight_report.truth import Truth, truth_of


def live_report(run: RunFolder) -> LiveReport | None:
    """What live.json of a run holds, None where there is none.

    Raises:
        CadsightError: when it cannot be read.
    """
    path = run.live / "live.json"
    return read_live_report(path) if os.path.lexists(path) else None


def live_figures(run: RunFolder) -> InferenceFigures | None:
    """The figures of live.json, with the errors against the truth where there is one; None without live.json.

    Raises:
        CadsightError: when it cannot be read.
    """
    report = live_report(run)
    if report is None:
        return None
    figures = InferenceFigures(report.figures, sum(bool(frame.detections) for frame in report.results))
    truth = truth_of(SessionFolder(run.live))
    return figures if truth is None else with_errors(figures, report.results, truth)


def with_errors(figures: InferenceFigures, results: Sequence[Frame], truth: Truth) -> InferenceFigures:
    """``figures`` with the error of the best result of each frame against the part's pose when it was exposed.

    Angles are the smallest over the part's symmetry.
    """
    known = set(truth.stamps)
    axis = truth.part.axis_of_interest
    angles = []
    for frame in results:
        best = max(frame.detections, key=lambda seen: seen.score, default=None)
        if frame.stamp_ns in known and best is not None and best.normal is not None:
            pose = truth.pose(frame.stamp_ns)
            same = equal_normal(pose.rotate(axis), np.asarray(best.normal), pose, truth.part.symmetry)
            angles.append(float(angle_between(best.normal, same)))
    figures = replace(figures, unknown_stamps=sum(frame.stamp_ns not in known for frame in results))
    if not angles:
        return figures
    return replace(figures, normal_mean_deg=float(np.mean(angles)), normal_median_deg=float(np.median(angles)))


def replay_figures(run: RunFolder) -> ReplayFigures | None:
    """The figures of replay.json and of its comparison with live.json, or None where the bag was not replayed.

    Raises:
        CadsightError: when it cannot be read.
    """
    path = run.live / "replay.json"
    if not os.path.lexists(path):
        return None
    replayed: Replayed = read_replayed(path)
    return ReplayFigures(replayed.report.figures, replayed.verdict)
