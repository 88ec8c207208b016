"""Training images turned into other images of the same parts, boxes with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

from cadsight_learning.data.letterbox import GREY

# A part of which less than this is left in the image is no longer a part to be found.
_LEFT_OVER = 0.3


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image with boxes (N, 4) xyxy in its pixels, their class ids (N,) and, where learned, masks (N, H, W)."""

    image: Rgb
    boxes: Array
    classes: Array
    masks: NDArray[np.bool_] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        masks = 0 if self.masks is None else self.masks.nbytes
        return self.image.nbytes + self.boxes.nbytes + self.classes.nbytes + masks


def placed(one: Labelled, shape: tuple[int, int], scale: Array, shift: Array) -> Labelled:
    """``one`` drawn on a grey canvas of ``shape`` (rows, columns): ``canvas = image * scale + shift``.

    ``scale`` and ``shift`` are (2,) for x and y; a negative scale mirrors. Boxes are clipped to the canvas, and
    those of which little is left go.
    """
    # Boxes count from the pixel's corner, OpenCV from its centre: half a pixel before and after.
    offset = scale * 0.5 + shift - 0.5
    matrix = np.array([[scale[0], 0.0, offset[0]], [0.0, scale[1], offset[1]]])
    grey = (GREY, GREY, GREY)
    warped = cv2.warpAffine(one.image, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR, borderValue=grey)
    boxes = one.boxes * np.tile(scale, 2) + np.tile(shift, 2)
    boxes = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
    boxes, keep = _clipped(boxes, (0, 0, shape[1], shape[0]))
    masks = None if one.masks is None else _warped(one.masks[keep], matrix, shape)
    return Labelled(np.asarray(warped, np.uint8), boxes[keep], one.classes[keep], masks)


def moved(one: Labelled, shape: tuple[int, int], rng: np.random.Generator) -> Labelled:
    """``one`` at a random scale (0.7 to 1.3), place and, half of the time, mirrored."""
    height, width = one.image.shape[:2]
    factor = np.exp(rng.uniform(-0.35, 0.3))
    scale = np.array([factor * rng.choice((-1, 1)), factor])
    centre = np.array([shape[1], shape[0]]) * (0.5 + rng.uniform(-0.12, 0.12, 2))
    return placed(one, shape, scale, centre - scale * (width / 2, height / 2))


def mosaic(four: Sequence[Labelled], shape: tuple[int, int], rng: np.random.Generator) -> Labelled:
    """Four images around a random centre, each at a random scale and place of its own."""
    rows, columns = shape
    x, y = int(columns * rng.uniform(0.35, 0.65)), int(rows * rng.uniform(0.35, 0.65))
    quarters = ((0, 0, x, y), (x, 0, columns, y), (0, y, x, rows), (x, y, columns, rows))
    canvas = np.empty((rows, columns, 3), np.uint8)
    boxes, classes, masks = [], [], []
    for one, (x0, y0, x1, y1) in zip(four, quarters, strict=True):
        height, width = one.image.shape[:2]
        factor = np.exp(rng.uniform(-0.7, 0.2))
        scale = np.array([factor * rng.choice((-1, 1)), factor])
        # The quarter shows a random part of the image, around a random one of its boxes if it has any.
        target = np.array([width, height]) * rng.uniform(0.3, 0.7, 2)
        if len(one.boxes):
            box = one.boxes[rng.integers(len(one.boxes))]
            target = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        centre = np.array([x0 + x1, y0 + y1]) / 2 + np.array([x1 - x0, y1 - y0]) * rng.uniform(-0.3, 0.3, 2)
        part = placed(one, shape, scale, centre - scale * target)
        canvas[y0:y1, x0:x1] = part.image[y0:y1, x0:x1]
        clipped, keep = _clipped(part.boxes, (x0, y0, x1, y1))
        boxes.append(clipped[keep])
        classes.append(part.classes[keep])
        if part.masks is not None:
            quarter = np.zeros_like(part.masks[keep])
            quarter[:, y0:y1, x0:x1] = part.masks[keep, y0:y1, x0:x1]
            masks.append(quarter)
    return Labelled(canvas, np.concatenate(boxes), np.concatenate(classes), np.concatenate(masks) if masks else None)


