"""The largest distance between two of many points."""

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array

_LEAF = 16
_CHUNK = 200_000


def farthest_distance(points: Array) -> float:
    """Largest distance of two points (N, 3), exactly.

    The points are halved again and again into boxes. Pairs of boxes whose farthest corners are nearer to each other
    than two points that are known are left, the others are halved further (dual-tree branch and bound). On a ball all
    boxes have one as far as that; there the sides of a parallelogram tell: of two points p and q as seen from a middle,
    ``|p - q|^2 = 2 |p|^2 + 2 |q|^2 - |p + q|^2``.
    """
    known, middle = _reached(points)
    points = points - middle
    away = np.einsum("ij,ij->i", points, points)
    # Two so far apart are both far from the middle.
    points = points[np.sqrt(away) >= (known - np.sqrt(away.max())) * (1 - 1e-12)]
    away = np.einsum("ij,ij->i", points, points)
    count = len(points)
    levels = max(int(np.ceil(np.log2(max(count, 1) / _LEAF))), 0)
    order = _halved(points, levels)
    size = len(order) >> levels
    first, second = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for level in range(levels + 1):
        grouped = points[order].reshape(1 << level, -1, 3)
        low, high, far = grouped.min(axis=1), grouped.max(axis=1), away[order].reshape(1 << level, -1).max(axis=1)
        if level:
            # Every pair of halves, each once.
            both = [(2 * first + i, 2 * second + j) for i in (0, 1) for j in (0, 1)]
            first, second = (np.concatenate(half) for half in zip(*both, strict=True))
            first, second = first[first <= second], second[first <= second]
        reach = np.maximum(high[first] - low[second], high[second] - low[first])
        sums = np.maximum(np.maximum(low[first] + low[second], -high[first] - high[second]), 0)
        sides = 2 * (far[first] + far[second]) - np.einsum("ij,ij->i", sums, sums)
        kept = np.minimum(np.einsum("ij,ij->i", reach, reach), sides) > known**2
        first, second = first[kept], second[kept]
    leaves = points[order].reshape(-1, size, 3)
    for begin in range(0, len(first), max(_CHUNK // size**2, 1)):
        end = begin + max(_CHUNK // size**2, 1)
        apart = leaves[first[begin:end], :, None] - leaves[second[begin:end], None, :]
        known = max(known, float(np.sqrt(np.einsum("nabj,nabj->nab", apart, apart).max(initial=0.0))))
    return known


def _halved(points: Array, levels: int) -> NDArray[np.int64]:
    """An order of the points in which each half, half of a half and so on is a box of its own; some points twice."""
    size = -(-len(points) // (1 << levels))
    order = np.resize(np.arange(len(points)), size << levels)
    for level in range(levels):
        grouped = order.reshape(1 << level, -1)
        positions = points[grouped]
        axis = np.ptp(positions, axis=1).argmax(axis=1)
        along = np.take_along_axis(positions, axis[:, None, None], axis=2)[..., 0]
        order = np.take_along_axis(grouped, np.argpartition(along, grouped.shape[1] // 2, axis=1), axis=1).ravel()
    return order


def _reached(points: Array) -> tuple[float, Array]:
    """The distance of two points far apart, and their middle (3,): from one to the farthest, and on from that."""
    known, middle = 0.0, points[0]
    for axis in (
        *np.eye(3),
        np.array([1.0, 1, 1]),
        np.array([1.0, -1, 1]),
        np.array([-1.0, 1, 1]),
        np.array([1.0, 1, -1]),
    ):
        here = points[int(np.argmax(points @ axis))]
        for _ in range(3):
            away = np.linalg.norm(points - here, axis=1)
            there = points[int(away.argmax())]
            if away.max() > known:
                known, middle = float(away.max()), (here + there) / 2
            here = there
    return known, middle
