"""A part's CAD laid onto the points that depth shows of it, from the normal that the regressor tells.

The turn about the normal is not known, nor the normal itself but for its covariance, so that the fit begins from turns
about all normals that are likely: everywhere, where the regressor says nothing. Each is an iterated closest point
search with distances to planes (Chen and Medioni, Object modelling by registration of multiple range images, 1992) on
the triangles that look at the camera, with weights of Tukey. The best is the one whose points lie on the CAD and whose
CAD lies on the points: the first alone is as good for a part that lies anywhere on a larger one.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import trimesh
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.part import Part, load_part_mesh
from numpy.typing import NDArray

from cadsight_perception.approach.frames import cross_matrix, frame_along

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_SAMPLES = 2500
# Starts: normals on the sphere that are as far apart as the turns about each are, some 30 degrees.
_DIRECTIONS, _TURNS = 40, 12
_LIKELY = 3.5
# A quick search of all starts on a few points, then of the best, then a fine one on all points.
_STEPS, _KEPT = (2, 8, 20), (16, 4)
_FEW = 100
# Distances beyond this count as this much: of points of something else, and of surfaces that something hides.
_FARTHEST_M = 0.012
_FINEST_M = 0.003
_FACING = 0.15
# Neighbouring depths err together: so many points count as one.
_ALIKE = 8.0
# The least error of a depth that the covariance reckons with.
_LEAST_M = 0.0005
# Another fit that is worse by less than this fraction may be the true one.
_ALSO_LIKELY = 1.1


@dataclass(frozen=True, eq=False)
class PartModel:
    """A part as it is fitted.

    Attributes:
        points, normals: (M, 3) on its surface, evenly spread, and outward.
        interest, axis: (3,) point and axis of interest.
        size_m: its longest side.
    """

    name: str
    points: Array
    normals: Array
    interest: Array
    axis: Array
    size_m: float

    @staticmethod
    def of(part: Part) -> "PartModel":
        """Raises CadsightError when the part's mesh cannot be read."""
        mesh = load_part_mesh(part)
        solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        points, faces = trimesh.sample.sample_surface(solid, _SAMPLES, seed=0)
        return PartModel(
            part.name,
            np.asarray(points, float),
            np.asarray(solid.face_normals[faces], float),
            np.asarray(part.point_of_interest, float),
            np.asarray(part.axis_of_interest, float),
            float(mesh.extents.max()),
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """A part's place.

    Attributes:
        camera_from_part: in the optical frame.
        covariance: (6, 6) of small moves of the whole part in the optical frame: metres, then turns about its origin
            in radians.
        misfit_m: median distance of the points from the CAD.
    """

    camera_from_part: Pose
    covariance: Array
    misfit_m: float


def fit_part(points: Array, model: PartModel, normal: Array, normal_covariance: Array) -> Fit | None:
    """Lay ``model`` onto ``points`` (N, 3) of the optical frame; None where too few of them lie near it.

    Args:
        normal: (3,) of the axis of interest, in the optical frame, with its covariance (3, 3).
    """
    sigma = max(float(np.sqrt(max(np.trace(normal_covariance), 0.0) / 2)), np.deg2rad(2.0))
    search = _Search(points, model, normal, sigma)
    quick = search.thinned(_FEW)
    first = sorted((quick.run(pose, _STEPS[0]) for pose in search.starts()), key=lambda one: one.cost)
    second = sorted((quick.run(one.pose, _STEPS[1]) for one in first[: _KEPT[0]]), key=lambda one: one.cost)
    fine = sorted((search.run(one.pose, _STEPS[2]) for one in second[: _KEPT[1]]), key=lambda one: one.cost)
    best = fine[0]
    if best.information is None:
        return None
    pixel_error = max(1.4826 * best.misfit, _LEAST_M)
    covariance: Array = np.asarray(
        np.linalg.inv(best.information / (_ALIKE * pixel_error**2) + search.prior(np.eye(6))), float
    )
    point = best.pose.apply(model.interest)
    for other in fine[1:]:
        apart = other.pose.apply(model.interest) - point
        if other.cost < _ALSO_LIKELY * best.cost and np.linalg.norm(apart) > 2 * _LEAST_M:
            covariance[:3, :3] += np.outer(apart, apart) / 4
    return Fit(best.pose, covariance, best.misfit)


@dataclass(frozen=True, eq=False)
class _Found:
    pose: Pose
    cost: float
    misfit: float
    information: Array | None


class _Search:
    def __init__(self, points: Array, model: PartModel, normal: Array, sigma: float) -> None:
        self._points, self._model, self._normal, self._sigma = points, model, unit(normal), sigma
        from scipy.spatial import cKDTree  # a node that fits nothing does without scipy

        self._tree = cKDTree(points)
        self._middle = points.mean(axis=0)
        self._towards_camera = -unit(self._middle)

    def thinned(self, most: int) -> "_Search":
        """The same with few points and a coarse surface."""
        model, step = self._model, max(1, len(self._points) // most)
        few = replace(model, points=model.points[::5], normals=model.normals[::5])
        return _Search(self._points[::step], few, self._normal, self._sigma)

    def starts(self) -> list[Pose]:
        """Poses with a likely normal each, turned about it, that bring the middle of what is seen of the part there."""
        likely = np.cos(min(np.pi, _LIKELY * self._sigma))
        normals = [self._normal, *(one for one in _sphere(_DIRECTIONS) if one @ self._normal >= likely)]
        part = frame_along(self._model.axis)
        found = []
        for normal in normals:
            along = frame_along(normal)
            for turn in np.arange(_TURNS) * 2 * np.pi / _TURNS:
                rotation = along @ Pose.from_rotvec([0.0, 0.0, turn]).rotation @ part.T
                seen = self._model.points[self._seen(rotation)]
                found.append(Pose(rotation, self._middle - rotation @ seen.mean(axis=0)))
        return found

    def prior(self, size: Array) -> Array:
        """Information (6, 6) on turns across the normal that the regressor gives; ``size`` is of its shape."""
        information = np.zeros_like(size)
        information[3:, 3:] = (np.eye(3) - np.outer(self._normal, self._normal)) / self._sigma**2
        return information

    def run(self, pose: Pose, steps: int) -> _Found:
        seen = self._seen(pose.rotation)
        surface, normals = self._model.points[seen], self._model.normals[seen]
        if len(surface) < 10:
            return _Found(pose, np.inf, np.inf, None)
        from scipy.spatial import cKDTree

        tree = cKDTree(surface)
        for number in range(steps):
            near = _FARTHEST_M + (_FINEST_M - _FARTHEST_M) * min(1.0, number / max(steps - 5, 1))
            pose, moved = self._step(pose, tree, surface, normals, near)
            if moved < 1e-5:
                break
        distances, found = tree.query(self._in_part(pose))
        information = self._information(pose, surface[found], normals[found], distances < _FINEST_M)
        back, _ = self._tree.query(pose.apply(surface[:: max(1, len(surface) // 300)]))
        cost = float(np.minimum(distances, _FARTHEST_M).mean() + np.minimum(back, _FARTHEST_M).mean())
        return _Found(pose, cost, float(np.median(distances)), information)

    def _seen(self, rotation: Array) -> NDArray[np.bool_]:
        return np.asarray((self._model.normals @ rotation.T) @ self._towards_camera > _FACING)

    def _in_part(self, pose: Pose) -> Array:
        return pose.inverse().apply(self._points)

    def _step(self, pose: Pose, tree: "cKDTree", surface: Array, normals: Array, near: float) -> tuple[Pose, float]:
        distances, found = tree.query(self._in_part(pose))
        weights = np.where(distances < near, (1 - (distances / near) ** 2) ** 2, 0.0)
        if weights.sum() < 6:
            weights = np.full(len(distances), 1e-3)
        on, across = pose.apply(surface[found]), pose.rotate(normals[found])
        # To planes, with a little to points: along a flat face planes alone hold nothing.
        jacobian = _moves(on - pose.translation)
        left = self._points - on
        weighted = jacobian * weights[:, None, None]
        planes = np.einsum("nij,nj->ni", np.transpose(jacobian, (0, 2, 1)), across)
        information = np.einsum("ni,nj->ij", planes * weights[:, None], planes)
        information += 0.05 * np.einsum("nki,nkj->ij", weighted, jacobian)
        wanted = (planes * weights[:, None]).T @ np.einsum("ni,ni->n", across, left)
        wanted += 0.05 * np.einsum("nki,nk->i", weighted, left)
        scale = (near / 3) ** 2
        information, wanted = information / scale / _ALIKE, wanted / scale / _ALIKE
        # Back to the regressor's normal: the turn that takes the axis there.
        away = np.cross(pose.rotate(self._model.axis), self._normal)
        held = self.prior(information)
        wanted[3:] += held[3:, 3:] @ away
        move = np.linalg.solve(information + held + 1e-6 * np.eye(6), wanted)
        turned = Pose.from_rotvec(move[3:]).rotation @ pose.rotation
        return Pose(turned, pose.translation + move[:3]), float(
            np.linalg.norm(move[:3]) + 0.05 * np.linalg.norm(move[3:])
        )

    def _information(self, pose: Pose, on: Array, normals: Array, near: NDArray[np.bool_]) -> Array | None:
        if near.sum() < 10:
            return None
        jacobian = _moves(pose.rotate(on[near]))
        planes = np.einsum("nij,nj->ni", np.transpose(jacobian, (0, 2, 1)), pose.rotate(normals[near]))
        # Along a flat face the outline holds the part, about as well as a point holds to the nearest sample.
        return np.asarray(planes.T @ planes + 0.05 * np.einsum("nki,nkj->ij", jacobian, jacobian))


def _sphere(count: int) -> Array:
    """Unit vectors (count, 3) about evenly spread over the sphere (Fibonacci)."""
    number = np.arange(count) + 0.5
    z, turn = 1 - 2 * number / count, np.pi * (1 + np.sqrt(5)) * number
    flat = np.sqrt(1 - z**2)
    return np.column_stack([flat * np.cos(turn), flat * np.sin(turn), z])


def _moves(arms: Array) -> Array:
    """(N, 3, 6) what a small move of the part does to points at ``arms`` (N, 3) from its origin."""
    found = np.zeros((len(arms), 3, 6))
    found[:, :, :3] = np.eye(3)
    x, y, z = arms.T
    zero = np.zeros(len(arms))
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    found[:, :, 3:] = -cross
    return found


def of_point(fit: Fit, model: PartModel) -> tuple[Array, Array]:
    """The point of interest (3,) in the optical frame, and its covariance (3, 3)."""
    arm = fit.camera_from_part.rotate(model.interest)
    jacobian = np.hstack([np.eye(3), -cross_matrix(arm)])
    return fit.camera_from_part.apply(model.interest), jacobian @ fit.covariance @ jacobian.T


def of_axis(fit: Fit, model: PartModel) -> tuple[Array, Array]:
    """The axis of interest (3,) in the optical frame, and its covariance (3, 3)."""
    axis = fit.camera_from_part.rotate(model.axis)
    cross = cross_matrix(axis)
    return axis, cross @ fit.covariance[3:, 3:] @ cross.T
