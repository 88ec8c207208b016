"""Whether the models of a run find what they were taught at all, which is less than to reach a target."""

import math
from dataclasses import dataclass
from typing import Literal

from cadsight_report.figures import RunFigures

# A detector below this misses or misplaces about every second part.
LEAST_MAP50 = 0.5
# Of the error of always answering the mean normal of the training images; at 1 nothing was learned.
MOST_OF_CONSTANT = 0.75


@dataclass(frozen=True)
class Useless:
    """A model of a run that does not find what it was taught, or was not evaluated; ``reason`` begins a sentence."""

    model: Literal["detector", "normals"]
    reason: str
    evaluated: bool = True


def useless(figures: RunFigures) -> tuple[Useless, ...]:
    """The models of a run that are of no use, with why; a model that was not evaluated is among them."""
    detector, normals = _detector(figures), _normals(figures)
    return tuple(found for found in (detector, normals) if found is not None)


def _detector(figures: RunFigures) -> Useless | None:
    if figures.detector is None or math.isnan(figures.detector.metrics.map50):
        return Useless("detector", "the detector was not evaluated", evaluated=False)
    metrics = figures.detector.metrics
    if metrics.map50 >= LEAST_MAP50:
        return None
    verdict = "finds nothing" if metrics.recall == 0 else "does not find most of the parts"
    return Useless("detector", f"the detector {verdict} (mAP50 {metrics.map50:.3g}, of use from {LEAST_MAP50})")


def _normals(figures: RunFigures) -> Useless | None:
    if figures.normals is None or math.isnan(figures.normals.metrics.mean_deg):
        return Useless("normals", "the regressor of normals was not evaluated", evaluated=False)
    mean, constant = figures.normals.metrics.mean_deg, figures.normals.constant_deg
    if constant is None or mean <= MOST_OF_CONSTANT * constant:
        return None
    return Useless(
        "normals",
        f"the regressor of normals learned next to nothing (off by {mean:.3g} degrees, and always answering the mean "
        f"normal by {constant:.3g}; of use up to {MOST_OF_CONSTANT} of that)",
    )
