"""The images of one domain as a translator sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.parts.mesh import Mesh
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.shapes import Mask, instance_mask
from cadsight_learning.data.letterbox import shrunk
from cadsight_learning.data.on_demand import OnDemand
from cadsight_learning.registry.provenance import content
from numpy.typing import NDArray

from cadsight_generation.translation.domains.normal_maps import normal_map

# Grey levels between a pixel's colours up to which it is grey: JPEG leaves some.
_GREY = 8


@dataclass(frozen=True, eq=False)
class Canvas:
    """One image at the size that the translator sees it.

    Attributes:
        image: (h, w, 3).
        mask: (h, w) of all labelled parts; None where a label has none.
        normals: (h, w, 3) in tenths of a thousand (-10000 to 10000), 0 where none is known.
        boxes: (h, w) of all labelled boxes.
    """

    image: Rgb
    mask: Mask | None
    normals: NDArray[np.int16]
    boxes: Mask

    @property
    def nbytes(self) -> int:
        return (
            self.image.nbytes + self.boxes.nbytes + self.normals.nbytes + (0 if self.mask is None else self.mask.nbytes)
        )

    def condition(self) -> NDArray[np.float32]:
        """(h, w, 4): mask and normals."""
        mask = np.zeros(self.boxes.shape, bool) if self.mask is None else self.mask
        return np.concatenate([mask[..., None], self.normals / 10_000], axis=2).astype(np.float32)


def canvas_of(sample: Sample, image: Rgb, longer: int, meshes: Mapping[int, Mesh]) -> Canvas:
    """``sample``, whose image is given, with its longer side at ``longer`` pixels."""
    small = shrunk(image, longer)
    size = small.shape[1::-1]

    def sized(mask: Mask) -> Mask:
        return np.asarray(cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)) > 127

    masks = [instance_mask(i, sample.size) for i in sample.instances]
    known = [m for m in masks if m is not None]
    together = np.any(known, axis=0) if known else np.zeros(image.shape[:2], bool)
    boxes = np.zeros(image.shape[:2], bool)
    for box in (i.box.clipped(sample.size) for i in sample.instances):
        boxes[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = True
    normals = np.zeros((*small.shape[:2], 3), np.int16)
    if meshes:
        drawn = np.asarray(cv2.resize(normal_map(sample, meshes), size, interpolation=cv2.INTER_AREA))
        normals = np.round(drawn * 10_000).astype(np.int16)
    return Canvas(small, sized(together) if len(known) == len(masks) else None, normals, sized(boxes))


@dataclass(frozen=True, eq=False)
class Domain:
    """Images of one domain.

    Attributes:
        name: 'synthetic' or 'real', for sentences.
        meshes: by class id, of which the surface normals are drawn.
        grey: whether the images have no colours.
        left_out: how many images were, by reason.
    """

    name: str
    samples: Sequence[Sample]
    meshes: Mapping[int, Mesh]
    grey: bool
    left_out: Mapping[str, int] = field(default_factory=dict)

    def canvases(self, longer: int, keep: int) -> OnDemand[Canvas]:
        """Each image with its longer side at ``longer`` pixels; ``keep`` bytes of them are kept."""

        def make(number: int) -> Canvas:
            sample = self.samples[number]
            return canvas_of(sample, read_image(sample.image), longer, self.meshes)

        return OnDemand(len(self.samples), make, keep)

    @property
    def classes(self) -> set[int]:
        """Those with a label."""
        return {i.class_id for s in self.samples for i in s.instances}


def domain_of(name: str, samples: Sequence[Sample], least: int, meshes: Mapping[int, Mesh] | None = None) -> Domain:
    """``samples`` as a domain; those with a label of an empty mask are left out and counted.

    Raises:
        CadsightError: for fewer than ``least`` images that differ, grey and coloured ones together, and an image that
            cannot be read.
    """
    kept, left_out = [], 0
    for sample in samples:
        masks = [instance_mask(i, sample.size) for i in sample.instances]
        if any(m is not None and not m.any() for m in masks):
            left_out += 1
        else:
            kept.append(sample)
    different = len({content(s) for s in kept})
    if different < least:
        raise CadsightError(f"the {name} domain has {different} images that differ, expected at least {least}")
    greys = [is_grey(read_image(s.image)) for s in with_progress(kept, len(kept), f"{name} images looked at")]
    if 0 < sum(greys) < len(greys):
        raise CadsightError(
            f"of the {name} images {sum(greys)} are grey and {len(greys) - sum(greys)} have colours, such as "
            f"{kept[greys.index(True)].image} and {kept[greys.index(False)].image}, expected all of one kind"
        )
    return Domain(name, kept, meshes or {}, greys[0], {"empty mask": left_out} if left_out else {})


def is_grey(image: Rgb) -> bool:
    """Whether (H, W, 3) has no colours, apart from what JPEG leaves."""
    return bool(np.percentile(image.max(axis=2).astype(int) - image.min(axis=2), 99) <= _GREY)


def compared(synthetic: Domain, real: Domain, names: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """Refuse what a translator would invent; what else is odd of the two, a sentence each.

    Args:
        names: of the classes of both.

    Raises:
        CadsightError: naming a synthetic class that no real image has, where real images are labelled.
    """
    there, here = ({names_[i] for i in domain.classes} for domain, names_ in zip((synthetic, real), names, strict=True))
    notes = [
        f"{count} {domain.name} images are left out: {reason}"
        for domain in (synthetic, real)
        for reason, count in domain.left_out.items()
    ]
    if not here:
        return [*notes, "no real image is labelled: crops cannot be matched by their share of parts"]
    missing = sorted(there - here)
    if missing:
        raise CadsightError(
            f"the class {missing[0]} is in synthetic images and in no real one, expected it in both: a translator "
            "would make it into something that is there"
        )
    if here - there:
        notes.append(
            f"the class {sorted(here - there)[0]} is in real images and in no synthetic one: it may be invented"
        )
    return notes
