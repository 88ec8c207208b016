"""Images of any size as a network takes them, and its detections in their own pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_learning.data.labelled_images import alike
from cadsight_learning.data.letterbox import Frame, framed
from cadsight_learning.detection.evidence import Evidence

A = TypeVar("A")


def predict_batches(
    images: Sequence[Rgb], image_size: int, answer: Callable[[NDArray[np.uint8]], Sequence[Array]]
) -> list[list[Instance]]:
    """Parts of each image (H, W, 3), boxes in its own pixels.

    Args:
        image_size: longer side in pixels of an image as the network sees it.
        answer: from images of one shape as the network sees them, (N, h, w, 3), to rows (K, 6) of each: a box xyxy
            there, a score and a class.
    """
    found: list[list[Instance]] = [[] for _ in images]
    for i, rows, framing in _answered(images, image_size, len(images), answer):
        size = ImageSize(images[i].shape[1], images[i].shape[0])
        found[i] = [
            Instance(int(row[5]), Box(*map(float, box)).clipped(size), score=float(row[4]), source="model")
            for box, row in zip(framing.to_native(rows[:, :4]), rows, strict=True)
        ]
    return found


def evidence_batches(
    images: Sequence[Rgb], image_size: int, at_once: int, answer: Callable[[NDArray[np.uint8]], Sequence[Evidence]]
) -> list[Evidence]:
    """Evidence of each image (H, W, 3), boxes in its own pixels.

    Args:
        at_once: images that ``answer`` is given together.
        answer: as that of :func:`predict_batches`, to evidence of each with boxes in the network's pixels.
    """
    found: dict[int, Evidence] = {}
    for i, evidence, framing in _answered(images, image_size, at_once, answer):
        found[i] = replace(evidence, boxes=framing.to_native(evidence.boxes))
    return [found[i] for i in range(len(images))]


def _answered(
    images: Sequence[Rgb], image_size: int, at_once: int, answer: Callable[[NDArray[np.uint8]], Sequence[A]]
) -> Iterator[tuple[int, A, Frame]]:
    framings = [framed(image, image_size) for image in images]
    for numbers in alike([canvas for canvas, _ in framings], at_once):
        answers = answer(np.stack([framings[i][0] for i in numbers]))
        for i, one in zip(numbers, answers, strict=True):
            yield i, one, framings[i][1]
