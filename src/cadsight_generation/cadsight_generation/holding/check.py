"""The check of a changed image against the labels that it carries: it holds, or it is refused with a reason."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
from cadsight_core.camera import ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import angle_between
from cadsight_core.imaging.crops import crop
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import instance_mask
from cadsight_learning.detection.detector import Detector
from cadsight_learning.metrics.boxes import iou
from cadsight_learning.normals.regressor import Regressor
from scipy.optimize import linear_sum_assignment

from cadsight_generation.holding.edges import EdgeChange, edge_change
from cadsight_generation.holding.patch import Patch, patch_of

Reason = Literal["empty mask", "unseen", "moved", "lost edges", "misaligned", "detections", "normal"]


@dataclass(frozen=True)
class HoldingLimits:
    """What a changed image may differ by, for its labels to hold."""

    moved_px: float = parameter(
        0.35, "most movement of the edges about a silhouette, pixels at 128 px: their 90th percentile", minimum=0.0
    )
    lost: float = parameter(0.01, "largest fraction of those edges that may be gone", minimum=0.0, maximum=1.0)
    misaligned: float = parameter(
        0.03, "most by which the directions of those edges may disagree", minimum=0.0, maximum=1.0
    )
    iou: float = parameter(0.9, "least IoU of a detection before and after", minimum=0.0, maximum=1.0)
    normal_deg: float = parameter(3.0, "most by which a normal may turn, degrees", minimum=0.0, maximum=180.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Verdict:
    """What became of one image's labels.

    Attributes:
        reasons: why they do not hold, each once; none where they do.
        edges: of each label that has edges about its silhouette.
        normal_deg: the largest turn of a normal, None where no regressor looked.
    """

    reasons: tuple[Reason, ...]
    edges: tuple[EdgeChange, ...] = ()
    normal_deg: float | None = None

    @property
    def holds(self) -> bool:
        return not self.reasons

    def figures(self) -> dict[str, float]:
        """The worst over all labels, by name."""
        rows = [asdict(one) for one in self.edges]
        worst = {name: max(row[name] for row in rows) for name in rows[0]} if rows else {}
        return worst if self.normal_deg is None else {**worst, "normal_deg": self.normal_deg}


@dataclass(frozen=True)
class LabelCheck:
    """Holds a changed image to the labels of the one that it came from.

    Attributes:
        detector: must find as many parts of each class after the change, each where it was; None for no such check.
        regressor: must give each labelled crop the same normal; None for no such check.
    """

    limits: HoldingLimits = field(default_factory=HoldingLimits)
    detector: Detector | None = None
    regressor: Regressor | None = None

    def of_image(self, sample: Sample, before: Rgb, after: Rgb) -> Verdict:
        """Whether the labels of ``sample``, whose image is ``before`` (H, W, 3), hold for ``after`` (H, W, 3).

        Raises:
            CadsightError: for images of two sizes.
        """
        reasons: list[Reason] = []
        edges: list[EdgeChange] = []
        for instance in sample.instances:
            found = self._of_instance(instance, before, after)
            reasons += found.reasons
            edges += found.edges
        if self.detector is not None:
            first, second = self.detector.predict([before, after])
            if not alike(first, second, self.limits.iou):
                reasons.append("detections")
        turn = self._turn(sample.instances, before, after)
        if turn is not None and turn > self.limits.normal_deg:
            reasons.append("normal")
        return Verdict(tuple(dict.fromkeys(reasons)), tuple(edges), turn)

    def _of_instance(self, instance: Instance, before: Rgb, after: Rgb) -> Verdict:
        mask = instance_mask(instance, ImageSize(before.shape[1], before.shape[0]))
        if mask is not None and not mask.any():
            return Verdict(("empty mask",))
        return self.of_patch(patch_of(before, after, instance))

    def of_patch(self, patch: Patch) -> Verdict:
        """Whether the silhouette of one object holds."""
        change = edge_change(patch)
        if change is None:
            return Verdict(("unseen",))
        over: dict[Reason, bool] = {
            "moved": change.moved_px > self.limits.moved_px,
            "lost edges": change.lost > self.limits.lost,
            "misaligned": change.misaligned > self.limits.misaligned,
        }
        return Verdict(tuple(reason for reason, is_over in over.items() if is_over), (change,))

    def _turn(self, instances: Sequence[Instance], before: Rgb, after: Rgb) -> float | None:
        labelled = [i.box for i in instances if i.normal is not None]
        if self.regressor is None or not labelled:
            return None
        first, second = (
            self.regressor.predict(np.stack([crop(image, box) for box in labelled]))[0] for image in (before, after)
        )
        return float(np.max(angle_between(first, second)))


def alike(before: Sequence[Instance], after: Sequence[Instance], least_iou: float) -> bool:
    """Whether each detection before has one of its class after, with at least ``least_iou``, and none is left over."""
    if len(before) != len(after):
        return False
    if not before:
        return True
    boxes = [np.array([i.box.as_tuple() for i in found], float) for found in (before, after)]
    same = np.equal.outer([i.class_id for i in before], [i.class_id for i in after])
    shared = iou(*boxes) * same
    rows, columns = linear_sum_assignment(-shared)
    return bool((shared[rows, columns] >= least_iou).all())


def refused_by_reason(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many images were refused for each reason, the most frequent first; one may have several."""
    return dict(Counter(reason for verdict in verdicts for reason in verdict.reasons).most_common())
