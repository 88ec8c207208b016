"""Labelled images as detectors learn from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, image_size, read_image
from cadsight_core.sample import Sample
from cadsight_core.shapes import has_shape, instance_mask, is_crowd

from cadsight_learning.data.augmentation import Labelled
from cadsight_learning.data.letterbox import canvas_shape, framed, shrunk, shrunk_shape
from cadsight_learning.data.on_demand import OnDemand


def labelled(sample: Sample, square: bool, masks: bool = False) -> Labelled:
    """The image of ``sample`` with its labels, boxes made 1:1 if ``square``, and with ``masks`` if asked for.

    Crowds are none of them: one box around many objects teaches a wrong one.

    Raises:
        CadsightError: for an image that cannot be read, or a label without the mask that is asked for.
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


class LabelledImages(OnDemand[Labelled]):
    """Samples as a detector learns from them, each read when it is taken out.

    Attributes:
        shapes: rows and columns of each, known before it is read.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]], make: Callable[[int], Labelled], keep: int) -> None:
        super().__init__(len(shapes), make, keep)
        self.shapes = tuple(shapes)

    @staticmethod
    def resized(
        samples: Sequence[Sample], longer: int, square: bool, masks: bool = False, keep: int = 0
    ) -> "LabelledImages":
        """With their longer side at ``longer`` pixels (see :func:`labelled`); ``keep`` bytes of them are kept.

        Raises:
            CadsightError: for a file that is no image; the rest of :func:`labelled`'s when one is taken out.
        """
        shapes = [shrunk_shape(_shape_of(s), longer) for s in samples]
        return LabelledImages(shapes, lambda n: resized(labelled(samples[n], square, masks), longer), keep)

    @staticmethod
    def framed(samples: Sequence[Sample], longer: int, square: bool, keep: int = 0) -> "LabelledImages":
        """Centred on grey, as a network of ultralytics sees them, else as :meth:`resized`."""
        shapes = [canvas_shape(_shape_of(s), longer) for s in samples]
        return LabelledImages(shapes, lambda n: _framed(labelled(samples[n], square), longer), keep)


def alike(images: Sequence[Rgb], at_once: int) -> Iterator[list[int]]:
    """Numbers of images of one shape, at most ``at_once`` together: what a network can see in one batch."""
    return alike_shapes([image.shape for image in images], at_once)


def alike_shapes(shapes: Sequence[tuple[int, ...]], at_once: int) -> Iterator[list[int]]:
    """As :func:`alike`, of the images' shapes."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(number)
    for numbers in by_shape.values():
        for start in range(0, len(numbers), at_once):
            yield numbers[start : start + at_once]


def have_masks(samples: Sequence[Sample]) -> bool:
    """Whether every label has a mask, or an outline in its place."""
    return all(has_shape(i) for s in samples for i in s.instances if not is_crowd(i))


def refuse_maskless(samples: Iterable[Sample]) -> None:
    """Refuse a label that has neither mask nor outline.

    Raises:
        CadsightError: naming its sample.
    """
    for sample in samples:
        if not have_masks([sample]):
            raise _maskless(sample)


def without_crowds(sample: Sample) -> Sample:
    """The sample with the objects that are learned from."""
    if not any(map(is_crowd, sample.instances)):
        return sample
    return replace(sample, instances=tuple(i for i in sample.instances if not is_crowd(i)))


def _shape_of(sample: Sample) -> tuple[int, int]:
    size = image_size(sample.image)
    return size.height, size.width


def _framed(one: Labelled, size: int) -> Labelled:
    canvas, frame = framed(one.image, size)
    return Labelled(canvas, frame.to_input(one.boxes), one.classes)


def _masks(sample: Sample) -> np.ndarray:
    masks = [instance_mask(i, sample.size) for i in sample.instances]
    if any(m is None for m in masks):
        raise _maskless(sample)
    return np.array(masks, bool).reshape(-1, sample.size.height, sample.size.width)


def _maskless(sample: Sample) -> CadsightError:
    return CadsightError(f"{sample.name} has a label without a mask, expected masks, or a detector of boxes alone")
