import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import unit
from cadsight_core.sample import Instance
from cadsight_perception.messages.poses import seen_pose, turns_of
from hypothesis import given
from hypothesis import strategies as st

CAMERA = Camera(ImageSize(64, 48), 60.0, 60.0, 31.5, 23.5)
NORMALS = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: unit(np.array(v)))


def instance(normal) -> Instance:
    box = Box(22.0, 14.0, 42.0, 34.0)
    return Instance(0, box, normal=None if normal is None else np.asarray(normal, float), source="model")


def depths(value: float) -> np.ndarray:
    return np.full((48, 64), value, np.float32)


def test_a_part_in_the_middle_lies_on_the_axis_at_its_depth():
    seen = seen_pose(instance([0.0, 0.0, -1.0]), CAMERA, np.diag([1e-4, 4e-4, 0.0]), depths(0.6))
    assert seen.pose.translation == pytest.approx([0.0, 0.0, 0.6])
    assert seen.pose.rotation == pytest.approx(np.array([[1, 0, 0], [0, -1, 0], [0, 0, -1]]))
    # A pixel at 0.6 m is 0.01 m; all depths are the same. A normal that errs along x by 0.01 turns about y by as much.
    assert np.diag(seen.covariance) == pytest.approx([1e-4, 1e-4, 1e-4, 4e-4, 1e-4, np.pi**2 / 3])


def test_depths_that_scatter_make_the_position_uncertain_along_the_ray():
    noisy = depths(0.6) + np.random.default_rng(0).normal(0, 0.02, (48, 64)).astype(np.float32)
    seen = seen_pose(instance([0.0, 0.0, -1.0]), CAMERA, np.zeros((3, 3)), noisy)
    # 100 depths of 20 mm beside a pixel of 10 mm.
    assert np.sqrt(seen.covariance[2, 2] - 1e-4) == pytest.approx(0.02, rel=0.25)
    assert seen.covariance[0, 0] == pytest.approx(1e-4, rel=0.05)


@pytest.mark.parametrize(
    ("normal", "covariance", "depth"),
    [
        (None, np.eye(3), depths(0.6)),
        ([0.0, 0.0, -1.0], None, depths(0.6)),
        ([0.0, 0.0, -1.0], np.eye(3), None),
        ([0.0, 0.0, -1.0], np.eye(3), depths(0.0)),
    ],
)
def test_what_is_not_known_is_no_pose(normal, covariance, depth):
    assert seen_pose(instance(normal), CAMERA, covariance, depth) is None


@given(normal=NORMALS)
def test_the_frame_is_right_handed_with_z_along_the_normal(normal):
    rotation = seen_pose(instance(normal), CAMERA, np.zeros((3, 3)), depths(1.0)).pose.rotation
    assert rotation[:, 2] == pytest.approx(normal)
    assert rotation.T @ rotation == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@given(normal=NORMALS)
def test_turns_that_are_drawn_by_their_covariance_move_the_normal_by_its_own(normal):
    across = np.linalg.svd(normal[None])[2][1:]
    covariance = across.T @ np.diag([1e-4, 9e-4]) @ across
    turns = turns_of(normal, covariance)
    # To first order a turn t moves n by t x n = -[n] t.
    x, y, z = normal
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    assert cross @ turns @ cross.T == pytest.approx(covariance, abs=1e-12)
    assert normal @ turns @ normal == pytest.approx(np.pi**2 / 3)
