"""Labelled pictures as detectors learn from them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.images import Rgb, read_image
from cadsight_core.sample import Sample
from cadsight_core.shapes import has_shape, instance_mask, is_crowd

from cadsight_learning.data.augmentation import Labelled
from cadsight_learning.data.letterbox import shrunk


def labelled(sample: Sample, square: bool, masks: bool = False) -> Labelled:
    """The picture of ``sample`` with its labels, boxes made 1:1 if ``square``, and with ``masks`` if asked for.

    Crowds are none of them: one box around many objects teaches a wrong one.

    Raises:
        CadsightError: for a picture that cannot be read, or a label without the mask that is asked for.
    """
    sample = without_crowds(sample)
    boxes = [i.box.squared(sample.size) if square else i.box for i in sample.instances]
    return Labelled(
        read_image(sample.image),
        np.array([b.as_tuple() for b in boxes], float).reshape(-1, 4),
        np.array([i.class_id for i in sample.instances], int),
        _masks(sample) if masks else None,
    )


def resized(one: Labelled, longer: int) -> Labelled:
    """``one`` with its longer side at ``longer`` pixels."""
    image = shrunk(one.image, longer)
    factor = np.array([image.shape[1] / one.image.shape[1], image.shape[0] / one.image.shape[0]])
    masks = one.masks
    if masks is not None and image.shape != one.image.shape:
        size = (image.shape[1], image.shape[0])
        sized = [cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0 for m in masks]
        masks = np.array(sized, bool).reshape(-1, *image.shape[:2])
    return Labelled(image, one.boxes * np.tile(factor, 2), one.classes, masks)


def alike(images: Sequence[Rgb], at_once: int) -> Iterator[list[int]]:
    """Numbers of pictures of one shape, at most ``at_once`` together: what a network can see in one batch."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        by_shape.setdefault(image.shape, []).append(number)
    for numbers in by_shape.values():
        for start in range(0, len(numbers), at_once):
            yield numbers[start : start + at_once]


def have_masks(samples: Sequence[Sample]) -> bool:
    """Whether every label has a mask, or an outline that says the same."""
    return all(has_shape(i) for s in samples for i in s.instances if not is_crowd(i))


def without_crowds(sample: Sample) -> Sample:
    """The sample with the objects that are learned from."""
    if not any(map(is_crowd, sample.instances)):
        return sample
    return replace(sample, instances=tuple(i for i in sample.instances if not is_crowd(i)))


def _masks(sample: Sample) -> np.ndarray:
    masks = [instance_mask(i, sample.size) for i in sample.instances]
    if any(m is None for m in masks):
        raise CadsightError(f"{sample.name} has a label without a mask, expected masks, or a detector of boxes alone")
    return np.array(masks, bool).reshape(-1, sample.size.height, sample.size.width)
