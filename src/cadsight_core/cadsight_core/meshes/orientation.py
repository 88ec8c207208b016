"""Triangles turned so that they face out of the matter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array
from cadsight_core.meshes.shells import Shells, shells_of

# A closed shell of less than this fraction of its box encloses nothing.
_NO_VOLUME = 1e-9
# How far around a point a shell must go to hold it, of 1 all around.
_HELD = 0.6
_POINTS = 5
# Rays of an open shell, of how many one must tell, and how many triangles all rays together may be tried on.
_RAYS, _TELLING, _TRIALS = 64, 0.1, 50_000_000


@dataclass(frozen=True, eq=False)
class Oriented:
    """Triangles that face outwards.

    Attributes:
        faces: (F, 3).
        turned: how many were turned.
        undecided: number of triangles of which neither side is known to be outside.
        cavity: (F,) whether a triangle is of the wall of a cavity.
    """

    faces: NDArray[np.int64]
    turned: int
    undecided: int
    cavity: NDArray[np.bool_]


def oriented(vertices: Array, faces: NDArray[np.int64]) -> Oriented:
    """Turn triangles (F, 3) outwards, shell by shell.

    A closed shell is turned by the volume that it encloses, and the other way round when it is the wall of a cavity:
    when an odd number of shells hold it. An open one is turned by rays from both sides of its triangles: the side
    from which a ray leaves, or crosses the surface an even number of times, is outside. Where neither decides, the
    triangles stay as most of them are.
    """
    shells = shells_of(vertices, faces)
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    reverse = shells.reverse.copy()
    # As most of a shell's surface is.
    against = np.bincount(shells.of, np.where(reverse, area, -area), len(shells.closed)) > 0
    reverse ^= (against & shells.orientable)[shells.of]
    known = np.zeros(len(shells.closed), bool)
    solid = _volumes(corners, reverse, shells)
    known |= solid != 0
    reverse ^= (solid < 0)[shells.of]
    rays = _votes(corners, reverse, area, shells, np.flatnonzero(~shells.closed & shells.orientable))
    known |= rays != 0
    # Two sides of a sheet that lie on each other face away from it, whichever is which.
    known |= shells.closed & shells.orientable
    reverse ^= (rays < 0)[shells.of]
    held = _held(corners, reverse, shells, known)
    # Rays have seen already what holds an open shell.
    cavity = held & shells.closed
    reverse ^= cavity[shells.of]
    turned = np.where(reverse[:, None], faces[:, ::-1], faces)
    return Oriented(turned, int(reverse.sum()), int((~known)[shells.of].sum()), cavity[shells.of])


def _volumes(corners: Array, reverse: NDArray[np.bool_], shells: Shells) -> Array:
    """(S,) signed volumes of closed shells, 0 of those that enclose none."""
    count = len(shells.closed)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, shells.of, corners.min(axis=1))
    np.maximum.at(high, shells.of, corners.max(axis=1))
    local = corners - ((low + high) / 2)[shells.of][:, None]
    six = np.einsum("ij,ij->i", local[:, 0], np.cross(local[:, 1], local[:, 2]))
    volume = np.bincount(shells.of, np.where(reverse, -six, six), count) / 6
    nothing = np.abs(volume) <= _NO_VOLUME * np.linalg.norm(high - low, axis=1) ** 3
    return np.where(nothing | ~shells.closed, 0.0, volume)


def _held(corners: Array, reverse: NDArray[np.bool_], shells: Shells, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S,) whether a shell lies within an odd number of others."""
    count = len(shells.closed)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, shells.of, corners.min(axis=1))
    np.maximum.at(high, shells.of, corners.max(axis=1))
    order = np.argsort(shells.of, kind="stable")
    first = np.searchsorted(shells.of[order], np.arange(count + 1))
    depth = np.zeros(count, np.int64)
    for holder in np.flatnonzero(known):
        inner = (low > low[holder]).all(axis=1) & (high < high[holder]).all(axis=1)
        if not inner.any():
            continue
        wall = order[first[holder] : first[holder + 1]]
        outward = np.where(reverse[wall, None, None], corners[wall][:, ::-1], corners[wall])
        for shell in np.flatnonzero(inner):
            own = order[first[shell] : first[shell + 1]]
            points = corners[own[np.linspace(0, len(own) - 1, min(_POINTS, len(own))).astype(int)]].mean(axis=1)
            depth[shell] += bool((_winding(points, outward) > _HELD).all())
    return depth % 2 == 1


def _winding(points: Array, corners: Array) -> Array:
    """How far triangles (F, 3, 3) go around points (N, 3), 1 for all around (van Oosterom and Strackee, 1983)."""
    found = np.empty(len(points))
    for i, point in enumerate(points):
        a, b, c = (corners[:, j] - point for j in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        numerator = np.einsum("ij,ij->i", a, np.cross(b, c))
        dots = [np.einsum("ij,ij->i", p, q) for p, q in ((b, c), (c, a), (a, b))]
        found[i] = np.arctan2(numerator, la * lb * lc + dots[0] * la + dots[1] * lb + dots[2] * lc).sum() / (2 * np.pi)
    return found


def _votes(
    corners: Array, reverse: NDArray[np.bool_], area: Array, shells: Shells, chosen: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(S,) of the shells that are ``chosen``: 1 when rays show that they face outwards, -1 inwards, 0 when neither."""
    found = np.zeros(len(shells.closed), np.int64)
    if not len(chosen):
        return found
    rng = np.random.default_rng(0)
    sizes = np.bincount(shells.of, area, len(shells.closed))
    chosen = chosen[np.argsort(-sizes[chosen], kind="stable")]
    rays = max(_TRIALS // len(corners), 10)
    each = int(np.clip(rays // len(chosen), 10, _RAYS))
    order = np.argsort(shells.of, kind="stable")
    first = np.searchsorted(shells.of[order], np.arange(len(shells.closed) + 1))
    for shell in chosen[: max(rays // each, 1)]:
        own = order[first[shell] : first[shell + 1]]
        if not area[own].sum() > 0:
            continue
        face = own[rng.choice(len(own), each, p=area[own] / area[own].sum())]
        weights = rng.dirichlet((1.0, 1.0, 1.0), each)
        start = np.einsum("nk,nkj->nj", weights, corners[face])
        normal = np.cross(corners[face, 1] - corners[face, 0], corners[face, 2] - corners[face, 0])
        normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
        normal = np.where(reverse[face, None], -normal, normal) + rng.uniform(-0.02, 0.02, (each, 3))
        lines = [_crossings(at, to, corners, int(f)) for at, to, f in zip(start, normal, face, strict=True)]
        front, back = np.array(lines).T % 2
        outwards, inwards = int(((front == 0) & (back == 1)).sum()), int(((front == 1) & (back == 0)).sum())
        if max(outwards, inwards) >= _TELLING * each and outwards != inwards:
            found[shell] = 1 if outwards > inwards else -1
    return found


def _crossings(start: Array, direction: Array, corners: Array, own: int) -> tuple[int, int]:
    """How many triangles (F, 3, 3) but its own one a line (3,) crosses ahead of its start and behind."""
    u = np.cross(direction, np.eye(3)[np.abs(direction).argmin()])
    seen = (corners.reshape(-1, 3) - start) @ np.stack([u, np.cross(direction, u)], axis=1)
    x, y = seen.reshape(-1, 3, 2).transpose(2, 1, 0)
    # Twice the area of what the line and each side span: the line is inside where it is left, or right, of all sides.
    sides = np.stack([x[i] * y[j] - x[j] * y[i] for i, j in ((1, 2), (2, 0), (0, 1))])
    hit: NDArray[np.bool_] = np.asarray((sides > 0).all(axis=0) | (sides < 0).all(axis=0))
    hit[own] = False
    barycentric = sides[:, hit] / sides[:, hit].sum(axis=0)
    along = np.einsum("kn,nk->n", barycentric, (corners[hit] - start) @ direction)
    return int((along > 0).sum()), int((along < 0).sum())
