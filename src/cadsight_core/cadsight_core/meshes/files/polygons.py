"""Polygons cut into triangles, concave ones and those with holes too."""

import manifold3d
import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array

# A corner that turns by less than this sine is straight.
_STRAIGHT = 1e-9


def cut(vertices: Array, sizes: NDArray[np.int64], corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Triangles (F, 3) of polygons, and of each the number (F,) of its polygon.

    Polygons of fewer than three corners have none. A hole is a polygon whose outline goes to it and back.

    Args:
        vertices: (V, 3).
        sizes: (N,) corners of each polygon.
        corners: (sum of sizes,) vertex indices, one polygon behind the other; the triangles hold indices into it.
    """
    starts = np.cumsum(sizes) - sizes
    found: list[NDArray[np.int64]] = [np.empty((0, 3), np.int64)]
    owners: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes >= 3]):
        number = np.flatnonzero(sizes == size)
        index = starts[number, None] + np.arange(size)
        fan = np.stack([np.zeros(size - 2, np.int64), np.arange(1, size - 1), np.arange(2, size)], axis=1)
        if size > 3:
            flat, convex = _flattened(vertices[corners[index]])
            for one in np.flatnonzero(~convex):
                cuts = manifold3d.triangulate([flat[one]], allow_convex=False)
                found.append(index[one][np.asarray(cuts, np.int64).reshape(-1, 3)])
                owners.append(np.full(len(found[-1]), number[one]))
            index, number = index[convex], number[convex]
        found.append(index[:, fan].reshape(-1, 3))
        owners.append(np.repeat(number, len(fan)))
    triangles, owner = np.concatenate(found), np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    triangles, owner = triangles[order], owner[order]
    a, b, c = corners[triangles].T
    whole = (a != b) & (b != c) & (c != a)
    return triangles[whole], owner[whole]


def _flattened(points: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Polygons (N, M, 3) in their own plane, (N, M, 2) counter-clockwise, and whether a fan cuts each."""
    following = np.roll(points, -1, axis=1)
    # Newell: right for concave polygons too, and the best plane of one that is not flat.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        normal = np.cross(points - points[:, :1], following - points[:, :1]).sum(axis=1)
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        normal = normal / length
        aside = np.eye(3)[np.abs(normal).argmin(axis=1)]
        u = np.cross(normal, aside)
        u = u / np.linalg.norm(u, axis=1, keepdims=True)
        v = np.cross(normal, u)
        local = points - points.mean(axis=1, keepdims=True)
        flat = np.stack([np.einsum("nmi,ni->nm", local, u), np.einsum("nmi,ni->nm", local, v)], axis=2)
        along = np.roll(flat, -1, axis=1) - flat
        after = np.roll(along, -1, axis=1)
        cross = along[..., 0] * after[..., 1] - along[..., 1] * after[..., 0]
        reach = np.linalg.norm(along, axis=2) * np.linalg.norm(after, axis=2)
        turns = np.arctan2(cross, (along * after).sum(axis=2))
        convex = (cross > _STRAIGHT * reach).all(axis=1) & (np.abs(turns.sum(axis=1) - 2 * np.pi) < 1e-3)
    # One without an area, or with corners that are not finite, has no plane: a fan of it has no area either.
    hopeless = ~(length[:, 0] > 0) | ~np.isfinite(flat).all(axis=(1, 2))
    return flat, convex | hopeless
