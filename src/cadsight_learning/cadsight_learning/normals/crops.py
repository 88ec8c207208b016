"""Crops to learn normals from: as they were taken, and seen again by a camera turned, shifted or nearer."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.crop_size import CROP_SIZE
from cadsight_core.imaging.crops import crop, crop_box
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.parts.part import Symmetry
from cadsight_core.parts.symmetry import EqualNormals
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from numpy.typing import NDArray

from cadsight_learning.data.on_demand import OnDemand
from cadsight_learning.normals.regressor import crop_rotation

# By class id: the symmetries of a part, as its YAML names them.
Symmetries = Mapping[int, Sequence[Symmetry]]
# The image around a crop that is kept for turning it, in sides of the crop.
_AROUND = 1.7
# Fraction of training crops whose ground is replaced, where the part's mask is known.
_OTHER_GROUND = 0.6


@dataclass(frozen=True, eq=False)
class View:
    """One part of one image.

    Attributes:
        crop: (224, 224, 3), the crop that everybody uses.
        around: image around the crop, square, with the crop's centre in its middle.
        mask: (as ``around``) uint8, 255 on the part, where known.
        scale: pixels of ``around`` a pixel of ``crop``.
        outline: (N, 2) points in pixels of ``crop`` about its centre, around the part.
        same: the labelled normal and all that look the same, in the crop's viewing frame.
        rotation: (3, 3), ``normal_camera = rotation @ normal``.
    """

    name: str
    crop: Rgb
    around: Rgb
    mask: NDArray[np.uint8] | None
    scale: float
    outline: Array
    same: EqualNormals
    rotation: Array

    @property
    def nbytes(self) -> int:
        """Bytes of its images."""
        return self.crop.nbytes + self.around.nbytes + (0 if self.mask is None else self.mask.nbytes)

    @property
    def normal(self) -> Array:
        """(3,) as it is labelled, in the crop's viewing frame."""
        return self.same.directions[0]


def views(samples: Sequence[Sample], size: int = CROP_SIZE, symmetries: Symmetries | None = None) -> list[View]:
    """Every labelled normal of ``samples``, with those that look the same where the instance's pose is known.

    Raises:
        CadsightError: when an image cannot be read, or no sample has a normal.
    """
    tracked = with_progress(samples, len(samples), "crops")
    found = [view for sample in tracked for view in _views_of(sample, size, symmetries or {})]
    if not found:
        raise CadsightError(f"none of {len(samples)} samples has a normal, expected labels with normals")
    return found


def views_on_demand(
    samples: Sequence[Sample], size: int = CROP_SIZE, symmetries: Symmetries | None = None, keep: int = 0
) -> OnDemand[View]:
    """As :func:`views`, each made when it is taken out; ``keep`` bytes of them are kept.

    Raises:
        CadsightError: when no sample has a normal; the image is read when one of it is taken out.
    """
    labels = [
        (number, which)
        for number, sample in enumerate(samples)
        for which in range(sum(i.normal is not None for i in sample.instances))
    ]
    if not labels:
        raise CadsightError(f"none of {len(samples)} samples has a normal, expected labels with normals")

    def make(label: int) -> View:
        number, which = labels[label]
        return _views_of(samples[number], size, symmetries or {})[which]

    return OnDemand(len(labels), make, keep)


def views_in(sample: Sample, image: Rgb, size: int, symmetries: Symmetries) -> list[View]:
    """Every labelled normal of one sample, whose image is given (see :func:`views`)."""
    with_normal = [i for i in sample.instances if i.normal is not None]
    found = []
    for number, instance in enumerate(with_normal):
        rotation = crop_rotation(sample.camera, instance.box, sample.size)
        box = crop_box(instance.box, sample.size)
        around, scale = _surroundings(image, box, size)
        mask = None
        if instance.mask is not None:
            mask = _surroundings(instance.mask.astype(np.uint8) * 255, box, size, cv2.BORDER_CONSTANT)[0]
        name = sample.name if len(with_normal) == 1 else f"{sample.name}-{number}"
        outline = (_outline(instance.box, instance.mask) - box.centre) * size / box.width
        pose = instance.camera_from_part
        same = EqualNormals.of(
            rotation.T @ np.asarray(instance.normal, float),
            None if pose is None else rotation.T @ pose.rotation,
            symmetries.get(instance.class_id, ()),
        )
        found.append(View(name, crop(image, instance.box, size), around, mask, scale, outline, same, rotation))
    return found


