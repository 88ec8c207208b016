"""Which depths belong to a detected part."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array
from cadsight_core.sample import Instance
from numpy.typing import NDArray

# What stands less above its surroundings is taken for them: some deviations of a depth camera at arm's length.
_ABOVE_M = 0.004
# The surroundings reach so far beyond the box, as a fraction of its size.
_AROUND = 0.4
_TRIES = 60
_FEWEST = 30


@dataclass(frozen=True, eq=False)
class Surface:
    """Points of a part.

    Attributes:
        points: (N, 3) metres in the optical frame, at most some hundreds, spread evenly over its pixels.
        pixels: how many pixels of the part have a depth.
        step: pixels between neighbouring points, along each axis.
    """

    points: Array
    pixels: int
    step: int


def surface_of(instance: Instance, camera: Camera, depth: NDArray[np.float32], most: int = 400) -> Surface | None:
    """The part's points in ``depth`` (H, W, metres, 0 = unknown); None where fewer than 30 pixels have one.

    With a mask its inner pixels; else the largest connected piece of the box that stands above the plane of what is
    around the box.
    """
    known = np.isfinite(depth) & (depth > 0)
    chosen = _of_mask(instance.mask, known) if instance.mask is not None else _of_box(instance, camera, depth, known)
    pixels = int(chosen.sum())
    if pixels < _FEWEST:
        return None
    step = max(1, int(np.ceil(np.sqrt(pixels / most))))
    v, u = np.nonzero(chosen)
    taken = (u % step == 0) & (v % step == 0)
    return Surface(_points(camera, depth, u[taken], v[taken]), pixels, step)


def _of_mask(mask: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # On the outline a depth may be of what lies behind.
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & known


def _of_box(
    instance: Instance, camera: Camera, depth: NDArray[np.float32], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    box = instance.box.clipped(camera.size)
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    wide, high = round(_AROUND * box.width) + 2, round(_AROUND * box.height) + 2
    around = np.zeros(depth.shape, bool)
    around[max(y0 - high, 0) : y1 + high, max(x0 - wide, 0) : x1 + wide] = True
    inside = np.zeros(depth.shape, bool)
    inside[y0:y1, x0:x1] = True
    v, u = np.nonzero(around & ~inside & known)
    chosen = inside & known
    plane = _plane(_points(camera, depth, u, v)) if len(u) >= _FEWEST else None
    if plane is not None:
        normal, offset = plane
        v, u = np.nonzero(chosen)
        above = _points(camera, depth, u, v) @ normal - offset > _ABOVE_M
        chosen[v[~above], u[~above]] = False
    return _largest_piece(chosen)


def _plane(points: Array) -> tuple[Array, float] | None:
    """Normal towards the camera and offset of the plane that most of the points (N, 3) lie on (RANSAC), or None."""
    rng = np.random.default_rng(0)
    best: NDArray[np.bool_] | None = None
    for _ in range(_TRIES):
        a, b, c = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1e-9:
            continue
        on = np.abs((points - a) @ (normal / length)) < _ABOVE_M / 2
        if best is None or on.sum() > best.sum():
            best = on
    if best is None or best.sum() < len(points) / 3:
        return None
    middle = points[best].mean(axis=0)
    normal = np.linalg.svd(points[best] - middle, full_matrices=False)[2][2]
    # Towards the camera, which sits at the origin.
    normal = -normal if normal @ middle > 0 else normal
    return normal, float(normal @ middle)


def _largest_piece(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # Holes in the depth must not cut a part in pieces.
    closed = cv2.morphologyEx(chosen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(closed)
    if count < 2:
        return chosen
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    return chosen & (labels == largest)


def _points(camera: Camera, depth: NDArray[np.float32], u: NDArray[np.int64], v: NDArray[np.int64]) -> Array:
    rays = camera.rays(np.column_stack([u, v]))
    return np.asarray(rays / rays[:, 2:] * depth[v, u, None].astype(float))
