"""Sets of images as the sorter sees them, and what makes them unfit for it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb, image_size, pixels_digest, read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_learning.similarity.extractors import SecondOpinion
from torch import Tensor

from cadsight_generation.sorting.measures.quality import MAPS_SIDE, SpatialMaps
from cadsight_generation.sorting.measures.residual import Small, small

# Smaller images show nothing to the networks.
SMALLEST = 32
_BATCH = 16
# Grey values: a pixel whose deviation is less is the same in all images.
_ALIKE = 0.5


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with what is compared of them.

    Attributes:
        contents: digest of the pixels of each, whatever file holds them.
        small: (N, 48, 48) for the aligned residual.
        judged: (N, D) features of the network that judges the set as a whole.
    """

    samples: tuple[Sample, ...]
    contents: tuple[str, ...]
    small: Small
    judged: Array

    def __len__(self) -> int:
        return len(self.samples)


class Seeing:
    """Reads images, all at one size, and has networks see them."""

    def __init__(self, side: int) -> None:
        """Images are squeezed to squares of ``side`` pixels.

        Raises:
            CadsightError: when a network or its weights are missing.
        """
        self.side = side
        self.judge = SecondOpinion()
        self._maps = SpatialMaps()

    def of(self, samples: Sequence[Sample], what: str, patches: Callable[[Tensor], object]) -> ImageSet:
        """The set called ``what``; ``patches`` is called with those of a few images at once (k, L, D).

        Raises:
            CadsightError: for an empty set and an unreadable image.
        """
        if not samples:
            raise CadsightError(f"no {what} images came, expected some")
        contents: list[str] = []
        smalls, judged = [], []
        for images in self._batches(samples, f"{what} images seen"):
            contents += map(pixels_digest, images)
            squeezed = [_squeezed(image, self.side) for image in images]
            smalls += [small(image) for image in squeezed]
            judged.append(self.judge.of(squeezed))
            patches(self._maps.of(squeezed))
        return ImageSet(tuple(samples), tuple(contents), np.stack(smalls), np.concatenate(judged))

    def again(self, samples: Sequence[Sample], what: str) -> Iterator[tuple[list[Rgb], Tensor]]:
        """The squares of a set that was seen, and their patches, of a few images at once."""
        for images in self._batches(samples, what):
            squeezed = [_squeezed(image, self.side) for image in images]
            yield squeezed, self.patches(squeezed)

    def patches(self, squares: Sequence[Rgb]) -> Tensor:
        """The patches of squares, as :meth:`of` hands them on."""
        return self._maps.of(squares)

    @property
    def patch_size(self) -> int:
        """How many numbers a patch has."""
        return 2 * self._maps.size

    def _batches(self, samples: Sequence[Sample], what: str) -> Iterator[list[Rgb]]:
        tracked = iter(with_progress(samples, len(samples), what))
        while batch := [read_image(one.image) for one in islice(tracked, _BATCH)]:
            yield batch


def common_side(samples: Sequence[Sample]) -> int:
    """The side of the square at which sets are compared: that of the smallest image, so that none is called poor for
    being smaller than others; at most what the network sees.

    Raises:
        CadsightError: for an image that is too small or cannot be read.
    """
    sides = [min(image_size(s.image).width, image_size(s.image).height) for s in samples]
    least = int(np.argmin(sides))
    if sides[least] < SMALLEST:
        size = image_size(samples[least].image)
        raise CadsightError(
            f"the image {samples[least].image} has {size.width} x {size.height} pixels, expected at least {SMALLEST} "
            "each way"
        )
    return min(sides[least], MAPS_SIDE)


def check_real(trained_on: ImageSet, held_out: ImageSet) -> None:
    """Refuse real images by which nothing can be told.

    Raises:
        CadsightError: for one training image, training images that are all alike, and an image that is held out and
            trained on, or twice among the held-out ones, by the content of its pixels.
    """
    if len(trained_on) < 2:
        raise CadsightError("one training image came, expected at least two, as copies are told by what differs there")
    if trained_on.small.std(axis=0).max() < _ALIKE:
        raise CadsightError(f"all {len(trained_on)} training images are alike, expected images that differ")
    learned = dict(zip(trained_on.contents, trained_on.samples, strict=True))
    count = Counter(held_out.contents)
    for content, sample in zip(held_out.contents, held_out.samples, strict=True):
        if content in learned:
            raise CadsightError(
                f"the held-out image {sample.image} is the training image {learned[content].image}, expected images "
                "that the generator never saw"
            )
        if count[content] > 1:
            raise CadsightError(
                f"the held-out image {sample.image} is there {count[content]} times, expected each image once, as "
                "p-values count them"
            )


def check_generated(generated: ImageSet, held_out: ImageSet) -> None:
    """Refuse a held-out image that is among the generated ones.

    Raises:
        CadsightError: naming the first.
    """
    made = dict(zip(generated.contents, generated.samples, strict=True))
    for content, sample in zip(held_out.contents, held_out.samples, strict=True):
        if content in made:
            raise CadsightError(
                f"the held-out image {sample.image} is among the generated ones as {made[content].image}, expected "
                "real images"
            )


def _squeezed(image: Rgb, side: int) -> Rgb:
    if image.shape[:2] == (side, side):
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
