import numpy as np
import pytest
from cadsight_core.meshes.files.polygons import cut
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

L_SHAPE = [[0, 0], [40, 0], [40, 10], [10, 10], [10, 30], [0, 30]]
# A square of 10 with a square hole of 4, reached by a cut that is gone both ways.
FRAME = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0], [3, 3], [3, 7], [7, 7], [7, 3], [3, 3]]
ARROW = [[0, 0], [10, 5], [0, 10], [4, 5]]
STRAIGHT = [[0, 0], [5, 0], [10, 0], [10, 10], [0, 10]]


def triangles_of(polygon, turn):
    points = turn.apply(np.column_stack([polygon, np.zeros(len(polygon))]))
    points += (1, 2, 3)
    corners = np.arange(len(polygon))
    triangles, owner = cut(points, np.array([len(polygon)]), corners)
    assert (owner == 0).all()
    return points, triangles


@pytest.mark.parametrize(
    ("polygon", "area"), [(L_SHAPE, 600), (FRAME, 84), (ARROW, 30), (STRAIGHT, 100), (L_SHAPE[:3], 200)]
)
@given(st.integers(0, 9), st.integers(0, 2**20), st.booleans())
def test_a_polygon_is_covered_once_whatever_its_first_corner_and_pose(polygon, area, first, seed, mirrored):
    turn = Rotation.random(random_state=seed)
    polygon = polygon[first % len(polygon) :] + polygon[: first % len(polygon)]
    if polygon[0] == polygon[-1]:
        polygon = polygon[::-1][:-1][::-1]
    polygon = polygon[::-1] if mirrored else polygon
    points, triangles = triangles_of(polygon, turn)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    facing = np.cross(b - a, c - a) @ turn.apply([0, 0, -1.0 if mirrored else 1.0])
    assert (facing > -1e-6).all()
    assert facing.sum() / 2 == pytest.approx(area)


def test_no_triangle_lies_where_the_concave_face_has_none():
    points, triangles = triangles_of(L_SHAPE, Rotation.identity())
    middles = (points[triangles] - (1, 2, 3)).mean(axis=1)
    assert not ((middles[:, 0] > 10) & (middles[:, 1] > 10)).any()


def test_polygons_of_several_sizes_keep_their_numbers_and_small_ones_have_no_triangles():
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0]], float)
    triangles, owner = cut(points, np.array([4, 2, 3, 1]), np.array([0, 1, 2, 3, 0, 1, 1, 4, 2, 0]))
    assert owner.tolist() == [0, 0, 2]
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3], [6, 7, 8]]


def test_a_corner_that_is_there_twice_makes_no_triangle():
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], float)
    corners = np.array([0, 1, 2, 2])
    triangles, _ = cut(points, np.array([4]), corners)
    assert sorted(corners[triangles][0]) == [0, 1, 2]
    assert len(triangles) == 1


def test_corners_that_are_no_numbers_are_cut_as_a_fan():
    points = np.array([[0, 0, 0], [1, 0, 0], [np.nan, 1, 0], [0, 1, 0]], float)
    assert len(cut(points, np.array([4]), np.arange(4))[0]) == 2
