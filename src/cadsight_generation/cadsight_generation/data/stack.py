"""A set of images as one block of pixels of one size, each known by its content."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from cadsight_core.datasets.derived import end_to_end
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import of_splits
from cadsight_learning.registry.provenance import content
from numpy.typing import NDArray
from torch import Tensor

from cadsight_core import formats

# Images whose shapes differ by no more than this factor are pulled to one.
_SAME_SHAPE = 1.1
# A mean difference of so many of 255 grey levels at 32 pixels is what another encoding of the same image makes.
_SAME_IMAGE, _LOOKED_AT = 1.5, 32
# Channels of an image; a mask is the one after them.
COLOURS = 3


@dataclass(frozen=True)
class Wanted:
    """How images are taken.

    Attributes:
        size: side in pixels, whatever the shape they come in.
        masks: whether the fourth channel is the mask of the parts; None where that depends on whether all have one.
        grey: whether colours are taken out.
    """

    size: int
    masks: bool | None = None
    grey: bool = False


@dataclass(frozen=True, eq=False)
class ImageStack:
    """Images of one size.

    Attributes:
        pixels: (N, C, size, size) uint8, C the colours, and where there are masks a fourth channel from 0 to 255.
        contents: SHA-256 of each image's file.
        origins: what each is, such as ``real`` or ``synthetic``.
        aspect: width by height of the images before.
        label: the class of what the masks show, '' where there are none.
        notes: sentences on what was left out or changed.
    """

    pixels: Tensor
    contents: tuple[str, ...]
    origins: tuple[str, ...]
    aspect: float
    label: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.contents)


@dataclass(frozen=True, eq=False)
class FoundImages:
    """Images of data sets or folders, not read yet.

    Attributes:
        samples: by the SHA-256 of their files.
        named: where they come from, in words.
    """

    samples: dict[str, Sample]
    classes: tuple[str, ...]
    named: str
    notes: tuple[str, ...] = ()

    def only(self, contents: Sequence[str]) -> "FoundImages":
        """Those of ``contents``, in their order."""
        return dataclasses.replace(self, samples={c: self.samples[c] for c in contents}, notes=())


def find_images(paths: Sequence[str | Path], reading: Reading | None = None) -> FoundImages:
    """The images of data sets or folders, each once, without those of the splits ``valid`` and ``test``.

    Raises:
        CadsightError: for a set that cannot be read, and where nothing is left to learn from.
    """
    loaded = [formats.load(path, reading) for path in paths]
    every = end_to_end(*(samples for samples, _ in loaded))
    classes = tuple(dict.fromkeys(name for _, names in loaded for name in names))
    samples = of_splits(every, ("train", ""))
    named = ", ".join(map(str, paths))
    if not samples:
        raise CadsightError(f"{named} have no image to learn from, expected some that are not of valid or test")
    notes = []
    if len(samples) < len(every):
        left = len(every) - len(samples)
        notes.append(f"{left} of {len(every)} images are of other splits than train and are left out")
    found: dict[str, Sample] = {}
    for sample in samples:
        found.setdefault(content(sample), sample)
    if len(found) < len(samples):
        notes.append(f"{len(samples) - len(found)} of {len(samples)} images are copies of others and are left out")
    return FoundImages(found, classes, named, tuple(notes))


def read_stack(found: FoundImages, wanted: Wanted) -> ImageStack:
    """Read the images that were found.

    Raises:
        CadsightError: for an image that cannot be read, shapes or colours that differ, and masks that are asked for and
            not there, or empty.
    """
    samples = list(found.samples.values())
    masks = _with_masks(found, wanted.masks)
    aspect, notes = _aspect(samples), list(found.notes)
    small = [s for s in samples if min(s.size.width, s.size.height) < wanted.size]
    if small:
        notes.append(
            f"{len(small)} of {len(samples)} images are smaller than {wanted.size} pixels and are enlarged, "
            f"the first is {small[0].image}"
        )
    images = [_pixels(s, wanted, masks) for s in with_progress(samples, len(samples), "images read")]
    if not wanted.grey:
        _refuse_mixed(samples, [grey for _, grey in images])
    stack = np.stack([pixels for pixels, _ in images])
    if masks and not stack[..., COLOURS].any():
        raise CadsightError(
            f"the {len(samples)} images of {found.named} have no pixel of a mask, expected parts in some"
        )
    return ImageStack(
        torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous(),
        tuple(found.samples),
        tuple(sample.origin for sample in samples),
        aspect,
        found.classes[0] if masks else "",
        tuple(notes),
    )


def refuse_alike(stack: ImageStack, named: str) -> None:
    """Refuse images of which nothing but one image can be learned.

    Raises:
        CadsightError: for fewer than two, and where all look the same.
    """
    if len(stack) < 2:
        raise CadsightError(f"{named} has one image, expected at least 2 that differ, and better 10")
    small = np.stack([_looked_at(image) for image in stack.pixels.permute(0, 2, 3, 1).numpy()])
    if np.abs(small - small[:1]).mean(axis=(1, 2, 3)).max() < _SAME_IMAGE:
        raise CadsightError(f"the {len(stack)} images of {named} all look the same, expected some that differ")


def same_shape(one: float, other: float) -> bool:
    """Whether images of these aspects can be pulled to one shape unseen."""
    return max(one, other) <= _SAME_SHAPE * min(one, other)


def _with_masks(found: FoundImages, wanted: bool | None) -> bool:
    """Whether masks are taken."""
    if wanted is False:
        return False
    samples, reason = found.samples.values(), ""
    without = [s for s in samples if any(i.mask is None for i in s.instances)]
    some = any(i.mask is not None for s in samples for i in s.instances)
    if not some or without:
        lacking = len(without) if some else len(samples)
        reason = f"{lacking} of {len(samples)} images of {found.named} have no mask, expected one in each"
    elif len(found.classes) != 1:
        classes = ", ".join(found.classes)
        reason = f"{found.named} have the classes {classes}, expected one: a mask channel tells none apart"
    if reason and wanted:
        raise CadsightError(reason)
    empty = next((s for s in samples for i in s.instances if i.mask is not None and not i.mask.any()), None)
    if not reason and empty is not None:
        raise CadsightError(f"a mask of {empty.name} ({empty.image}) is empty, expected the pixels of a part")
    return not reason


def _aspect(samples: Sequence[Sample]) -> float:
    ordered = sorted(samples, key=lambda s: s.size.width / s.size.height)
    narrow, wide = ordered[0], ordered[-1]
    aspects = [s.size.width / s.size.height for s in (narrow, wide)]
    if not same_shape(*aspects):
        sizes = " and ".join(f"{s.image.name} of {s.size.width} x {s.size.height} pixels" for s in (narrow, wide))
        raise CadsightError(f"the images have several shapes, such as {sizes}, expected one: cut them to one first")
    middle = ordered[len(ordered) // 2].size
    return middle.width / middle.height


def _pixels(sample: Sample, wanted: Wanted, masks: bool) -> tuple[NDArray[np.uint8], bool]:
    """The pixels (size, size, C) of a sample, and whether it was grey."""
    image = read_image(sample.image)
    grey = bool((image[..., :1] == image).all())
    resized = _resized(image, wanted.size)
    if wanted.grey:
        resized = np.repeat(cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if not masks:
        return resized, grey
    union = np.zeros(image.shape[:2], bool)
    for instance in sample.instances:
        if instance.mask is not None:
            union |= instance.mask
    mask = _resized(union.astype(np.uint8) * 255, wanted.size)
    return np.dstack([resized, mask]), grey


def _resized(image: NDArray[np.uint8], size: int) -> Rgb:
    larger = min(image.shape[:2]) < size
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC if larger else cv2.INTER_AREA).astype(np.uint8)


def _refuse_mixed(samples: Sequence[Sample], grey: Sequence[bool]) -> None:
    if any(grey) and not all(grey):
        first = next(sample for sample, one in zip(samples, grey, strict=True) if one)
        raise CadsightError(
            f"{sum(grey)} of {len(samples)} images are grey and the others in colour, the first is {first.image}, "
            "expected all alike, or --grey to learn from all of them in grey"
        )


def _looked_at(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return cv2.resize(image, (_LOOKED_AT, _LOOKED_AT), interpolation=cv2.INTER_AREA).astype(float)
