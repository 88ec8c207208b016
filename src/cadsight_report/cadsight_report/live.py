"""What the perception node reported while it looked, and what its replay gave."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cadsight_core.geometry import angle_between
from cadsight_core.run_folder import RunFolder, read_json
from cadsight_core.session_folder import SessionFolder
from cadsight_core.symmetry import equal_normal

from cadsight_report.truth import Truth, truth_of


def live_figures(run: RunFolder) -> dict[str, Any] | None:
    """The numbers of live.json, with the errors against the truth where there is one; None where nobody looked.

    ``detected`` counts the frames in which something was found.
    """
    report = read_json(run.live / "live.json")
    figures = _numbers(report)
    if report is None or figures is None:
        return figures
    results = report.get("results", [])
    figures["detected"] = sum(bool(result["detections"]) for result in results)
    truth = truth_of(SessionFolder(run.live))
    return figures if truth is None else figures | live_errors(results, truth)


def live_errors(results: Sequence[Mapping[str, Any]], truth: Truth) -> dict[str, Any]:
    """How the surest result of each frame compares with where the part was when that frame was exposed.

    Angles are the smallest over the part's symmetry.

    Returns:
        ``unknown_stamps``: results of no frame that the camera ever took; ``normal_mean_deg`` and
        ``normal_median_deg`` over the frames with a normal.
    """
    known = set(truth.stamps)
    axis = truth.part.axis_of_interest
    angles = []
    for result in results:
        surest = max(result["detections"], key=lambda seen: seen["score"], default=None)
        if result["stamp_ns"] in known and surest is not None and surest["normal"] is not None:
            pose = truth.pose(result["stamp_ns"])
            same = equal_normal(pose.rotate(axis), surest["normal"], pose, truth.part.symmetry)
            angles.append(float(angle_between(surest["normal"], same)))
    figures: dict[str, Any] = {"unknown_stamps": sum(result["stamp_ns"] not in known for result in results)}
    if angles:
        figures |= {"normal_mean_deg": float(np.mean(angles)), "normal_median_deg": float(np.median(angles))}
    return figures


def replay_figures(run: RunFolder) -> dict[str, Any] | None:
    """The numbers of replay.json and of its comparison with live.json, or None where the bag was not replayed."""
    report = read_json(run.live / "replay.json")
    if report is None:
        return None
    return (_numbers(report) or {}) | {"differences": report.get("differences", [])}


def latencies(run: RunFolder) -> list[float]:
    """Milliseconds from image in to result out of each frame."""
    report = read_json(run.live / "live.json") or {}
    return [float(result["latency_ms"]) for result in report.get("results", [])]


def _numbers(report: dict[str, Any] | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {key: value for key, value in report.items() if isinstance(value, int | float | str)}
