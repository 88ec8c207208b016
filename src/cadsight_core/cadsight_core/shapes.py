"""Outlines and masks of instances, whichever of the two a file gave.

An instance carries ``mask``, or what a file has under ``attributes["segmentation"]`` in COCO's words: a list of
polygons ``[x0, y0, x1, y1, ...]`` in pixels, or a run-length code. These functions see no difference. Polygon
corners count from the top left pixel's corner, as boxes do.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, decode_mask, polygons_of

Mask = NDArray[np.bool_]
Polygon = NDArray[np.float64]


def fill(polygons: Sequence[ArrayLike], size: ImageSize) -> Mask:
    """Mask (H, W) of the pixels whose centre lies in any of ``polygons`` (each (N, 2) in pixels, even-odd)."""
    mask = np.zeros((size.height, size.width), bool)
    for polygon in polygons:
        mask |= _fill_one(np.asarray(polygon, float).reshape(-1, 2), size)
    return mask


def outlines(mask: Mask) -> list[Polygon]:
    """The outer outlines (N, 2) of a mask (H, W) along pixel edges; filled again they give the mask, holes filled."""
    return _contours(mask, cv2.RETR_EXTERNAL)


def contour(mask: Mask) -> Polygon | None:
    """One polygon (N, 2) along pixel edges that is exactly the mask (H, W), its holes and parts included.

    Holes and further parts are joined to the first outline by bridges without width, which an even-odd fill such as
    :func:`fill` does not see: filled again it gives the mask pixel by pixel. None for an empty mask.
    """
    rings = _contours(mask, cv2.RETR_CCOMP)
    return joined(rings) if rings else None


def instance_polygons(instance: Instance, size: ImageSize) -> list[Polygon]:
    """The polygons that the instance came with, else the outlines of its mask; none where it has neither.

    Raises:
        CadsightError: for a run-length code that does not fit ``size``.
    """
    given = given_polygons(instance)
    if given:
        return given
    mask = instance_mask(instance, size)
    return [] if mask is None else outlines(mask)


def instance_contour(instance: Instance, size: ImageSize) -> Polygon | None:
    """One polygon (N, 2) that covers, filled even-odd, what the instance's shape does; None where it has no shape.

    Raises:
        CadsightError: for a run-length code that does not fit ``size``.
    """
    given = given_polygons(instance)
    if len(given) == 1:
        return given[0]
    mask = instance_mask(instance, size)
    if mask is None:
        return None
    # Polygons that lie over each other would cancel out in one.
    if given and np.array_equal(fill([joined(given)], size), mask):
        return joined(given)
    return contour(mask)


def given_polygons(instance: Instance) -> list[Polygon]:
    """The polygons that the instance came with, each (N, 2) in pixels.

    Raises:
        CadsightError: for one that is no list of numbers.
    """
    segmentation = instance.attributes.get("segmentation")
    return polygons_of(segmentation) if isinstance(segmentation, list) else []


def instance_mask(instance: Instance, size: ImageSize) -> Mask | None:
    """Mask (H, W) of the instance, None where only its box is known.

    Raises:
        CadsightError: for a run-length code that does not fit ``size``.
    """
    if instance.mask is not None:
        return instance.mask
    segmentation = instance.attributes.get("segmentation")
    if isinstance(segmentation, dict):
        return decode_mask(run_lengths(segmentation), size)
    polygons = given_polygons(instance)
    return fill(polygons, size) if polygons else None


def run_lengths(code: dict[str, Any]) -> dict[str, Any]:
    """COCO's run-length code with its counts as a list, decoded where they are packed in a string.

    Raises:
        CadsightError: when size or counts are missing or no such code.
    """
    size, counts = code.get("size"), code.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not isinstance(counts, list | str):
        raise CadsightError(f"a run-length code has the keys {sorted(code)}, expected size [height, width] and counts")
    try:
        return {"size": size, "counts": _unpacked(counts) if isinstance(counts, str) else [int(c) for c in counts]}
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        raise CadsightError(f"the counts of a run-length code cannot be decoded: {error}") from error


def bounds(polygons: Sequence[ArrayLike]) -> Box:
    """The box around all corners."""
    corners = np.concatenate([np.asarray(p, float).reshape(-1, 2) for p in polygons])
    return Box(*map(float, (*corners.min(axis=0), *corners.max(axis=0))))


def area(polygon: ArrayLike) -> float:
    """Area of a polygon (N, 2) in square pixels, by the shoelace formula."""
    x, y = np.asarray(polygon, float).reshape(-1, 2).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def cut(polygons: Sequence[ArrayLike], size: ImageSize) -> list[Polygon]:
    """The parts of polygons (each (N, 2) in pixels, even-odd) inside the image; those wholly inside stay as they are.

    What a polygon has inside may be several parts; a part with holes is one polygon with bridges to them.
    """
    found: list[Polygon] = []
    for given in polygons:
        points = np.asarray(given, float).reshape(-1, 2)
        if (points >= 0).all() and (points <= (size.width, size.height)).all():
            found.append(points)
            continue
        if len(points) >= 3:
            points = points.round(9)  # numbers such as 1e-167 cost shapely corners
            ring = shapely.Polygon(points)
            whole = ring if ring.is_valid else _by_even_and_odd(points)
            parts = _rings(shapely.intersection(whole, shapely.box(0, 0, size.width, size.height)))
            found += [np.clip(p, 0, (size.width, size.height)) for p in parts]  # rounding may leave it by a hair
    return found


def is_crowd(instance: Instance) -> bool:
    """Whether it is a region of many objects (COCO's ``iscrowd``): learned from by nobody and counted by nobody."""
    return bool(instance.attributes.get("iscrowd", 0))


def has_shape(instance: Instance) -> bool:
    """Whether it has a mask, a run-length code or polygons."""
    return instance.mask is not None or bool(instance.attributes.get("segmentation"))


def joined(polygons: Sequence[Polygon]) -> Polygon:
    """One polygon (N, 2) that covers what several do, joined by bridges without width."""
    if len(polygons) == 1:
        return polygons[0]
    closed = [np.vstack([p, p[:1]]) for p in polygons]
    back = [p[:1] for p in reversed(polygons[:-1])]
    return np.vstack([*closed, *back])


def _by_even_and_odd(points: Polygon) -> "shapely.Geometry":
    """What a ring (N, 2) that crosses or touches itself covers, as fill counts it; make_valid counts an edge once that
    is gone there and back."""
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(shapely.LinearRing(points))]))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    (x0, y0), (x1, y1) = points.T[:, :, None], np.roll(points, -1, axis=0).T[:, :, None]
    x, y = inside.T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return shapely.union_all(faces[crossed.sum(axis=0) % 2 == 1])


