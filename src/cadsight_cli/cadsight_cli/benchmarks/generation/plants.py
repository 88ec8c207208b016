"""Images of which is known what they are: copies, corrupted and slightly corrupted ones."""

from collections.abc import Callable

import cv2
import numpy as np
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

Rng = np.random.Generator
# (image, another one, random numbers) -> the planted image.
Plant = Callable[[Rgb, Rgb, Rng], Rgb]


def _shifted(image: Rgb, _other: Rgb, rng: Rng) -> Rgb:
    """By up to a 28th of its size, 8 pixels of 224."""
    height, width = image.shape[:2]
    right, down = rng.uniform(-1, 1, 2) * (width / 28, height / 28)
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return _rgb(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT))


def _relit(image: Rgb, _other: Rgb, rng: Rng) -> Rgb:
    """Another gain of each channel, gamma, and light from one side."""
    side = np.linspace(rng.uniform(0.8, 1), rng.uniform(1, 1.2), image.shape[1])[None, :, None]
    gains = rng.uniform(0.8, 1.2) * rng.uniform(0.95, 1.05, 3)
    return _rgb(255 * (image / 255) ** rng.uniform(0.75, 1.35) * gains * side)


def _jpeg(image: Rgb, _other: Rgb, _rng: Rng) -> Rgb:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 25])
    return _rgb(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def _mirrored(image: Rgb, _other: Rgb, _rng: Rng) -> Rgb:
    return np.ascontiguousarray(image[:, ::-1])


def _grainy(image: Rgb, _other: Rgb, rng: Rng) -> Rgb:
    return _rgb(image + rng.normal(0, 3, image.shape))


def _blurred(of_size: float) -> Plant:
    return lambda image, _other, _rng: _rgb(cv2.GaussianBlur(image, (0, 0), of_size * min(image.shape[:2])))


def _checkerboard(image: Rgb, _other: Rgb, _rng: Rng) -> Rgb:
    down, right = np.mgrid[: image.shape[0], : image.shape[1]] // 4
    return _rgb(image + ((((down + right) % 2) * 2 - 1) * 18)[..., None])


def _warped(of_size: float) -> Plant:
    def warp(image: Rgb, _other: Rgb, rng: Rng) -> Rgb:
        height, width = image.shape[:2]
        flow = rng.standard_normal((height, width, 2)).astype(np.float32)
        flow = np.asarray(cv2.GaussianBlur(flow, (0, 0), width / 18))
        flow *= of_size * width / np.abs(flow).max()
        down, right = np.mgrid[:height, :width].astype(np.float32)
        maps = right + flow[..., 0], down + flow[..., 1]
        return _rgb(cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))

    return warp


def _erased(image: Rgb, _other: Rgb, rng: Rng) -> Rgb:
    """A patch of a third of its size in its mean colour."""
    planted, (height, width) = image.copy(), image.shape[:2]
    top, left = int(rng.integers(height - height // 3)), int(rng.integers(width - width // 3))
    planted[top : top + height // 3, left : left + width // 3] = image.mean(axis=(0, 1))
    return planted


def _ghost(image: Rgb, other: Rgb, _rng: Rng) -> Rgb:
    return _rgb(cv2.addWeighted(image, 0.5, other, 0.5, 0))


def _halves(image: Rgb, other: Rgb, _rng: Rng) -> Rgb:
    planted, middle = image.copy(), image.shape[1] // 2
    planted[:, middle:] = other[:, middle:]
    return planted


COPIES: dict[str, Plant] = {"shifted": _shifted, "relit": _relit, "JPEG": _jpeg, "mirrored": _mirrored}
CORRUPTED: dict[str, Plant] = {
    "blur": _blurred(0.0134),
    "checkerboard": _checkerboard,
    "warp": _warped(0.036),
    "erased patch": _erased,
    "ghost": _ghost,
    "half and half": _halves,
}
MILD: dict[str, Plant] = {"mild blur": _blurred(0.0045), "mild warp": _warped(0.013)}
GENERATOR: dict[str, Plant] = {"copying generator": _grainy}


def _rgb(values: NDArray[np.generic]) -> Rgb:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
