import numpy as np
import pytest
from cadsight_core.geometry import Pose, unit
from cadsight_perception.approach.interest import Interest
from cadsight_perception.approach.standing import HandEyeError, approach, in_base
from hypothesis import given
from hypothesis import strategies as st

NORMALS = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: unit(np.array(v)))
EXACT = HandEyeError(0.0, 0.0)


def interest(normal: np.ndarray, point_std: float = 0.0, normal_std: float = 0.0) -> Interest:
    across = np.eye(3) - np.outer(normal, normal)
    return Interest(np.array([0.1, -0.2, 0.9]), point_std**2 * np.eye(3), normal, normal_std**2 * across, "fit")


@given(NORMALS)
def test_the_tool_looks_at_the_point_along_the_normal_from_the_stand_off(normal: np.ndarray) -> None:
    base_from_camera = Pose.from_rotvec([np.pi, 0.0, 0.0], [0.3, 0.0, 0.9])
    found = approach(interest(normal), base_from_camera, 0.1, EXACT).base_from_tool
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
    # What lies 0.1 m before the tool is the point: camera (0.1, -0.2, 0.9) is base (0.4, 0.2, 0.0).
    np.testing.assert_allclose(found.apply([0.0, 0.0, 0.1]), [0.4, 0.2, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.rotation[:, 2], -base_from_camera.rotate(normal), atol=1e-12)


def test_the_covariance_is_that_of_many_points_and_normals_drawn_by_theirs() -> None:
    normal = unit(np.array([0.2, -0.3, -0.9]))
    found = approach(interest(normal, 0.001, 0.02), Pose.identity(), 0.1, EXACT)
    rng = np.random.default_rng(0)
    points = np.array([0.1, -0.2, 0.9]) + 0.001 * rng.normal(size=(20000, 3))
    shaken = rng.normal(size=(20000, 3)) * 0.02
    normals = normal + shaken - (shaken @ normal)[:, None] * normal
    np.testing.assert_allclose(np.cov((points + 0.1 * normals).T), found.covariance[:3, :3], atol=1.5e-7)


def test_a_camera_that_is_calibrated_badly_widens_across_its_ray_with_the_distance() -> None:
    straight = Interest(
        np.array([0.0, 0.0, 2.0]), np.zeros((3, 3)), np.array([0.0, 0.0, -1.0]), np.zeros((3, 3)), "fit"
    )
    found = in_base(straight, Pose.identity(), HandEyeError(0.001, 0.01))
    # 10 mrad at 2 m are 20 mm across, and nothing along.
    np.testing.assert_allclose(np.diag(found.point_covariance), [0.001**2 + 0.02**2] * 2 + [0.001**2], rtol=1e-9)
    np.testing.assert_allclose(np.diag(found.normal_covariance), [1e-4, 1e-4, 0.0], rtol=1e-9)