def seen_again(
    view: View, rng: np.random.Generator, turn_deg: float, size: int = CROP_SIZE
) -> tuple[Rgb, EqualNormals]:
    """The part turned by up to ``turn_deg`` in the image's plane, cropped anew, and its normals turned with it.

    The camera has rolled about the crop's viewing ray; the box is found a little wrong, as a detector would.
    """
    angle = np.deg2rad(rng.uniform(-turn_deg, turn_deg))
    rotation = in_plane(angle)
    outline = view.outline @ rotation.T
    low, high = outline.min(axis=0), outline.max(axis=0)
    side = float((high - low).max()) * np.exp(rng.normal(0, 0.03))
    centre = (low + high) / 2 + rng.normal(0, 0.02, 2) * side
    seen = recropped(view, angle, centre, side, size)
    if view.mask is not None and rng.random() < _OTHER_GROUND:
        part = recropped(dataclasses.replace(view, around=view.mask), angle, centre, side, size)
        seen = on_other_ground(seen, part, rng)
    roll = np.eye(3)
    roll[:2, :2] = rotation
    return seen, view.same.turned(roll)


def on_other_ground(image: Rgb, mask: NDArray[np.uint8], rng: np.random.Generator) -> Rgb:
    """The part of ``mask`` (255 on it) before a plain or graded ground: shadows and arm are gone."""
    corners = np.clip(rng.uniform(0, 255, 3) + rng.normal(0, 25, (2, 2, 3)), 0, 255).astype(np.float32)
    if rng.random() < 0.5:  # most cells are light
        corners = np.clip(rng.uniform(150, 255) + rng.normal(0, 12, (2, 2, 3)), 0, 255).astype(np.float32)
    ground = cv2.resize(corners, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    fraction = mask.astype(np.float32) / 255
    return np.asarray(cv2.blendLinear(image, ground.astype(np.uint8), fraction, 1 - fraction), np.uint8)


def recropped(view: View, angle: float, centre: Array, side: float, size: int = CROP_SIZE) -> Rgb:
    """The square of ``side`` about ``centre`` (crop pixels about the crop's centre) of the view turned by ``angle``."""
    # Output pixel -> turned crop pixel -> crop pixel -> pixel of `around`, all about their centres.
    step = side / size * view.scale
    back = in_plane(-angle)
    middle = (view.around.shape[0] - 1) / 2
    shift = back @ centre * view.scale + middle - back @ np.full(2, (size - 1) / 2) * step
    matrix = np.column_stack([back * step, shift])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(view.around, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def in_plane(angle: float) -> Array:
    """(2, 2) rotation by ``angle`` radians, from x (right) towards y (down): clockwise as one looks at the image."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _views_of(sample: Sample, size: int, symmetries: Symmetries) -> list[View]:
    if all(i.normal is None for i in sample.instances):
        return []
    return views_in(sample, read_image(sample.image), size, symmetries)


def _surroundings(image: Rgb, box: Box, size: int, border: int = cv2.BORDER_REPLICATE) -> tuple[Rgb, float]:
    """The image around a square ``box``, as fine as the crop or the image, and its pixels a crop's pixel."""
    margin = math.ceil(box.width * (_AROUND - 1) / 2)
    width = int(box.width) + 2 * margin
    x0, y0 = int(box.x0) - margin, int(box.y0) - margin
    rows, columns = image.shape[:2]
    padding = max(-x0, -y0, x0 + width - columns, y0 + width - rows, 0)
    if padding:
        image = np.asarray(cv2.copyMakeBorder(image, padding, padding, padding, padding, border), np.uint8)
    around = image[y0 + padding : y0 + padding + width, x0 + padding : x0 + padding + width]
    scale = box.width / size
    if scale > 1:  # finer than the crop: shrunk by area as the crop is
        side = round(width / scale)
        around = np.asarray(cv2.resize(around, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        scale = side / width * scale
    return np.ascontiguousarray(around), scale


def _outline(box: Box, mask: np.ndarray | None) -> Array:
    """Points (N, 2) around the part in the image; where no mask is known, the ellipse in its box."""
    if mask is not None and mask.any():
        rows, columns = np.nonzero(mask)
        points = np.column_stack([columns, rows]).astype(np.float32)
        return cv2.convexHull(points)[:, 0].astype(float) + 0.5
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    half = np.array([box.width, box.height]) / 2
    return np.column_stack([np.cos(angles), np.sin(angles)]) * half + box.centre
