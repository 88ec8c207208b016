import numpy as np
import pytest
from cadsight_learning.data.augmentation import Labelled, mosaic, moved, placed, recoloured


def square(x0: int, y0: int, x1: int, y1: int, colour: int = 255) -> Labelled:
    image = np.zeros((120, 160, 3), np.uint8)
    image[y0:y1, x0:x1] = colour
    return Labelled(image, np.array([[x0, y0, x1, y1]], float), np.array([3]))


def lit(image: np.ndarray) -> list[int]:
    rows, columns = np.nonzero(image[..., 0] > 180)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize(
    ("scale", "shift", "expected"),
    [
        ((1, 1), (0, 0), (40, 30, 80, 60)),
        ((1, 1), (10, -5), (50, 25, 90, 55)),
        ((2, 2), (-40, -30), (40, 30, 120, 90)),
        ((-1, 1), (160, 0), (80, 30, 120, 60)),
        ((0.5, 0.5), (0, 0), (20, 15, 40, 30)),
    ],
)
def test_a_box_goes_where_its_pixels_go(scale, shift, expected):
    one = placed(square(40, 30, 80, 60), (120, 160), np.array(scale, float), np.array(shift, float))
    assert one.boxes[0] == pytest.approx(expected)
    assert lit(one.image) == pytest.approx(expected, abs=1)
    assert one.classes.tolist() == [3]


@pytest.mark.parametrize(("shift", "left"), [((-60, 0), 1), ((-75, 0), 0)])
def test_a_box_is_cut_at_the_border_and_goes_when_little_is_left(shift, left):
    one = placed(square(40, 30, 80, 60), (120, 160), np.ones(2), np.array(shift, float))
    assert len(one.boxes) == left
    assert (one.boxes[:, 0] >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_random_moves_keep_boxes_on_their_pixels(seed):
    one = moved(square(60, 40, 100, 80), (128, 160), np.random.default_rng(seed))
    assert one.boxes[0] == pytest.approx(lit(one.image), abs=1.5)


@pytest.mark.parametrize("seed", range(5))
def test_the_boxes_of_a_mosaic_lie_on_its_parts(seed):
    four = [square(60, 40, 100, 80, colour=255) for _ in range(4)]
    one = mosaic(four, (128, 160), np.random.default_rng(seed))
    assert one.image.shape == (128, 160, 3)
    assert len(one.boxes) >= 1
    for x0, y0, x1, y1 in one.boxes.round().astype(int):
        assert one.image[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2, 0].mean() > 200


def test_other_light_is_the_same_for_the_same_seed_and_keeps_the_shape():
    image = square(40, 30, 80, 60).image
    once, again = (recoloured(image, np.random.default_rng(4)) for _ in range(2))
    assert (once == again).all()
    assert once.shape == image.shape
    assert once.dtype == np.uint8
