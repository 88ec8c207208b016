"""Where a detected part's point of interest is, and along what axis, by whatever the image and its depth tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_perception.approach.fitting import PartModel, fit_part, of_axis, of_point
from cadsight_perception.approach.surface import surface_of

Method = Literal["fit", "depth", "size"]
# How far from the middle of its box a part's point of interest may be, and how well its size tells its distance, as
# standard deviations in sizes of the part, and as a fraction.
_OFF_MIDDLE, _BY_SIZE = 0.2, 0.15
# So many times the median deviation of normally distributed values is their standard deviation.
_MAD = 1.4826


@dataclass(frozen=True, eq=False)
class Interest:
    """A point of interest in the optical frame.

    Attributes:
        point: (3,) metres, with its covariance (3, 3).
        normal: (3,) unit vector out of the part, with its covariance (3, 3).
        method: ``fit``, the part's CAD on its depth; ``depth``, the surface in the middle of the part; ``size``, by how
            large a part of known size looks.
    """

    point: Array
    point_covariance: Array
    normal: Array
    normal_covariance: Array
    method: Method


class InterestFinder:
    """Finds points of interest of parts that it may know."""

    def __init__(self, models: Mapping[str, PartModel], part_size_m: float, largest_misfit_m: float) -> None:
        """``part_size_m`` is the longest side of a part that is not among ``models``, by their names."""
        self._models, self._size_m, self._misfit_m = models, part_size_m, largest_misfit_m

    def find(
        self,
        instance: Instance,
        name: str,
        camera: Camera,
        covariance: Array | None,
        depth: NDArray[np.float32] | None,
    ) -> Interest | None:
        """The point of interest of ``instance`` of class ``name``; None without a normal.

        Args:
            covariance: (3, 3) of its normal.
            depth: (H, W) metres in the camera's pixels, 0 = unknown; None for none.
        """
        if instance.normal is None or covariance is None:
            return None
        surface = None if depth is None else surface_of(instance, camera, depth)
        if surface is None:
            return self._by_size(instance, name, camera, covariance)
        model = self._models.get(name)
        if model is not None:
            fit = fit_part(surface.points, model, instance.normal, covariance)
            if fit is not None and fit.misfit_m <= self._misfit_m:
                return Interest(*of_point(fit, model), *of_axis(fit, model), "fit")
        return self._by_depth(instance, name, camera, covariance, surface.points)

    def _by_depth(self, instance: Instance, name: str, camera: Camera, covariance: Array, points: Array) -> Interest:
        """On the part's surface, where the ray through the middle of its box meets it."""
        assert instance.normal is not None
        ray = _ray(instance, camera)
        across = np.linalg.norm(points - (points @ ray)[:, None] * ray, axis=1)
        nearest = points[np.argsort(across)[: max(10, len(points) // 10)]] @ ray
        along = float(np.median(nearest))
        scatter = _MAD * float(np.median(np.abs(nearest - along)))
        spread = (_OFF_MIDDLE * self._size(name)) ** 2 * (np.eye(3) - np.outer(ray, ray))
        return Interest(
            along * ray,
            spread + scatter**2 * np.outer(ray, ray) + 1e-8 * np.eye(3),
            instance.normal,
            covariance,
            "depth",
        )

    def _by_size(self, instance: Instance, name: str, camera: Camera, covariance: Array) -> Interest:
        assert instance.normal is not None
        ray = _ray(instance, camera)
        pixels = max(instance.box.width, instance.box.height, 1.0)
        along = self._size(name) * (camera.fx + camera.fy) / 2 / pixels / ray[2]
        spread = (_OFF_MIDDLE * self._size(name)) ** 2 * (np.eye(3) - np.outer(ray, ray))
        return Interest(
            along * ray, spread + (_BY_SIZE * along) ** 2 * np.outer(ray, ray), instance.normal, covariance, "size"
        )

    def _size(self, name: str) -> float:
        model = self._models.get(name)
        return self._size_m if model is None else model.size_m


def _ray(instance: Instance, camera: Camera) -> Array:
    x, y = instance.box.centre
    return np.asarray(camera.rays([[x - 0.5, y - 0.5]])[0])
