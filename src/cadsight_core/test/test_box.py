import math

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from core_strategies import boxes, sizes
from hypothesis import given
from hypothesis import strategies as st

VGA = ImageSize(640, 480)
box_in_image = sizes.flatmap(lambda size: st.tuples(st.just(size), boxes(size)))
two_boxes = sizes.flatmap(lambda size: st.tuples(boxes(size), boxes(size)))


def test_the_papers_first_label_is_a_box_of_whole_pixels():
    # Comillas, figure 3: 0.5828125 * 640 = 373 and 0.5578125 * 640 = 357 pixels
    box = Box.from_yolo(0.5828125, 0.3270833333333333, 0.5578125, 0.74375, VGA)
    assert box.as_tuple() == pytest.approx((194.5, -21.5, 551.5, 335.5))
    assert box.centre == pytest.approx((373, 157))


def test_a_mask_pixel_is_one_pixel_wide():
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = mask[2, 3] = True
    assert Box.from_mask(mask) == Box(2, 1, 4, 3)
    assert Box.from_mask(np.zeros((4, 5), bool)) is None


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (20, 20, 30, 30), 0.0),
        ((0, 0, 10, 10), (2, 2, 4, 7), 0.1),
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),
    ],
)
def test_intersection_over_union_is_computed_by_hand(a, b, iou):
    assert Box(*a).iou(Box(*b)) == pytest.approx(iou)


@given(two_boxes)
def test_iou_is_symmetric_and_between_zero_and_one(pair):
    a, b = pair
    assert a.iou(b) == b.iou(a)
    assert 0 <= a.iou(b) <= 1


@given(box_in_image)
def test_yolo_and_back_is_the_same_box(case):
    size, box = case
    relative = box.to_yolo(size)
    assert all(0 <= v <= 1 for v in relative)
    assert Box.from_yolo(*relative, size).as_tuple() == pytest.approx(box.as_tuple(), abs=1e-8)


@pytest.mark.parametrize(
    ("box", "square"),
    [
        ((100, 100, 140, 120), (100, 90, 140, 130)),  # wider: grows up and down
        ((100, 100, 120, 140), (90, 100, 130, 140)),
        ((0, 100, 20, 160), (0, 100, 60, 160)),  # at the left border: moved right
        ((620, 470, 640, 480), (620, 460, 640, 480)),  # at the bottom border: moved up
        ((0, 0, 640, 480), (80, 0, 560, 480)),  # wider than the image is high
    ],
)
def test_a_box_at_the_border_is_moved_inside_not_cut(box, square):
    assert Box(*box).squared(VGA).as_tuple() == square


@given(box_in_image)
def test_a_squared_box_is_square_inside_the_image_and_covers_the_box_where_it_can(case):
    size, box = case
    square = box.squared(size)
    assert square.width == pytest.approx(square.height, abs=1e-9)
    assert square.x0 >= 0
    assert square.y0 >= 0
    assert square.x1 <= size.width + 1e-9
    assert square.y1 <= size.height + 1e-9
    if max(box.width, box.height) <= min(size.width, size.height):
        assert square.x0 <= box.x0 + 1e-9
        assert square.y0 <= box.y0 + 1e-9
        assert square.x1 >= box.x1 - 1e-9
        assert square.y1 >= box.y1 - 1e-9


def test_clipping_keeps_what_is_inside_and_scaling_keeps_the_centre():
    assert Box(-5, 470, 10, 500).clipped(VGA) == Box(0, 470, 10, 480)
    assert Box(700, 10, 710, 20).clipped(VGA).area == 0
    assert Box(0, 0, 10, 20).scaled(2) == Box(-5, -10, 15, 30)


@pytest.mark.parametrize("corners", [(10, 0, 5, 5), (0, 10, 5, 5), (math.nan, 0, 1, 1), (0, 0, 1, math.nan)])
def test_a_box_that_is_inside_out_is_refused_in_a_sentence(corners):
    with pytest.raises(CadsightError, match="expected x0 <= x1"):
        Box(*corners)
