import numpy as np
import pytest
from cadsight_core.meshes.farthest import farthest_distance
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist


@given(
    st.integers(0, 2**20), st.integers(2, 700), st.sampled_from(["ball", "cloud", "line", "plane", "same"]),
    st.tuples(*3 * [st.floats(0.01, 100)]),
)  # fmt: skip
def test_the_largest_of_all_distances_is_found(seed, count, shape, scale):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    if shape == "ball":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[:, {"line": [1, 2], "plane": [2]}.get(shape, [])] = 0
    points = points * scale * (shape != "same") + 5
    assert farthest_distance(points) == pytest.approx(pdist(points).max(), rel=1e-12, abs=1e-12)


def test_a_single_point_has_no_distance():
    assert farthest_distance(np.ones((1, 3))) == 0


def test_a_part_of_constant_width_with_thousands_of_corners_is_as_wide_as_it_was_made():
    # A Reuleaux triangle of width 1: everywhere on its border are points that are nearly 1 apart. 0.3 high.
    angle = np.linspace(0, np.pi / 3, 3000)
    centres = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
    rim = np.vstack(
        [
            c + np.column_stack([np.cos(angle + t), np.sin(angle + t)])
            for c, t in zip(centres, np.deg2rad((0, 120, 240)), strict=True)
        ]
    )
    points = np.vstack([np.column_stack([rim, np.full(len(rim), z)]) for z in (0, 0.3)])
    assert farthest_distance(points) == pytest.approx(np.sqrt(1.09), rel=1e-12)
