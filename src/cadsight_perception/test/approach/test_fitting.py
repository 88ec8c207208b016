"""A part's CAD on the depth that a pinhole sees of it."""

from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose, angle_between, unit
from cadsight_core.parts.part import load_part, load_part_mesh
from cadsight_core.sample import Instance
from cadsight_perception.approach.fitting import PartModel
from cadsight_perception.approach.interest import InterestFinder
from cadsight_perception.approach.surface import surface_of

CONFIG = Path(__file__).parents[4] / "config"
PART = load_part(CONFIG / "parts/bracket.yaml")
MODEL = PartModel.of(PART)
CAMERA = Camera(ImageSize(160, 120), 200.0, 200.0, 79.5, 59.5)
# The table lies square to the camera, the bracket's foot on it and its axis towards the camera, turned by 40 degrees.
TABLE_M = 0.5
UP = Pose.from_rotvec([np.pi, 0.0, 0.0]) @ Pose.from_rotvec([0.0, 0.0, np.deg2rad(40)])
POSE = Pose(UP.rotation, np.array([0.03, -0.02, TABLE_M]))
NORMAL = np.array([0.0, 0.0, -1.0])


@pytest.fixture(scope="module")
def depth() -> np.ndarray:
    mesh = load_part_mesh(PART)
    corners = POSE.apply(mesh.vertices)[mesh.faces]
    v, u = np.mgrid[: CAMERA.size.height, : CAMERA.size.width]
    places = np.column_stack([u.ravel(), v.ravel()])
    rays = CAMERA.rays(places)
    rays /= rays[:, 2:]
    found = np.full(len(rays), TABLE_M)
    for a, b, c in corners:
        # A ray t r meets the triangle where t r = a + p (b - a) + q (c - a), which is looked up in its pixels alone.
        pixels = CAMERA.project(np.stack([a, b, c]))
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        near = np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
        if not len(near) or abs(np.linalg.det(np.column_stack([a, b, c]))) < 1e-12:
            continue
        weights = np.linalg.solve(np.column_stack([a, b, c]), rays[near].T)
        hit = (weights >= 0).all(axis=0)
        found[near[hit]] = np.minimum(found[near[hit]], 1 / weights[:, hit].sum(axis=0))
    return found.reshape(v.shape).astype(np.float32)


def instance(depth: np.ndarray, normal: np.ndarray) -> Instance:
    box = Box.from_mask(depth < TABLE_M - 0.002)
    assert box is not None
    return Instance(0, box, normal=normal, source="model")


FINDER = InterestFinder({PART.name: MODEL}, 0.09, 0.003)


# As far off as a good regressor's normal is, and one that knows nothing and points the wrong way.
@pytest.mark.parametrize(("off_deg", "sigma_deg"), [(8.0, 8.0), (80.0, 60.0)])
def test_a_part_with_holes_in_its_depth_is_fitted_to_a_millimetre_and_a_degree(depth, off_deg, sigma_deg) -> None:
    sensed = depth + np.random.default_rng(0).normal(0, 0.0005, depth.shape).astype(np.float32)
    sensed[np.random.default_rng(1).random(depth.shape) < 0.3] = 0.0
    normal = unit(NORMAL + np.tan(np.deg2rad(off_deg)) * np.array([1.0, 0.0, 0.0]))
    covariance = np.eye(3) * np.deg2rad(sigma_deg) ** 2
    found = FINDER.find(instance(depth, normal), PART.name, CAMERA, covariance, sensed)
    assert found is not None
    assert found.method == "fit"
    error = found.point - POSE.apply(MODEL.interest)
    assert np.linalg.norm(error) < 1.5e-3
    assert angle_between(found.normal, NORMAL) < 1.0
    assert error @ np.linalg.solve(found.point_covariance, error) < 16.3  # a thousandth of a chi-squared of three


def test_what_is_around_a_part_is_left_out_of_it(depth) -> None:
    surface = surface_of(instance(depth, NORMAL), CAMERA, depth)
    assert surface is not None
    assert surface.points[:, 2].max() < TABLE_M - 0.003
    assert surface.pixels == pytest.approx((depth < TABLE_M - 0.004).sum(), rel=0.02)


def test_of_a_part_without_depth_its_size_tells_the_distance(depth) -> None:
    nothing = np.zeros_like(depth)
    found = FINDER.find(instance(depth, NORMAL), PART.name, CAMERA, np.eye(3) * 0.01, nothing)
    assert found is not None
    assert found.method == "size"
    error = found.point - POSE.apply(MODEL.interest)
    assert error @ np.linalg.solve(found.point_covariance + 1e-8 * np.eye(3), error) < 16.3


def test_another_part_that_does_not_fit_is_approached_in_the_middle_of_its_surface(depth) -> None:
    ball = depth.copy()
    v, u = np.nonzero(depth < TABLE_M - 0.002)
    off = ((u - u.mean()) ** 2 + (v - v.mean()) ** 2) * (TABLE_M / CAMERA.fx) ** 2
    ball[v, u] = TABLE_M - np.sqrt(0.06**2 - off)
    strict = InterestFinder({PART.name: MODEL}, 0.09, 0.001)
    found = strict.find(instance(depth, NORMAL), PART.name, CAMERA, np.eye(3) * 0.01, ball)
    assert found is not None
    assert found.method == "depth"
    assert found.point[2] == pytest.approx(TABLE_M - 0.06, abs=2e-3)


def test_without_a_normal_there_is_nothing_to_approach(depth) -> None:
    unknown = Instance(0, instance(depth, NORMAL).box, source="model")
    assert FINDER.find(unknown, PART.name, CAMERA, None, depth) is None
