"""Whether the models of a run find what they were taught at all, which is less than to reach a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cadsight_report.targets import find

# A detector below this misses, or puts in the wrong place, about every second part.
LEAST_MAP50 = 0.5
# Of the error of always answering the mean normal of the training pictures; at 1 nothing was learned.
MOST_OF_CONSTANT = 0.75


@dataclass(frozen=True)
class Useless:
    """A model of a run that does not find what it was taught, or is not known to; ``reason`` begins a sentence."""

    model: Literal["detector", "normals"]
    reason: str
    judged: bool = True


def useless(figures: Mapping[str, Any]) -> tuple[Useless, ...]:
    """The models of a run's report.json that are of no use, with why; a model that was not judged is among them."""
    detector, normals = _detector(figures), _normals(figures)
    return tuple(found for found in (detector, normals) if found is not None)


def _detector(figures: Mapping[str, Any]) -> Useless | None:
    map50 = find(figures, "detector.map50")
    if map50 is None:
        return Useless("detector", "the detector was not judged", judged=False)
    if map50 >= LEAST_MAP50:
        return None
    said = "finds nothing" if find(figures, "detector.recall") == 0 else "does not find most of the parts"
    return Useless("detector", f"the detector {said} (mAP50 {map50:.3g}, of use from {LEAST_MAP50})")


def _normals(figures: Mapping[str, Any]) -> Useless | None:
    mean, constant = find(figures, "normals.mean_deg"), find(figures, "normals.constant_deg")
    if mean is None:
        return Useless("normals", "the regressor of normals was not judged", judged=False)
    if constant is None or mean <= MOST_OF_CONSTANT * constant:
        return None
    return Useless(
        "normals",
        f"the regressor of normals learned next to nothing (off by {mean:.3g} degrees, and always answering the mean "
        f"normal by {constant:.3g}; of use up to {MOST_OF_CONSTANT} of that)",
    )
