"""Generated images with a label where the generator's mask and a detector's box say the same.

The mask is what the generator meant, the box what a detector sees that never saw the image; either alone is wrong where
the image is poor. An image is kept as a whole: one object that is missed would be learned as background.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Instance, Sample
from cadsight_learning.detection.detector import Detector
from cadsight_learning.metrics.boxes import iou
from scipy.optimize import linear_sum_assignment

from cadsight_generation.agreement.options import AgreementOptions

GENERATED = "generated"


@dataclass(frozen=True)
class Agreed:
    """What came of a set.

    Attributes:
        dataset: the images that were kept, with their labels.
        refused: how many were not, by reason.
    """

    dataset: Dataset
    refused: dict[str, int]


def write_agreed(
    samples: Sequence[Sample],
    classes: Sequence[str],
    detector: Detector,
    folder: str | Path,
    options: AgreementOptions,
) -> Agreed:
    """Write the generated images on which masks and detections agree into a new data set.

    Raises:
        CadsightError: for images that are not generated, classes that the detector does not know, a folder that holds
            a data set already, and an image that cannot be read.
    """
    foreign = next((s for s in samples if s.origin != GENERATED), None)
    if foreign is not None:
        raise CadsightError(f"{foreign.name} ({foreign.image}) is {foreign.origin}, expected generated images alone")
    unknown = next((name for name in classes if name not in detector.classes), None)
    if unknown is not None:
        raise CadsightError(
            f"the masks are of {unknown}, expected a class of the detector: {', '.join(detector.classes)}"
        )
    ids = [detector.classes.index(name) for name in classes]
    dataset, refused = Dataset.create(folder, classes), Counter[str]()
    for sample in with_progress(samples, len(samples), "images compared"):
        image = read_image(sample.image)
        (found,) = detector.predict([image], options.confidence, options.most)
        of_classes = [dataclasses.replace(i, class_id=ids.index(i.class_id)) for i in found if i.class_id in ids]
        agreed = agreed_instances(sample.instances, of_classes, options.iou)
        if isinstance(agreed, str):
            refused[agreed] += 1
        else:
            dataset.append_file(dataclasses.replace(sample, instances=agreed))
    return Agreed(dataset, dict(refused))


def agreed_instances(
    masks: Sequence[Instance], detections: Sequence[Instance], least_iou: float
) -> tuple[Instance, ...] | str:
    """The instances of ``masks``, each with the score of its detection, or in words why they and the detections differ.

    They agree where there are as many of both, and each mask's box has a detection of its class and its own.
    """
    if not masks or any(i.mask is None for i in masks):
        return "no mask"
    if not detections:
        return "nothing detected"
    if len(masks) != len(detections):
        return "another number of objects"
    boxes = [np.array([i.box.as_tuple() for i in group], float) for group in (masks, detections)]
    ious = iou(*boxes)
    same = np.array([[m.class_id == d.class_id for d in detections] for m in masks])
    rows, columns = linear_sum_assignment(np.where(same, ious, -1.0), maximize=True)
    if not same[rows, columns].all():
        return "another class"
    if ious[rows, columns].min() < least_iou:
        return "boxes apart"
    return tuple(
        dataclasses.replace(masks[row], score=detections[column].score)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    )
