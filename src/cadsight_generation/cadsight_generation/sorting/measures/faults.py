"""Faults that networks make, drawn on real images: blur, warps, foreign or missing regions, ghosts, patterns, grain.

As in Li et al. 2021 (CutPaste) what is faulty is learned from real images alone, with more kinds of faults.
"""

from collections.abc import Callable

import cv2
import numpy as np
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Rng = np.random.Generator
# (image, another real one of the same size, random numbers) -> the faulty image, and where its fault lies.
Fault = Callable[[Rgb, Rgb, Rng], tuple[Rgb, Mask]]


def with_fault(image: Rgb, other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    """``image`` (S, S, 3) with a fault at random, and where it lies (S, S)."""
    return FAULTS[int(rng.integers(len(FAULTS)))](image, other, rng)


def _blurred(image: Rgb, _other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    return _as_rgb(cv2.GaussianBlur(image, (0, 0), len(image) * rng.uniform(0.006, 0.018))), _everywhere(image)


def _warped(image: Rgb, _other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    side = len(image)
    flow = rng.standard_normal((side, side, 2)).astype(np.float32)
    flow = np.asarray(cv2.GaussianBlur(flow, (0, 0), side * rng.uniform(0.03, 0.08)))
    flow *= side * rng.uniform(0.02, 0.05) / np.abs(flow).max()
    down, right = np.mgrid[:side, :side].astype(np.float32)
    moved = cv2.remap(image, right + flow[..., 0], down + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return _as_rgb(moved), np.hypot(flow[..., 0], flow[..., 1]) > 0.008 * side


def _pasted(image: Rgb, other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    """A region of the other image; the fault is its edge, as both are good by themselves."""
    region, around = _region(len(image), rng), np.ones((9, 9), np.uint8)
    mask = region.astype(np.uint8)
    return np.where(region[..., None], other, image), cv2.dilate(mask, around) > cv2.erode(mask, around)


def _erased(image: Rgb, _other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    region = _region(len(image), rng)
    fills = (
        np.broadcast_to(image.mean(axis=(0, 1)), image.shape),
        np.broadcast_to(image[region].mean(axis=0), image.shape),
        cv2.GaussianBlur(image, (0, 0), len(image) * 0.05),
        np.broadcast_to(rng.uniform(0, 255, 3), image.shape),
    )
    return _as_rgb(np.where(region[..., None], fills[int(rng.integers(len(fills)))], image)), region


def _ghost(image: Rgb, other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    share = rng.uniform(0.25, 0.6)
    return _as_rgb(cv2.addWeighted(image, 1 - share, other, share, 0)), _everywhere(image)


def _patterned(image: Rgb, _other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    period = max(round(len(image) * rng.uniform(0.008, 0.04)), 1)
    down, right = np.mgrid[: len(image), : len(image)] // period
    pattern = (((down + right) % 2) * 2 - 1)[..., None]
    return _as_rgb(image + pattern * rng.uniform(6, 25)), _everywhere(image)


def _grainy(image: Rgb, _other: Rgb, rng: Rng) -> tuple[Rgb, Mask]:
    return _as_rgb(image + rng.normal(0, rng.uniform(4, 16), image.shape)), _everywhere(image)


FAULTS: tuple[Fault, ...] = (_blurred, _warped, _pasted, _erased, _ghost, _patterned, _grainy)


def _region(side: int, rng: Rng) -> Mask:
    """A half of the image, along any line, or a box in it."""
    down, right = np.mgrid[:side, :side] / side
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
        across = np.cos(angle) * (right - rng.uniform(0.3, 0.7)) + np.sin(angle) * (down - rng.uniform(0.3, 0.7))
        return np.asarray(across > 0)
    height, width = rng.uniform(0.15, 0.5, 2)
    top, left = rng.uniform(0, 1 - height), rng.uniform(0, 1 - width)
    inside = (down >= top) & (down < top + height) & (right >= left) & (right < left + width)
    return np.asarray(inside)


def _everywhere(image: Rgb) -> Mask:
    return np.ones(image.shape[:2], bool)


def _as_rgb(values: NDArray[np.generic]) -> Rgb:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
