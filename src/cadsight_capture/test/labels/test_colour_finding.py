import cv2
import numpy as np
import pytest
from cadsight_capture.labels.colour import in_ranges
from cadsight_capture.labels.colour_finding import find_colour
from cadsight_core.errors import CadsightError
from hypothesis import given
from hypothesis import strategies as st


def painted(hues, saturation=200, value=180):
    """RGB image (1, N, 3) of some hues."""
    hsv = np.array([[[h % 180, saturation, value] for h in hues]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def test_the_range_is_what_was_seen_and_some_more():
    image = painted([60] * 50 + [66] * 50)
    found = find_colour(image, (0, 0, 100, 1))
    assert (found.colour.low, found.colour.high) == ((52, 150, 120), (74, 255, 255))
    assert (found.hues, found.coloured) == (7, 1.0)


@given(st.integers(0, 179), st.integers(0, 20))
def test_hue_is_a_circle(middle, width):
    hues = [middle + i * width // 99 for i in range(100)]
    image = painted(hues)
    found = find_colour(image, (0, 0, 100, 1))
    assert in_ranges(image, (found.colour,)).all()
    # The range is no wider than needed on either side of red.
    assert (found.colour.high[0] - found.colour.low[0]) % 180 <= width + 16
    opposite = painted([middle + width // 2 + 90])
    assert not in_ranges(opposite, (found.colour,)).any()


def test_a_few_pixels_of_the_background_change_little():
    found = find_colour(painted([100] * 98 + [10] * 2), (0, 0, 100, 1))
    assert (found.colour.low[0], found.colour.high[0]) == (92, 108)


@pytest.mark.parametrize(
    ("image", "rectangle", "words"),
    [
        (painted([60] * 50 + [120] * 50), (0, 0, 100, 1), "the rectangle holds 61 of 180 hues, expected at most 30"),
        (painted([60] * 80 + [0] * 20, saturation=10), (0, 0, 100, 1), "100% of the rectangle is grey, white or black"),
        (
            np.hstack([painted([60] * 80), np.full((1, 20, 3), 255, np.uint8)]),
            (0, 0, 100, 1),
            "20% of the rectangle is",
        ),
        (painted([60] * 100), (0, 0, 101, 1), "expected two corners in the image of 100 x 1"),
        (painted([60] * 100), (50, 0, 50, 1), "expected two corners in the image of 100 x 1"),
        (painted([60] * 100), (-1, 0, 50, 1), "expected two corners in the image of 100 x 1"),
    ],
)
def test_a_rectangle_that_does_not_lie_on_a_coloured_part_is_refused(image, rectangle, words):
    with pytest.raises(CadsightError) as caught:
        find_colour(image, rectangle)
    assert words in str(caught.value)