def _rings(geometry: "shapely.Geometry") -> list[Polygon]:
    """The polygons of what shapely cut, without repeated last corners; points and lines are none."""
    if isinstance(geometry, shapely.Polygon):
        rings = [np.array(ring.coords)[:-1] for ring in (geometry.exterior, *geometry.interiors)]
        return [joined(rings)] if geometry.area > 0 else []
    parts = getattr(geometry, "geoms", ())
    return [polygon for part in parts for polygon in _rings(part)]


def _fill_one(polygon: Polygon, size: ImageSize) -> Mask:
    # Each edge flips all pixels to its right in the rows whose centre it crosses: a cumulative sum does the rest.
    flips = np.zeros((size.height, size.width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, last = (int(np.clip(np.ceil(y - 0.5), 0, size.height)) for y in (y0, y1))
        if first >= last:
            continue
        rows = np.arange(first, last)
        crossings = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        columns = np.clip(np.ceil(crossings - 0.5), 0, size.width).astype(int)
        flips[rows, columns] += 1
    return np.cumsum(flips[:, :-1], axis=1) % 2 == 1


def _contours(mask: Mask, mode: int) -> list[Polygon]:
    box = Box.from_mask(mask)
    if box is None:
        return []
    x0, y0, x1, y1 = map(int, box.as_tuple())
    # At twice the size the border pixels' indices map one to one to the edges that they touch.
    window = np.asarray(mask[y0:y1, x0:x1], np.uint8)
    doubled = cv2.resize(window, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(doubled, mode, cv2.CHAIN_APPROX_SIMPLE)
    return [np.add(_corners((points[:, 0].astype(int) + 1) // 2), (x0, y0)) for points in contours]


def _corners(outline: NDArray[np.integer]) -> Polygon:
    """Only the points where the outline turns."""
    steps = outline - np.concatenate([outline[-1:], outline[:-1]])
    moved = (steps != 0).any(axis=1)
    points, before = outline[moved], steps[moved]
    after = np.concatenate([before[1:], before[:1]])
    (x, y), (dx, dy) = before.T, after.T
    return points[(x * dy != y * dx) | (x * dx + y * dy < 0)].astype(float)


def _unpacked(text: str) -> list[int]:
    """COCO's packed counts: six bits a character from 48 on, differences to the count before the last."""
    counts: list[int] = []
    position = 0
    while position < len(text):
        value = shift = 0
        more = True
        while more:
            c = ord(text[position]) - 48
            if not 0 <= c < 64:
                raise ValueError(f"character {text[position]!r} at {position}")
            value |= (c & 0x1F) << shift
            more = bool(c & 0x20)
            position += 1
            shift += 5
            if not more and c & 0x10:
                value |= -1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts
