"""Rotations that map a mesh on itself."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError, cKDTree
from scipy.spatial.transform import Rotation

from cadsight_core.geometry import Array, unit
from cadsight_core.meshes.joints import normals_of, sagittas
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.rotation_group import axes_of, exact_group

# Largest distance between the turned surface and the surface, as a fraction of the diameter.
TOLERANCE = 0.004
_HIGHEST_ORDER = 12
# Turns that no order up to the highest has in common: a body of revolution alone survives all of them.
_ODD_TURNS_DEG = (17.3, 47.1, 101.9)
_SAMPLES = 1000
_DENSE = 60000
_NEIGHBOURS = 12
_MOST_CANDIDATES = 400
# How far an axis may be from one of the moments', as a fraction of their sum.
_MOMENT = 0.003
# Axes nearer to each other are the same one, found twice: those of a prism of 12 sides are 15 degrees apart.
_SAME_AXIS_RAD = float(np.deg2rad(3.0))
_ROUNDS = 12
# Distances below this fraction of what is allowed need not be measured exactly.
_NEAR = 0.05


@dataclass(frozen=True, eq=False)
class FoundSymmetry:
    """The mesh looks the same when turned by 1/order of a turn about an axis.

    Attributes:
        axis: (3,) unit vector.
        order: 2 or more, 0 for a body of revolution.
        point: (3,) on the axis, metres: the middle of the surface.
        error: largest distance between turned surface and surface, metres, beyond what their triangles may be off.
    """

    axis: Array
    order: int
    point: Array
    error: float

    @property
    def offset(self) -> float:
        """Distance of the axis to the mesh's origin in metres."""
        return float(np.linalg.norm(np.cross(self.point, self.axis)))


def find_symmetries(mesh: Mesh, tolerance: float = TOLERANCE) -> tuple[FoundSymmetry, ...]:
    """The axes about which the mesh can be turned on itself, of each its highest order; the highest orders first.

    Candidates for axes go through the middle of the surface, which every symmetry keeps: the principal axes, and
    the directions of the convex hull's corners, edges and faces. Whether a turn maps the surface on itself is seen from
    points all over it: each, turned, must lie within ``tolerance`` diameters of the surface, exactly measured, and
    within what the triangles of a round surface may be off besides, so that a coarse mesh has what a fine one has.
    Each axis is moved to where the turned surface fits best, and all of them together are made those of one group.
    Orders up to 12 are told apart from a body of revolution. Of its endless axes across its own, one is returned. Sides
    that meet at less than 35 degrees are a round surface.
    """
    surface = _Surface(mesh)
    found: list[FoundSymmetry] = []
    limit = tolerance * mesh.diameter
    for axis in _candidates(surface):
        if any(_between(axis, other.axis) < _SAME_AXIS_RAD for other in found):
            continue
        order, error = _order(surface, axis, limit)
        if order == 1:
            continue
        best = _settled(surface, axis, order, error)
        if order == 0:
            return (best, *_beside_revolution(surface, best.axis, limit))
        if not any(_is_copy(surface, best, other, limit) for other in found):
            found.append(best)
    return tuple(sorted(_completed(surface, found, limit), key=lambda f: (-f.order, f.error)))


def turned_error(mesh: Mesh, axis: Array, order: int) -> float:
    """How far a turn of the mesh leads from the mesh, metres, beyond what its triangles may be off.

    Args:
        axis: (3,) through the mesh's origin, of any length.
        order: positions in a turn, 0 for a body of revolution.
    """
    surface = _Surface(mesh, np.zeros(3))
    degrees = _ODD_TURNS_DEG if order == 0 else (360 / order,)
    turns = [Rotation.from_rotvec(np.deg2rad(d) * unit(axis)) for d in degrees]
    return max(surface.error(turn, mesh.diameter) for turn in turns)


def nearest_triangles(mesh: Mesh, point: Array, within: float) -> tuple[NDArray[np.int64], float]:
    """The triangles (N,) that a point (3,) is nearest to, all that are ``within`` metres as near, and its distance."""
    corners = mesh.vertices[mesh.faces]
    away = _to_triangles(np.broadcast_to(point, (len(corners), 3)), corners)
    return np.flatnonzero(away <= away.min() + within), float(away.min())


def _between(one: Array, other: Array) -> float:
    """Angle of two axes in radians."""
    return float(np.arccos(np.clip(abs(one @ other), 0, 1)))


def _turn(order: int) -> float:
    """Radians of the turn that shows an order: any one for a body of revolution."""
    return float(np.deg2rad(_ODD_TURNS_DEG[-1])) if order == 0 else 2 * np.pi / order


def _settled(surface: "_Surface", axis: Array, order: int, error: float) -> FoundSymmetry:
    """The symmetry about the axis near ``axis`` at which the turned surface fits best."""
    turn = Rotation.from_rotvec(_turn(order) * axis)
    for _ in range(_ROUNDS):
        step = surface.better(turn)
        turn = Rotation.from_rotvec(step) * turn
        if np.linalg.norm(step) < 1e-9:
            break
    moved = turn.as_rotvec()
    moved = moved / max(float(np.linalg.norm(moved)), 1e-12)
    moved = moved if moved @ axis > 0 else -moved
    again = surface.error(Rotation.from_rotvec(_turn(order) * moved), error)
    return (
        FoundSymmetry(moved, order, surface.middle, again)
        if again <= error
        else FoundSymmetry(axis, order, surface.middle, error)
    )


def _is_copy(surface: "_Surface", one: FoundSymmetry, other: FoundSymmetry, limit: float) -> bool:
    """One axis is the other, found a little aside: all between them would pass too."""
    toward = other.axis if one.axis @ other.axis > 0 else -other.axis
    if _between(one.axis, toward) < _SAME_AXIS_RAD:
        return True
    if one.order != other.order or _between(one.axis, toward) > np.pi / 4:
        return False
    return bool(np.isfinite(surface.error(Rotation.from_rotvec(_turn(one.order) * unit(one.axis + toward)), limit)))


def _completed(surface: "_Surface", found: list[FoundSymmetry], limit: float) -> list[FoundSymmetry]:
    """The symmetries as exact ones of one group, with those that follow; the least certain are dropped."""
    kept = sorted(found, key=lambda f: f.error)
    while kept:
        group = exact_group([Rotation.from_rotvec(_turn(f.order) * f.axis).as_matrix() for f in kept])
        if group is not None:
            whole = []
            for axis, order in axes_of(group):
                # What follows from two within the tolerance is within twice that.
                error = surface.error(Rotation.from_rotvec(_turn(order) * axis), 2 * limit)
                # Of the two directions of an axis, the one along the positive axes.
                axis = axis if axis[np.abs(axis).argmax()] > 0 else -axis
                whole.append(FoundSymmetry(axis, order, surface.middle, error))
            if all(np.isfinite(f.error) for f in whole):
                return whole
        kept.pop()
    return []


def _beside_revolution(surface: "_Surface", axis: Array, limit: float) -> list[FoundSymmetry]:
    """Of the axes that a body of revolution has besides its own one for all: across, or every one of a ball."""
    across = unit(np.cross(axis, np.roll(axis, 1) + np.array([0.1, 0.2, 0.3])))
    order, error = _order(surface, across, limit)
    return [FoundSymmetry(across, order, surface.middle, error)] if order != 1 else []


class _Surface:
    """A mesh's surface as points on it, with the exact distance of other points to it.

    It is turned about its middle, or about ``middle`` (3,).
    """

    def __init__(self, mesh: Mesh, middle: Array | None = None) -> None:
        self.corners = mesh.vertices[mesh.faces]
        cross = np.cross(self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0])
        area = np.linalg.norm(cross, axis=1) / 2
        centre: Array = (area[:, None] * self.corners.mean(axis=1)).sum(axis=0) / area.sum()
        self.middle = centre if middle is None else middle
        self.diameter, self.hull = mesh.diameter, mesh.hull_vertices
        self._area, self._rng = area, np.random.default_rng(0)
        self._within = sagittas(mesh.vertices, mesh.faces)
        sampled, triangle = self._sample(_SAMPLES)
        far = np.linalg.norm(self.hull - self.middle, axis=1)
        # Corners far out are where a wrong turn shows first, and lie on the round surface itself.
        corners = self.hull[np.argsort(-far)[:200]]
        self.points = np.vstack([corners, sampled])
        self._off = np.concatenate([np.zeros(len(corners)), self._within[triangle]])

    @cached_property
    def moments(self) -> Array:
        """(3, 3) second moments of the surface about its middle."""
        corners = self.corners - self.middle
        total = corners.sum(axis=1)
        each = np.einsum("nki,nkj->nij", corners, corners) + np.einsum("ni,nj->nij", total, total)
        return np.asarray(np.einsum("n,nij->ij", self._area / 12, each))

    def _sample(self, count: int) -> tuple[Array, NDArray[np.int64]]:
        triangle = self._rng.choice(len(self._area), count, p=self._area / self._area.sum())
        a, b = self._rng.uniform(size=(2, count, 1))
        flip = a + b > 1
        a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
        corner = self.corners[triangle]
        return corner[:, 0] + a * (corner[:, 1] - corner[:, 0]) + b * (corner[:, 2] - corner[:, 0]), triangle

    @cached_property
    def _tree(self) -> tuple["cKDTree[None]", NDArray[np.int64]]:
        dense, triangle = self._sample(_DENSE)
        # Corners and edges too: there the nearest samples may all lie on a triangle next to the right one.
        edges = (self.corners + np.roll(self.corners, 1, axis=1)) / 2
        known = np.concatenate([self.corners, edges, self.corners.mean(axis=1, keepdims=True)], axis=1)
        points = np.vstack([dense, known.reshape(-1, 3)])
        return cKDTree(points), np.concatenate([triangle, np.repeat(np.arange(len(known)), known.shape[1])])

    def _nearest(self, points: Array) -> tuple[NDArray[np.int64], Array]:
        """The triangle (N,) that each of points (N, 3) is nearest to, and its distance beyond what that may be off."""
        tree, triangle = self._tree
        _, near = tree.query(points, k=_NEIGHBOURS)
        number = triangle[near.reshape(-1)]
        away = _to_triangles(np.repeat(points, _NEIGHBOURS, axis=0), self.corners[number]) - self._within[number]
        away, number = away.reshape(-1, _NEIGHBOURS), number.reshape(-1, _NEIGHBOURS)
        best = away.argmin(axis=1)[:, None]
        return np.take_along_axis(number, best, axis=1)[:, 0], np.take_along_axis(away, best, axis=1)[:, 0]

    def error(self, rotation: Rotation, limit: float) -> float:
        """Largest distance of the turned surface to the surface; infinite as soon as it is beyond ``limit``."""
        turned = rotation.apply(self.points - self.middle) + self.middle
        worst = 0.0
        for part in (slice(0, 60), slice(60, None)):
            _, away = self._nearest(turned[part])
            away = away - self._off[part]
            # The triangle of the nearest sample is not always the nearest: what counts is measured to all of them.
            while True:
                far = int(away.argmax())
                if away[far] <= max(_NEAR * limit, worst):
                    break
                point = turned[part][far]
                away[far] = self.exact(point, away[far] + self._off[part][far]) - self._off[part][far]
                if away[far] > limit:
                    return float("inf")
                worst = max(worst, float(away[far]))
            worst = max(worst, float(away.max()))
        return worst

    def exact(self, point: Array, at_most: float) -> float:
        """Distance of a point (3,) to the surface beyond what its triangles may be off; ``at_most`` is known."""
        low, high = self._boxes
        reach = at_most + self._within[:, None]
        near = np.flatnonzero(((low <= point + reach) & (high >= point - reach)).all(axis=1))
        if not len(near):
            return at_most
        away = _to_triangles(np.broadcast_to(point, (len(near), 3)), self.corners[near]) - self._within[near]
        return min(at_most, float(away.min()))

    @cached_property
    def _boxes(self) -> tuple[Array, Array]:
        return self.corners.min(axis=1), self.corners.max(axis=1)

    def better(self, rotation: Rotation) -> Array:
        """What to turn by (3,), after ``rotation``, to bring the turned surface nearer (point to plane, one step)."""
        turned = rotation.apply(self.points - self.middle)
        number, _ = self._nearest(turned + self.middle)
        normal = normals_of(self.corners[number])
        aside = np.einsum("ij,ij->i", turned + self.middle - self.corners[number, 0], normal)
        found, *_ = np.linalg.lstsq(np.cross(turned, normal), -aside, rcond=1e-6)
        return np.asarray(found)


def _order(surface: _Surface, axis: Array, limit: float) -> tuple[int, float]:
    """The highest order about an axis, 1 for none, with its error."""
    turns = [Rotation.from_rotvec(np.deg2rad(a) * axis) for a in _ODD_TURNS_DEG]
    errors = []
    for turn in turns:
        errors.append(surface.error(turn, limit))
        if not np.isfinite(errors[-1]):
            break
    else:
        return 0, max(errors)
    for order in range(_HIGHEST_ORDER, 1, -1):
        error = surface.error(Rotation.from_rotvec(2 * np.pi / order * axis), limit)
        if np.isfinite(error):
            return order, error
    return 1, float("inf")


def _candidates(surface: _Surface) -> Array:
    """(N, 3) directions of possible axes, each once up to its sign."""
    points = surface.hull - surface.middle
    found = [np.eye(3), np.linalg.eigh(surface.moments)[1].T]
    try:
        hull = ConvexHull(points)
    except QhullError:
        hull = None
    if hull is not None:
        area = np.linalg.norm(
            np.cross(*(points[hull.simplices][:, i] - points[hull.simplices][:, 0] for i in (1, 2))), axis=1
        )
        found.append(hull.equations[np.argsort(-area), :3])
    far = np.argsort(-np.linalg.norm(points, axis=1))[:60]
    found.append(points[far])
    pairs = points[far[:30], None] + points[None, far[:30]]
    found.append(pairs.reshape(-1, 3))
    directions = np.vstack(found)
    directions = unit(directions[np.linalg.norm(directions, axis=1) > 1e-3 * surface.diameter])
    # A turn that keeps the surface keeps its moments, so that its axis is one of theirs.
    pulled = directions @ surface.moments
    aside = pulled - np.einsum("ij,ij->i", pulled, directions)[:, None] * directions
    directions = directions[np.linalg.norm(aside, axis=1) < _MOMENT * np.trace(surface.moments)]
    kept: list[Array] = []
    for direction in directions:
        if len(kept) == _MOST_CANDIDATES:
            break
        if not kept or np.abs(np.array(kept) @ direction).max() < 1 - 2e-6:
            kept.append(direction)
    return np.array(kept)


def _to_triangles(points: Array, corners: Array) -> Array:
    """Distance (N,) of points (N, 3) to triangles (N, 3, 3), one each (Ericson, 2005, section 5.1.5)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    length = np.einsum("ij,ij->i", normal, normal)
    flat = np.divide(normal, np.sqrt(length)[:, None], out=np.zeros_like(normal), where=length[:, None] > 0)
    above = np.einsum("ij,ij->i", points - a, flat)
    foot = points - above[:, None] * flat
    inside = length > 0
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= np.einsum("ij,ij->i", np.cross(end - start, foot - start), flat) >= 0
    to_edges = np.min([_to_edge(points, start, end) for start, end in ((a, b), (b, c), (c, a))], axis=0)
    return np.asarray(np.where(inside, np.abs(above), to_edges))


def _to_edge(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    length = np.einsum("ij,ij->i", along, along)
    fraction = np.einsum("ij,ij->i", points - start, along) / np.where(length > 0, length, 1.0)
    nearest = start + np.clip(fraction, 0, 1)[:, None] * along
    return np.asarray(np.linalg.norm(points - nearest, axis=1))
