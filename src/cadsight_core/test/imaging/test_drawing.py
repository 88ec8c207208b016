import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.imaging.drawing import arrow, draw_instances
from cadsight_core.sample import Instance

BLANK = np.zeros((240, 320, 3), np.uint8)


def test_a_box_is_drawn_along_its_border_and_the_image_itself_stays():
    canvas = draw_instances(BLANK, [Instance(0, Box(100, 80, 200, 160), source="human")], ["bracket"])
    assert canvas.shape == BLANK.shape
    assert not BLANK.any()
    assert canvas[120, 99:101].any()
    assert canvas[120, 199:201].any()
    assert canvas[159:161, 150].any()
    assert not canvas[120, 150].any()
    assert not canvas[200:, :].any()


def test_a_normal_points_from_the_point_of_interest_to_its_side():
    instance = Instance(
        0, Box(100, 80, 200, 160), normal=np.array([0.8, 0.0, -0.6]), point=np.array([120.0, 120.0]), source="human"
    )
    canvas = draw_instances(BLANK, [instance], ["bracket"])
    magenta = (canvas[..., 0] > 200) & (canvas[..., 1] < 60) & (canvas[..., 2] > 200)
    assert magenta[120, 122:158].all()  # 0.8 * 50 pixels to the right
    assert not magenta[120, 165:].any()
    assert not magenta[120, :115].any()


def test_classes_differ_in_colour_and_odd_labels_are_drawn_too():
    boxes = [Box(10, 40, 60, 90), Box(110, 40, 160, 90)]
    canvas = draw_instances(BLANK, [Instance(i, b, source="human") for i, b in enumerate(boxes)], ["bracket"])
    assert (canvas[65, 10] != canvas[65, 110]).any()
    draw_instances(BLANK, [Instance(0, Box(-50, -50, 900, 900), score=0.5, source="human")], ["größe"])


def test_an_outline_is_drawn():
    polygon = Instance(
        0, Box(50, 50, 150, 150), attributes={"segmentation": [[50, 150, 100, 50, 150, 150]]}, source="human"
    )
    canvas = draw_instances(BLANK, [polygon], ["x"])
    assert canvas[99:102, 74:77].any()  # the middle of the left edge


@pytest.mark.parametrize(
    ("normal", "end"),
    [
        ((0.0, 0.0, -1.0), (29.5, 19.5)),
        ((1.0, 0.0, 0.0), (39.5, 19.5)),
        ((0.0, 0.5, -0.8660254), (29.5, 24.5)),
    ],
)
def test_an_arrow_is_the_projection_of_the_normal_at_half_the_longer_side(normal, end):
    # A box counts from the corner of the top left pixel, what is drawn from its centre.
    start, tip = arrow(Instance(0, Box(20, 15, 40, 25), source="human"), np.array(normal))
    assert start == (29.5, 19.5)
    assert tip == pytest.approx(end)


def test_an_arrow_starts_at_the_point_of_interest_which_counts_from_a_pixels_centre():
    instance = Instance(0, Box(20, 15, 40, 25), point=np.array([22.0, 17.0]), source="human")
    assert arrow(instance, np.array([1.0, 0.0, 0.0])) == ((22.0, 17.0), (32.0, 17.0))


def test_a_thin_box_lies_half_a_pixel_before_the_centres_of_its_pixels():
    white = np.full((60, 80, 3), 255, np.uint8)
    canvas = draw_instances(
        white, [Instance(0, Box(20, 15, 40, 25), source="human")], colour=(47, 158, 98), thickness=1
    )
    # The corner at (20, 15) of the box is half a pixel before the centre of the pixel in row 15, column 20.
    assert (canvas[20, 18] == 255).all()
    assert (canvas[20, 19:21] < 200).any()
    assert (canvas[20, 30] == 255).all()
    assert (white == 255).all()


def test_one_colour_is_that_of_all_and_nothing_is_written_without_names():
    instance = Instance(0, Box(100, 80, 200, 160), normal=np.array([0.8, 0.0, -0.6]), score=0.9, source="human")
    canvas = draw_instances(BLANK, [instance], colour=(0, 255, 0))
    assert canvas[..., 1].any()
    assert not canvas[..., [0, 2]].any()
    assert not canvas[:78].any()
    assert draw_instances(BLANK, [instance], ["bracket"])[:78].any()
