"""Objects in images, and which of them is a copy of one in a training image, wherever it lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.box import Box
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_learning.detection.detector import Detector

from cadsight_generation.sorting.measures.conformal import needed, p_values
from cadsight_generation.sorting.measures.residual import AlignedResidual, Small, small

# Smaller objects show nothing that could be told from another's.
_SMALLEST = 8.0


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of a set of images.

    Attributes:
        small: (K, 48, 48) of each.
        image: (K,) number of the image that each is in.
        count: objects of each image, also those too small to compare.
    """

    small: Small
    image: Sequence[int]
    count: Sequence[int]


def objects_of(samples: Sequence[Sample], detector: Detector | None, what: str) -> Objects:
    """What ``detector`` finds in the images, or without one their labels.

    Raises:
        CadsightError: for an unreadable image.
    """
    found, numbers, count = [], [], []
    for number, sample in enumerate(with_progress(samples, len(samples), f"objects of the {what} images")):
        image = read_image(sample.image)
        instances = detector.predict([image])[0] if detector is not None else sample.instances
        crops = [crop for one in instances if (crop := _crop(image, one.box)) is not None]
        count.append(len(instances))
        found += crops
        numbers += [number] * len(crops)
    side = small(np.zeros((1, 1, 3), np.uint8)).shape
    return Objects(np.stack(found) if found else np.zeros((0, *side), np.float32), numbers, count)


def copied_alone(generated: Objects, trained_on: Objects, held_out: Objects, level: float) -> list[int | None]:
    """Of each generated image how many of its objects are copies of one of a training image, by themselves.

    An object is a copy where the p-value of its residual among held-out objects is at most ``level``. None for all
    where there are too few held-out objects for that, or training images show fewer than two.
    """
    images = len(generated.count)
    if len(held_out.small) < needed(level) or len(trained_on.small) < 2:
        return [None] * images
    residual = AlignedResidual.of(trained_on.small)
    usual, mine = (
        residual.between(one.small, trained_on.small).min(axis=1, initial=1.0) for one in (held_out, generated)
    )
    copied = p_values(mine, usual) <= level
    return np.bincount(np.asarray(generated.image, int)[copied], minlength=images).tolist()


def _crop(image: Rgb, box: Box) -> Small | None:
    height, width = image.shape[:2]
    x0, y0 = max(round(box.x0), 0), max(round(box.y0), 0)
    x1, y1 = min(round(box.x1), width), min(round(box.y1), height)
    if min(x1 - x0, y1 - y0) < _SMALLEST:
        return None
    return small(image[y0:y1, x0:x1])
