"""The report of a live run or a replay, and how two of them are compared; knows no ROS."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between
from cadsight_core.output_file import json_with

# A replay runs the same weights on the same bytes; only the order of additions on another number of threads differs.
BOX_TOLERANCE_PX = 0.1
NORMAL_TOLERANCE_DEG = 0.1
SCORE_TOLERANCE = 1e-3
_MOST_DIFFERENCES = 20

_has_keys = json_with("frames", "results")


@dataclass(frozen=True)
class Seen:
    """One detection: class, score, box (x0, y0, x1, y1) in pixels, and the normal in the camera's optical frame."""

    class_id: str
    score: float
    box: tuple[float, float, float, float]
    normal: tuple[float, float, float] | None


@dataclass(frozen=True)
class Frame:
    """One image that was looked at; times as in :class:`cadsight_perception.timing.FrameTiming`."""

    stamp_ns: int
    received_ns: int
    published_ns: int
    latency_ms: float
    detector_ms: float
    regressor_ms: float
    detections: tuple[Seen, ...]

    @property
    def overhead_ms(self) -> float:
        return self.latency_ms - self.detector_ms - self.regressor_ms


def summarise(
    frames: Sequence[Frame], camera_stamps: Collection[int], pushed_out: int, wrong_stamps: int, *, live: bool
) -> dict[str, Any]:
    """The report as JSON holds it.

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
    looked_at = {frame.stamp_ns for frame in frames}
    first, last = frames[0].stamp_ns, frames[-1].stamp_ns
    missed = sum(first <= stamp <= last and stamp not in looked_at for stamp in camera_stamps)
    report: dict[str, Any] = {
        "frames": len(frames),
        "detections": sum(len(frame.detections) for frame in frames),
        "dropped": missed,
        "dropped_in_slot": min(pushed_out, missed),
        "dropped_in_transport": max(missed - pushed_out, 0),
        "wrong_stamps": wrong_stamps,
        "seconds": (last - first) / 1e9,
    }
    for name in ("latency", "overhead", "detector", "regressor"):
        p50, p99 = np.percentile([getattr(frame, f"{name}_ms") for frame in frames], (50, 99))
        report |= {f"{name}_ms_p50": float(p50), f"{name}_ms_p99": float(p99)}
    if live:
        for name, end in (("transport", "received_ns"), ("age", "published_ns")):
            p50, p99 = np.percentile([(getattr(frame, end) - frame.stamp_ns) / 1e6 for frame in frames], (50, 99))
            report |= {f"{name}_ms_p50": float(p50), f"{name}_ms_p99": float(p99)}
    report["latencies_ms"] = [frame.latency_ms for frame in frames]
    report["results"] = [asdict(frame) for frame in frames]
    return report


def compare(live: Mapping[str, Any], replay: Mapping[str, Any]) -> dict[str, Any]:
    """Whether two reports say the same of every image that both looked at.

    Returns:
        ``equal``: no difference, and at least one image in common; ``compared`` of the ``live_results``, and
        ``only_live``, ``only_replay``: numbers of images; ``differences``: the first few, as sentences.
    """
    a, b = ({result["stamp_ns"]: result["detections"] for result in report["results"]} for report in (live, replay))
    both = sorted(a.keys() & b.keys())
    differences = [f"image {stamp}: {text}" for stamp in both if (text := _difference(a[stamp], b[stamp]))]
    return {
        "equal": bool(both) and not differences,
        "compared": len(both),
        "live_results": len(a),
        "only_live": len(a.keys() - b.keys()),
        "only_replay": len(b.keys() - a.keys()),
        "different": len(differences),
        "differences": differences[:_MOST_DIFFERENCES],
    }


def is_report(data: bytes) -> bool:
    """Whether the bytes of a file are such a report (see :mod:`cadsight_core.output_file`)."""
    return _has_keys(data) and isinstance(json.loads(data)["results"], list)


def read_report(path: str | Path) -> dict[str, Any]:
    """Read what :func:`summarise` gave.

    Raises:
        CadsightError: when the file is missing or is no such report.
    """
    try:
        report = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise CadsightError(f"the report {path} could not be read: {error}") from error
    if not isinstance(report, dict) or not isinstance(report.get("results"), list):
        raise CadsightError(f"{path} is no report of a live run, expected a JSON file with results")
    return report


def checked_report(path: str | Path) -> dict[str, Any]:
    """Read the report of a replay that was compared with a live run, as :func:`compare` tells.

    Raises:
        CadsightError: when the file is missing, is no report, or was compared with nothing.
    """
    report = read_report(path)
    missing = {"equal", "compared", "live_results", "different", "differences"} - set(report)
    if missing:
        raise CadsightError(
            f"the report {path} was compared with no live run, expected a replay with a live report beside it"
        )
    return report


def _difference(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> str:
    if len(a) != len(b):
        return f"{len(a)} detections live and {len(b)} in the replay"
    for number, (one, other) in enumerate(zip(a, b, strict=True)):
        if one["class_id"] != other["class_id"]:
            return f"detection {number} is a {one['class_id']} live and a {other['class_id']} in the replay"
        for name, tolerance in (("box", BOX_TOLERANCE_PX), ("score", SCORE_TOLERANCE)):
            apart = float(np.abs(np.subtract(one[name], other[name])).max())
            if apart > tolerance:
                return f"detection {number}'s {name} is {apart:.4g} apart"
        if (one["normal"] is None) != (other["normal"] is None):
            return f"detection {number} has a normal in one of the two only"
        if one["normal"] is not None:
            apart = float(angle_between(one["normal"], other["normal"]))
            if apart > NORMAL_TOLERANCE_DEG:
                return f"detection {number}'s normal is {apart:.4g} degrees apart"
    return ""
