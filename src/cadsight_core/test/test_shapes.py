import numpy as np
import pytest
import shapely
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, encode_mask
from cadsight_core.shapes import (
    area,
    bounds,
    contour,
    cut,
    fill,
    instance_mask,
    instance_polygons,
    joined,
    outlines,
    run_lengths,
)
from faster_coco_eval.core import mask as coco_mask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

SIZE = ImageSize(9, 7)
masks = arrays(bool, (SIZE.height, SIZE.width))


def test_a_triangle_covers_the_pixels_whose_centres_lie_inside():
    # Row y, whose centres lie at height y + 0.5, is inside from x = 0 to y + 0.7.
    mask = fill([[[0, -0.2], [4.2, 4], [0, 4]]], ImageSize(5, 5))
    assert [row.sum() for row in mask] == [1, 2, 3, 4, 0]


def test_a_rectangle_with_corners_on_pixel_edges_covers_just_them():
    mask = fill([[[2, 1], [5, 1], [5, 4], [2, 4]]], SIZE)
    expected = np.zeros((7, 9), bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_polygon_that_reaches_out_of_the_image_is_cut():
    mask = fill([[[-10, -10], [3, -10], [3, 30], [-10, 30]]], SIZE)
    assert mask[:, :3].all()
    assert not mask[:, 3:].any()


@given(masks)
def test_outlines_filled_again_are_the_mask_with_its_holes_closed(mask):
    closed = ndimage.binary_fill_holes(mask)
    polygons = outlines(mask)
    np.testing.assert_array_equal(fill(polygons, SIZE), closed)
    if polygons:
        assert bounds(polygons) == Box.from_mask(mask)


@given(masks)
def test_joined_outlines_cover_what_the_single_ones_do(mask):
    polygons = outlines(mask)
    if polygons:
        np.testing.assert_array_equal(fill([joined(polygons)], SIZE), fill(polygons, SIZE))


@settings(max_examples=300)
@given(masks)
def test_a_contour_filled_again_is_the_mask_pixel_by_pixel_with_holes_and_pieces(mask):
    polygon = contour(mask)
    if polygon is None:
        assert not mask.any()
    else:
        np.testing.assert_array_equal(fill([polygon], SIZE), mask)
        assert bounds([polygon]) == Box.from_mask(mask)


def test_every_small_mask_survives_its_contour():
    for bits in range(1, 2**12):
        mask = np.array([bits >> k & 1 for k in range(12)], bool).reshape(3, 4)
        np.testing.assert_array_equal(fill([contour(mask)], ImageSize(4, 3)), mask)


def test_a_ring_becomes_its_outline_a_bridge_and_its_hole():
    mask = np.zeros((7, 9), bool)
    mask[1:6, 2:7] = True
    mask[3, 4] = False
    corners = {tuple(p) for p in contour(mask)}
    assert corners == {(2, 1), (7, 1), (7, 6), (2, 6), (4, 3), (5, 3), (5, 4), (4, 4)}


polygons = st.lists(st.tuples(st.floats(-9, 18), st.floats(-7, 14)), min_size=3, max_size=8)


@given(polygons)
@example([(0.0, 0.0), (0.0, 2.0), (0.0, 0.0), (1.0, 0.0), (0.0, 2.0), (2.0, -1.0)])  # goes there and back
@example([(5.0, -1.0), (1e-167, 1e-167), (1.0, 7.0)])
def test_a_cut_polygon_covers_the_same_pixels_and_stays_in_the_image(polygon):
    inside = cut([polygon], SIZE)
    if inside:
        box = bounds(inside)
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= SIZE.width
        assert box.y1 <= SIZE.height
    # An edge through a pixel's centre is rounded to either side.
    columns, rows = np.meshgrid(np.arange(SIZE.width) + 0.5, np.arange(SIZE.height) + 0.5)
    surely = shapely.distance(shapely.LinearRing(polygon), shapely.points(columns, rows)) > 1e-6
    np.testing.assert_array_equal(fill(inside, SIZE)[surely], fill([polygon], SIZE)[surely])


def test_a_triangle_is_cut_at_the_border():
    (inside,) = cut([[(-2, 1), (2, 1), (2, 5)]], SIZE)
    assert {tuple(p) for p in inside.tolist()} == {(0, 1), (2, 1), (2, 5), (0, 3)}
    assert area(inside) == 6  # the triangle's 8 without the 2 outside
    assert cut([[(-5, 1), (-2, 1), (-2, 5)]], SIZE) == []


def test_what_leaves_the_image_and_comes_back_is_cut_into_pieces():
    # A comb of two teeth that hang into the image from above.
    comb = [(1, -3), (8, -3), (8, 4), (6, 4), (6, -1), (3, -1), (3, 4), (1, 4)]
    pieces = cut([comb], SIZE)
    assert sorted(bounds([p]).as_tuple() for p in pieces) == [(1, 0, 3, 4), (6, 0, 8, 4)]


@given(masks)
def test_packed_runs_of_cocos_own_coder_are_understood(mask):
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    code = {"size": [int(v) for v in packed["size"]], "counts": packed["counts"].decode()}
    assert run_lengths(code) == encode_mask(mask)


def test_areas_are_computed_by_the_shoelace_formula():
    assert area([[0, 0], [4, 0], [4, 3]]) == 6
    assert area([[0, 0], [0, 2], [5, 2], [5, 0]]) == 10


def test_an_instance_gives_its_mask_however_it_came():
    mask = np.zeros((7, 9), bool)
    mask[1:4, 2:5] = True
    box = Box(2, 1, 5, 4)
    instances = [
        Instance(0, box, mask=mask, source="human"),
        Instance(0, box, attributes={"segmentation": encode_mask(mask)}, source="human"),
        Instance(0, box, attributes={"segmentation": [[2, 1, 5, 1, 5, 4, 2, 4]]}, source="human"),
    ]
    for instance in instances:
        np.testing.assert_array_equal(instance_mask(instance, SIZE), mask)
        np.testing.assert_array_equal(fill(instance_polygons(instance, SIZE), SIZE), mask)
    assert instance_mask(Instance(0, box, source="human"), SIZE) is None
    assert instance_polygons(Instance(0, box, source="human"), SIZE) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"size": [7, 9]}, "expected size"),
        ({"counts": [63]}, "expected size"),
        ({"size": [7, 9], "counts": [60]}, "expected 7 x 9"),
        ({"size": [7, 9], "counts": "~~~"}, "cannot be decoded"),
        ({"size": [7, 9], "counts": "P"}, "cannot be decoded"),
        ({"size": [2, 2], "counts": [4]}, "expected the image's 9 x 7"),
    ],
)
def test_run_lengths_that_cannot_be_used_are_refused(code, words):
    with pytest.raises(CadsightError, match=words):
        instance_mask(Instance(0, Box(0, 0, 1, 1), attributes={"segmentation": code}, source="human"), SIZE)
