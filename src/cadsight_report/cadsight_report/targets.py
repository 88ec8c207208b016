"""The figures that a run is to reach, and whether it did."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Target:
    """``key`` is a dotted path into the figures; ``limit`` is what the value is compared with.

    ``of`` is the path of a count without which the value says nothing: where that is 0 nothing was measured.
    """

    key: str
    what: str
    relation: Literal["at least", "at most", "is"]
    limit: float | bool
    unit: str = ""
    of: str = ""


# Frames of the live step in which something was detected: without any there is no result to be right or wrong.
_SEEN = "live.detected"

TARGETS = (
    Target("labels.iou_kinematic_vs_truth", "kinematic boxes against the truth, mean IoU", "at least", 0.97),
    Target("labels.iou_colour_vs_truth", "colour boxes against the truth, mean IoU", "at least", 0.95),
    Target("labels.normal_error_deg", "labelled normals against the truth, mean error", "at most", 0.5, "degrees"),
    Target("labels.wrong_kept", "wrong labels kept", "at most", 0),
    Target("detector.map50", "detector mAP50", "at least", 0.95),
    Target("detector.map50_95", "detector mAP50:95", "at least", 0.80),
    Target("normals.mean_deg", "normals, mean error", "at most", 6.0, "degrees"),
    Target("normals.median_deg", "normals, median error", "at most", 4.0, "degrees"),
    Target("live.overhead_ms_p50", "live, added to the two bare model calls, p50", "at most", 10.0, "ms", _SEEN),
    Target("live.wrong_stamps", "live, results with a stamp that no frame had", "at most", 0, of=_SEEN),
    Target("live.unknown_stamps", "live, results of no frame that the camera took", "at most", 0, of=_SEEN),
    Target("live.dropped_in_transport", "live, frames lost in transport", "at most", 0, of=_SEEN),
    Target("replay.equal", "replay gives the live results up to dropped frames", "is", True, of=_SEEN),
    Target("seconds_total", "all steps together", "at most", 2400.0, "s"),
)


@dataclass(frozen=True)
class Verdict:
    """A target beside what was measured; ``met`` is None where nothing was."""

    target: Target
    value: float | bool | None
    met: bool | None

    def to_json(self) -> dict[str, Any]:
        t = self.target
        return {**dataclasses.asdict(t), "value": self.value, "met": self.met}


def find(figures: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted path, or None where a step of the path is missing."""
    value: Any = figures
    for name in key.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def judge(figures: Mapping[str, Any], targets: tuple[Target, ...] = TARGETS) -> list[Verdict]:
    """Compare the figures with the targets, unrounded."""
    verdicts = []
    for target in targets:
        # Reports of earlier versions do not hold every count.
        nothing = bool(target.of) and find(figures, target.of) == 0
        value = None if nothing else find(figures, target.key)
        met: bool | None = None
        if value is not None:
            limit = target.limit
            met = bool({"at least": value >= limit, "at most": value <= limit, "is": value == limit}[target.relation])
        verdicts.append(Verdict(target, value, met))
    return verdicts
