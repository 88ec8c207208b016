"""How difficult each class is for a trained model, as its labelled images tell (Yang et al., CVPR 2024, equation 3)."""

from collections.abc import Sequence

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.sample import Sample
from cadsight_learning.detection.evidence import Evidence
from cadsight_learning.metrics.boxes import iou

# The paper's exponent: how much the score counts beside the overlap.
_XI = 0.6


def class_difficulties(samples: Sequence[Sample], evidence: Sequence[Evidence], classes: int) -> Array | None:
    """(C,) 0 to 1: 1 less the mean quality ``p ** 0.6 * iou ** 0.4`` of what is found of each label of a class.

    A label of which nothing is found has the quality 0. A class without a label is as difficult as can be; None where
    no class has one.
    """
    sums, counts = np.zeros(classes), np.zeros(classes)
    for sample, found in zip(samples, evidence, strict=True):
        for instance in sample.instances:
            counts[instance.class_id] += 1
            if len(found.boxes):
                overlaps = iou(np.array([instance.box.as_tuple()]), found.boxes)[0]
                quality = found.scores[:, instance.class_id] ** _XI * overlaps ** (1 - _XI)
                sums[instance.class_id] += quality.max()
    if not counts.any():
        return None
    return 1 - sums / np.maximum(counts, 1)
