"""Changes of a patch that its labels survive, and some that they do not, to measure a check by."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.shapes import Mask
from numpy.random import Generator
from numpy.typing import ArrayLike

# A patch (H, W, 3) with its object's mask (H, W) to the changed patch, None where the change would not be seen.
Change = Callable[[Rgb, Mask, Generator], Rgb | None]
_SHIFT_PX, _TURN_DEG, _SCALE = 2.0, 4.0, 0.04
# A bite's radius in sides of the patch, and the grey levels by which its ground differs from the part.
_BITE, _SEEN = 0.12, 25.0
_TRIES = 30


@dataclass(frozen=True)
class Planted:
    """A kind of change.

    Attributes:
        geometry: whether labels do not survive it.
    """

    name: str
    change: Change
    geometry: bool


def _shift(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    angle = rng.uniform(0, 2 * np.pi)
    return _moved(image, mask, np.array([[1, 0, _SHIFT_PX * np.cos(angle)], [0, 1, _SHIFT_PX * np.sin(angle)]]), rng)


def _turn(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    turned = cv2.getRotationMatrix2D(_middle(mask), _TURN_DEG * rng.choice([-1, 1]), 1)
    return _moved(image, mask, np.asarray(turned), rng)


def _scale(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    scaled = cv2.getRotationMatrix2D(_middle(mask), 0, 1 + _SCALE * rng.choice([-1, 1]))
    return _moved(image, mask, np.asarray(scaled), rng)


def _bite(image: Rgb, mask: Mask, rng: Generator) -> Rgb | None:
    ground = _ground(image, mask)
    rows, columns = np.nonzero(mask & ~_eroded(mask))
    side = len(image)
    for _ in range(_TRIES if len(rows) else 0):
        at, radius = rng.integers(len(rows)), round(_BITE * side * rng.uniform(0.8, 1.2))
        disc = cv2.circle(np.zeros(mask.shape, np.uint8), (int(columns[at]), int(rows[at])), radius, 1, -1) > 0
        gone = disc & mask
        central = all(side / 16 < v < side * 15 / 16 for v in (rows[at], columns[at]))
        differs = np.abs(ground.astype(int) - image)[gone].max(axis=1).mean() if gone.any() else 0
        if central and gone.sum() > side and differs > _SEEN:
            return _blend(ground, image, gone.astype(np.float32))
    return None


def _gamma(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    return _bytes(255 * (image / 255) ** rng.choice([0.6, 0.75, 1.35, 1.7]))


def _hue(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + rng.integers(15, 165)) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def _blur(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.2)), np.uint8)


def _noise(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    return _bytes(image + rng.normal(0, rng.uniform(4, 10), image.shape))


def _light(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] / len(image) - 0.5
    gain = 1 + rng.uniform(0.3, 0.6) * 1.4 * (x * np.cos(angle) + y * np.sin(angle))
    return _bytes(image * gain[..., None] * rng.uniform(0.8, 1.1))


def _texture(image: Rgb, mask: Mask, rng: Generator) -> Rgb:
    cells = len(image) // int(rng.integers(4, 16))
    mottle = rng.normal(0, rng.uniform(8, 16), (cells, cells)).astype(np.float32)
    return _bytes(image + cv2.resize(mottle, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)[..., None])


PLANTED = (
    Planted("shift of 2 px", _shift, True),
    Planted("turn of 4 degrees", _turn, True),
    Planted("scale of 4 %", _scale, True),
    Planted("bite", _bite, True),
    Planted("gamma", _gamma, False),
    Planted("hue", _hue, False),
    Planted("blur", _blur, False),
    Planted("noise", _noise, False),
    Planted("light", _light, False),
    Planted("texture", _texture, False),
)


def _moved(image: Rgb, mask: Mask, matrix: Array, rng: Generator) -> Rgb:
    """Everything moved, or (every other time) the object alone before its ground."""
    size = image.shape[1::-1]
    moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        return np.asarray(moved, np.uint8)
    share = cv2.warpAffine(mask.astype(np.float32), matrix, size)
    return _blend(np.asarray(moved, np.uint8), _ground(image, mask), np.asarray(share))


def _ground(image: Rgb, mask: Mask) -> Rgb:
    """The image with its object painted over from around it."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(cv2.inpaint(image, wide, 3, cv2.INPAINT_TELEA), np.uint8)


def _blend(over: Rgb, under: Rgb, share: Array) -> Rgb:
    soft = cv2.GaussianBlur(share, (0, 0), 0.6)[..., None]
    return _bytes(over * soft + under * (1 - soft))


def _eroded(mask: Mask) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)), bool)


def _middle(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def _bytes(values: ArrayLike) -> Rgb:
    return np.clip(np.round(np.asarray(values, float)), 0, 255).astype(np.uint8)
