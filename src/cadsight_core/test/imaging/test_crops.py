import math

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.crops import crop, crop_box
from core_strategies import boxes, sizes
from hypothesis import given
from hypothesis import strategies as st

VGA = ImageSize(640, 480)


def ramp(width=640, height=480):
    """Red counts columns and green rows, a quarter as fast."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x // 4, y // 4, np.zeros_like(x)], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((100, 100, 140, 120), (100, 90, 140, 130)),
        ((100.4, 100.4, 140.2, 120.2), (100, 90, 140, 130)),
        ((0, 200, 20, 260), (0, 200, 60, 260)),
        ((630, 470, 640, 480), (630, 470, 640, 480)),
        ((10, 10, 10, 10), (10, 10, 11, 11)),
        ((640, 480, 640, 480), (639, 479, 640, 480)),
        ((0, 0, 640, 480), (80, 0, 560, 480)),
        ((-50, -50, -10, -30), (0, 0, 40, 40)),
    ],
)
def test_a_crop_takes_a_whole_square_inside_the_image(box, expected):
    assert crop_box(Box(*box), VGA).as_tuple() == expected


def test_without_square_the_box_is_cut_at_the_border():
    assert crop_box(Box(-5, 10.4, 20, 15.6), VGA, square=False) == Box(0, 10, 20, 16)


@given(sizes.flatmap(lambda size: st.tuples(st.just(size), boxes(size), st.booleans())))
def test_a_crop_box_has_whole_pixels_inside_the_image_and_is_never_empty(case):
    size, box, square = case
    taken = crop_box(box, size, square=square)
    assert all(v == int(v) for v in taken.as_tuple())
    assert 0 <= taken.x0 < taken.x1 <= size.width
    assert 0 <= taken.y0 < taken.y1 <= size.height
    if square:
        assert taken.width == taken.height


def test_a_crop_of_its_own_size_is_the_image_itself():
    image = ramp()
    np.testing.assert_array_equal(crop(image, Box(100, 50, 324, 274)), image[50:274, 100:324])


def test_a_crop_is_shrunk_by_area():
    image = np.zeros((448, 448, 3), np.uint8)
    image[::2, ::2] = 200  # one bright pixel of four: 50 on average
    assert (crop(image, Box(0, 0, 448, 448)) == 50).all()


@pytest.mark.parametrize("box", [Box(300, 200, 310, 207), Box(0, 0, 640, 480), Box(3, 3, 3, 3)])
@pytest.mark.parametrize("square", [True, False])
def test_a_crop_has_the_given_size_whatever_the_box(box, square):
    assert crop(ramp(), box, square=square).shape == (224, 224, 3)
    assert crop(ramp(), box, 64, square=square).shape == (64, 64, 3)


def test_a_crop_shows_what_its_box_holds():
    got = crop(ramp(), Box(400, 200, 448, 248))
    assert got[112, 112, 0] == pytest.approx(424 // 4, abs=1)
    assert got[112, 112, 1] == pytest.approx(224 // 4, abs=1)


def test_a_box_that_is_not_finite_is_refused_in_a_sentence():
    with pytest.raises(CadsightError, match="expected finite pixels"):
        crop(ramp(), Box(-math.inf, 0, math.inf, 10))
