"""The records of live inference, in live.json, and of a replay of it, in replay.json."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import json_of, taken_from


@dataclass(frozen=True)
class Seen:
    """One detection: class, score, box (x0, y0, x1, y1) in pixels, and the normal in the camera's optical frame."""

    class_id: str
    score: float
    box: tuple[float, float, float, float]
    normal: tuple[float, float, float] | None

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Seen":
        x0, y0, x1, y1 = map(float, data["box"])
        normal = data["normal"]
        if normal is not None:
            x, y, z = map(float, normal)
            normal = (x, y, z)
        return Seen(data["class_id"], float(data["score"]), (x0, y0, x1, y1), normal)


@dataclass(frozen=True)
class Frame:
    """One image that the model saw; stamps are of ROS time, ``latency_ms`` is from image in to result out."""

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

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Frame":
        return Frame(**{**data, "detections": tuple(map(Seen.from_json, data["detections"]))})


@dataclass(frozen=True, kw_only=True)
class LiveFigures:
    """Counts and times of a live run or a replay; None where an earlier version or a replay has none.

    Attributes:
        frames: images that the model saw, with so many ``detections`` in all.
        dropped: images between the first and last of these that the model did not see: they gave way to a newer one in
            the node (``dropped_in_slot``), or never came (``dropped_in_transport``).
        wrong_stamps: results whose stamp or frame is not one of the camera's.
        seconds: from the first image to the last.
        transport_ms_p50: from an image's stamp to its coming; the ``age`` is to its result.
    """

    frames: int
    detections: int | None = None
    dropped: int | None = None
    dropped_in_slot: int | None = None
    dropped_in_transport: int | None = None
    wrong_stamps: int | None = None
    seconds: float | None = None
    latency_ms_p50: float | None = None
    latency_ms_p99: float | None = None
    overhead_ms_p50: float | None = None
    overhead_ms_p99: float | None = None
    detector_ms_p50: float | None = None
    detector_ms_p99: float | None = None
    regressor_ms_p50: float | None = None
    regressor_ms_p99: float | None = None
    transport_ms_p50: float | None = None
    transport_ms_p99: float | None = None
    age_ms_p50: float | None = None
    age_ms_p99: float | None = None

    def to_json(self) -> dict[str, int | float]:
        """Those that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LiveFigures":
        known = {f.name: data[f.name] for f in fields(LiveFigures) if f.name in data}
        return LiveFigures(**{**known, "frames": data["frames"]})


@dataclass(frozen=True)
class ReplayVerdict:
    """Whether a live run and its replay agree on every image that both saw.

    Attributes:
        equal: no difference, and at least one image in common.
        compared: so many of the ``live_results``.
        only_live, only_replay: numbers of images.
        different: how many images differ.
        differences: the first few, as sentences.
    """

    equal: bool
    compared: int
    live_results: int | None = None
    only_live: int | None = None
    only_replay: int | None = None
    different: int | None = None
    differences: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return {**known, "differences": list(self.differences)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "ReplayVerdict":
        known = {f.name: data[f.name] for f in fields(ReplayVerdict) if f.name in data}
        return ReplayVerdict(**{**known, "differences": tuple(data.get("differences", ()))})


@dataclass(frozen=True)
class LiveReport:
    """A live run or a replay: its figures, and every frame by its stamp."""

    figures: LiveFigures
    results: tuple[Frame, ...]

    @property
    def latencies_ms(self) -> tuple[float, ...]:
        return tuple(frame.latency_ms for frame in self.results)

    def to_json(self) -> dict[str, Any]:
        results = [asdict(frame) for frame in self.results]
        return {**self.figures.to_json(), "latencies_ms": list(self.latencies_ms), "results": results}


@dataclass(frozen=True)
class Replayed:
    """A replay, and how it compares with the live run; None where it was compared with none."""

    report: LiveReport
    verdict: ReplayVerdict | None = None

    def to_json(self) -> dict[str, Any]:
        return {**(self.verdict.to_json() if self.verdict else {}), **self.report.to_json()}


def is_live_report(data: bytes) -> bool:
    """Whether the bytes of a file are such a report (see :mod:`cadsight_core.storage.output_file`)."""
    found = json_of(data)
    return isinstance(found, dict) and "frames" in found and isinstance(found.get("results"), list)


def read_live_report(path: str | Path) -> LiveReport:
    """What :meth:`LiveReport.to_json` gave, or the report in what :meth:`Replayed.to_json` did.

    Raises:
        CadsightError: when the file is missing or is no such report.
    """
    return read_replayed(path).report


def read_replayed(path: str | Path) -> Replayed:
    """What :meth:`Replayed.to_json` gave.

    Raises:
        CadsightError: when the file is missing or is no such report.
    """
    try:
        found = json_of(Path(path).read_bytes())
    except OSError as error:
        raise CadsightError(f"the report {path} could not be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise CadsightError(f"{path} is no report of a live run, expected a JSON file with results")
    with taken_from(f"the report {path}", "what `cadsight live` or `cadsight replay` wrote"):
        report = LiveReport(LiveFigures.from_json(found), tuple(map(Frame.from_json, found["results"])))
        return Replayed(report, ReplayVerdict.from_json(found) if "equal" in found else None)