def varied(
    images: Sequence[Labelled], number: int, shape: tuple[int, int], fraction: float, rng: np.random.Generator
) -> Labelled:
    """The image ``number`` as a step sees it: recoloured, and moved or, in the ``fraction`` of them, a mosaic."""
    if rng.random() < fraction:
        others = rng.integers(len(images), size=3)
        one = mosaic([images[number], *(images[i] for i in others)], shape, rng)
    else:
        one = moved(images[number], shape, rng)
    return replace(one, image=recoloured(one.image, rng))


def recoloured(image: Rgb, rng: np.random.Generator, strength: float = 1.0) -> Rgb:
    """Other light and another camera: hue, saturation, value, contrast, and at times blur and noise."""
    gain = 1 + strength * rng.uniform(-1, 1, 3) * (0.015, 0.5, 0.35)
    ramp = np.arange(256, dtype=np.float32)
    hue = ((ramp + 180 * (gain[0] - 1)) % 180).astype(np.uint8)
    saturation = np.clip(ramp * gain[1], 0, 255).astype(np.uint8)
    value = np.clip(255 * (ramp / 255) ** np.exp(strength * rng.uniform(-0.3, 0.3)) * gain[2], 0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    turned = cv2.LUT(hsv, np.stack([hue, saturation, value], -1)[None])
    image = np.asarray(cv2.cvtColor(turned, cv2.COLOR_HSV2RGB), np.uint8)
    if rng.random() < 0.15 * strength:
        image = np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.uint8)
    if rng.random() < 0.3 * strength:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, 8))
        image = np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)
    return image


def relit(image: Rgb, rng: np.random.Generator) -> Rgb:
    """The same shape under a lamp that hangs elsewhere, as far as that can be had from one image.

    A random curve a channel, not a rising one, gives each face another brightness, as another lamp would; edges
    stay, and with them the shape. Up to two half-planes are darkened as by a shadow.
    """
    if rng.random() < 0.8:
        knots = np.linspace(0, 255, 6)
        # One curve for all channels, and a little of its own for each.
        curve = rng.uniform(0, 255, 6) + rng.normal(0, 20, (3, 6))
        mixed = rng.uniform(0, 1)
        values = np.arange(256)
        table = np.stack([(1 - mixed) * values + mixed * np.interp(values, knots, c) for c in curve], axis=-1)
        image = np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        image = _shaded(image, rng)
    return image


def _shaded(image: Rgb, rng: np.random.Generator) -> Rgb:
    """A random half-plane darkened or brightened, its border more or less sharp."""
    rows, columns = image.shape[:2]
    angle, softness = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.6)
    x = (np.arange(columns, dtype=np.float32) / columns - 0.5) * np.cos(angle) / softness
    y = (np.arange(rows, dtype=np.float32) / rows - 0.5) * np.sin(angle) / softness + 0.5
    fraction = np.clip(np.add.outer(y - rng.uniform(-0.4, 0.4) / softness, x).astype(np.float32), 0, 1)
    factor = 1 + fraction * np.float32(rng.uniform(0.45, 1.3) - 1)
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), dtype=cv2.CV_8U), np.uint8)


def _warped(masks: NDArray[np.bool_], matrix: Array, shape: tuple[int, int]) -> NDArray[np.bool_]:
    warped = np.zeros((len(masks), *shape), bool)
    for target, mask in zip(warped, masks, strict=True):
        target[:] = cv2.warpAffine(mask.astype(np.uint8), matrix, (shape[1], shape[0]), flags=cv2.INTER_NEAREST)
    return warped


def _clipped(boxes: Array, window: tuple[float, float, float, float]) -> tuple[Array, Array]:
    """Boxes inside ``window``, and which of them still show enough of their part."""
    inside = np.concatenate(
        [np.clip(boxes[:, ::2], window[0], window[2]), np.clip(boxes[:, 1::2], window[1], window[3])], axis=1
    )[:, [0, 2, 1, 3]]
    left, all_of_it = (np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (inside, boxes))
    return inside, (left > _LEFT_OVER * all_of_it) & (np.min(inside[:, 2:] - inside[:, :2], axis=1, initial=1e9) > 1)
