"""Images of any size as a network takes them, and its detections in their own pixels."""

from collections.abc import Callable, Sequence

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_learning.data.labelled_images import alike
from cadsight_learning.data.letterbox import framed


def predict_batches(
    images: Sequence[Rgb], image_size: int, answer: Callable[[NDArray[np.uint8]], Sequence[Array]]
) -> list[list[Instance]]:
    """Parts of each image (H, W, 3), boxes in its own pixels.

    Args:
        image_size: longer side in pixels of an image as the network sees it.
        answer: from images of one shape as the network sees them, (N, h, w, 3), to rows (K, 6) of each: a box xyxy
            there, a score and a class.
    """
    framings = [framed(image, image_size) for image in images]
    found: list[list[Instance]] = [[] for _ in images]
    for numbers in alike([canvas for canvas, _ in framings], len(images)):
        answers = answer(np.stack([framings[i][0] for i in numbers]))
        for i, rows in zip(numbers, answers, strict=True):
            size = ImageSize(images[i].shape[1], images[i].shape[0])
            boxes = framings[i][1].to_native(rows[:, :4])
            found[i] = [
                Instance(int(row[5]), Box(*map(float, box)).clipped(size), score=float(row[4]), source="model")
                for box, row in zip(boxes, rows, strict=True)
            ]
    return found
