"""The report of a live run or a replay, and how two of them are compared; knows no ROS."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between
from cadsight_core.storage.folders.live_report import (
    Frame,
    LiveFigures,
    LiveReport,
    Replayed,
    ReplayVerdict,
    Seen,
    read_replayed,
)

# A replay runs the same weights on the same bytes; only the order of additions on another number of threads differs.
BOX_TOLERANCE_PX = 0.1
NORMAL_TOLERANCE_DEG = 0.1
SCORE_TOLERANCE = 1e-3
_MOST_DIFFERENCES = 20


def summarise(
    frames: Sequence[Frame], camera_stamps: Collection[int], pushed_out: int, wrong_stamps: int, *, live: bool
) -> LiveReport:
    """The report of ``frames``.

    Args:
        frames: in any order.
        camera_stamps: of every image that the camera published while this was recorded, nanoseconds.
        pushed_out: of these, how many gave way to a newer one in the node.
        wrong_stamps: results whose stamp or frame is none of the camera's.
        live: whether the images were taken now, so that their age means something.

    Raises:
        CadsightError: when there is no frame.
    """
    frames = sorted(frames, key=lambda frame: frame.stamp_ns)
    if not frames:
        raise CadsightError(
            f"no result came for {len(camera_stamps)} images, expected the perception node to be active"
        )
    inferred = {frame.stamp_ns for frame in frames}
    first, last = frames[0].stamp_ns, frames[-1].stamp_ns
    missed = sum(first <= stamp <= last and stamp not in inferred for stamp in camera_stamps)
    names = ("latency", "overhead", "detector", "regressor")
    times = {name: [getattr(frame, f"{name}_ms") for frame in frames] for name in names}
    if live:
        times["transport"] = [(f.received_ns - f.stamp_ns) / 1e6 for f in frames]
        times["age"] = [(f.published_ns - f.stamp_ns) / 1e6 for f in frames]
    percentiles = {
        f"{name}_ms_p{percent}": float(np.percentile(values, percent))
        for name, values in times.items()
        for percent in (50, 99)
    }
    figures = LiveFigures(
        frames=len(frames),
        detections=sum(len(frame.detections) for frame in frames),
        dropped=missed,
        dropped_in_slot=min(pushed_out, missed),
        dropped_in_transport=max(missed - pushed_out, 0),
        wrong_stamps=wrong_stamps,
        seconds=(last - first) / 1e9,
        **percentiles,
    )
    return LiveReport(figures, tuple(frames))


def compare(live: LiveReport, replay: LiveReport) -> ReplayVerdict:
    """Whether two reports agree on every image that both have results of."""
    a, b = ({frame.stamp_ns: frame.detections for frame in report.results} for report in (live, replay))
    both = sorted(a.keys() & b.keys())
    differences = [f"image {stamp}: {text}" for stamp in both if (text := _difference(a[stamp], b[stamp]))]
    return ReplayVerdict(
        equal=bool(both) and not differences,
        compared=len(both),
        live_results=len(a),
        only_live=len(a.keys() - b.keys()),
        only_replay=len(b.keys() - a.keys()),
        different=len(differences),
        differences=tuple(differences[:_MOST_DIFFERENCES]),
    )


def compared_with(live: LiveReport | None, replay: LiveReport) -> Replayed:
    """A replay with its verdict, where there is a live run to compare it with."""
    return Replayed(replay, None if live is None else compare(live, replay))


def checked_report(path: str | Path) -> ReplayVerdict:
    """How a replay that was compared with a live run did, by its report.

    Raises:
        CadsightError: when the file is missing, is no report, or was compared with nothing.
    """
    verdict = read_replayed(path).verdict
    if verdict is None or verdict.live_results is None or verdict.different is None:
        raise CadsightError(
            f"the report {path} was compared with no live run, expected a replay with a live report beside it"
        )
    return verdict


def _difference(a: Sequence[Seen], b: Sequence[Seen]) -> str:
    if len(a) != len(b):
        return f"{len(a)} detections live and {len(b)} in the replay"
    for number, (one, other) in enumerate(zip(a, b, strict=True)):
        if one.class_id != other.class_id:
            return f"detection {number} is a {one.class_id} live and a {other.class_id} in the replay"
        for name, tolerance in (("box", BOX_TOLERANCE_PX), ("score", SCORE_TOLERANCE)):
            apart = float(np.abs(np.subtract(getattr(one, name), getattr(other, name))).max())
            if apart > tolerance:
                return f"detection {number}'s {name} is {apart:.4g} apart"
        if (one.normal is None) != (other.normal is None):
            return f"detection {number} has a normal in one of the two only"
        if one.normal is not None and other.normal is not None:
            apart = float(angle_between(one.normal, other.normal))
            if apart > NORMAL_TOLERANCE_DEG:
                return f"detection {number}'s normal is {apart:.4g} degrees apart"
    return ""
