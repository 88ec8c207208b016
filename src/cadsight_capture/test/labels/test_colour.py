import cv2
import numpy as np
import pytest
from cadsight_capture.labels.colour import ColourLabel, ColourParameters, in_ranges, label_by_colour
from cadsight_capture.labels.refusal import Refusal
from cadsight_core.box import Box
from cadsight_core.parts.part import ColourRange

ORANGE, WHITE = (220, 120, 30), (235, 235, 235)
RANGES = (ColourRange((5, 90, 60), (25, 255, 255)),)


def image_of(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (640, 480), colour=ORANGE) -> np.ndarray:
    image = np.full((size[1], size[0], 3), WHITE, np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = colour
    return image


def found(image: np.ndarray, parameters: ColourParameters | None = None) -> ColourLabel:
    label = label_by_colour(image, RANGES, parameters)
    assert isinstance(label, ColourLabel), label
    return label


def test_the_box_is_that_of_the_drawn_part():
    label = found(image_of((200, 150, 320, 230)))
    assert label.box == Box(200, 150, 320, 230)
    assert label.mask.sum() == pytest.approx(120 * 80, abs=8)


def test_the_largest_of_two_things_is_taken():
    assert found(image_of((50, 50, 90, 90), (200, 150, 320, 230))).box == Box(200, 150, 320, 230)


def test_sensor_noise_moves_no_side_by_more_than_a_pixel():
    noise = np.random.default_rng(0).normal(0, 12, (480, 640, 3))
    box = found((image_of((200, 150, 320, 230)) + noise).clip(0, 255).astype(np.uint8)).box
    assert np.abs(np.subtract(box.as_tuple(), (200, 150, 320, 230))).max() <= 1


def test_a_highlight_across_the_part_does_not_split_it():
    image = image_of((200, 150, 320, 230))
    image[150:230, 258:262] = WHITE
    assert found(image).box == Box(200, 150, 320, 230)


def test_the_edge_lies_where_the_part_covers_half_the_pixel():
    fine = image_of((200 * 8 + 6, 150 * 8 + 2, 320 * 8 + 6, 230 * 8 + 2), size=(640 * 8, 480 * 8))
    image = cv2.resize(fine, (640, 480), interpolation=cv2.INTER_AREA)
    # The columns 200 and 320 are covered by 2/8 and 6/8, the rows 150 and 230 by 6/8 and 2/8.
    assert found(image).box == Box(201, 150, 321, 230)


def test_a_shaded_half_keeps_its_own_edge():
    image = image_of((200, 150, 320, 230))
    image[150:230, 260:320] = (110, 60, 15)
    assert found(image).box == Box(200, 150, 320, 230)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (image_of(), "colour_nothing"),
        (image_of((0, 150, 100, 230)), "colour_border"),
        (image_of((600, 400, 640, 440)), "colour_border"),
        (image_of((300, 200, 312, 212)), "colour_small"),
        (image_of((20, 20, 620, 460)), "colour_large"),
        (image_of((200, 150, 320, 230), colour=(255, 250, 245)), "colour_nothing"),
    ],
    ids=["nothing", "left border", "right border", "too small", "too large", "overexposed"],
)
def test_an_image_without_a_whole_part_is_refused(image: np.ndarray, kind: str):
    refusal = label_by_colour(image, RANGES)
    assert isinstance(refusal, Refusal)
    assert refusal.kind == kind
    assert refusal.reason


def test_a_range_that_wraps_takes_red_on_both_sides():
    image = np.array([[(255, 0, 20), (255, 30, 0), (0, 255, 0), (0, 0, 255)]], np.uint8)
    mask = in_ranges(image, (ColourRange((170, 100, 100), (10, 255, 255)),))
    assert mask.tolist() == [[True, True, False, False]]


def test_a_larger_image_gets_a_larger_clean_up():
    image = image_of((400, 300, 640, 460), size=(1280, 960))
    image[300:460, 516:524] = WHITE
    assert found(image).box == Box(400, 300, 640, 460)
