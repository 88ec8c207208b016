import numpy as np
from cadsight_core.box import Box
from cadsight_core.drawing import draw_labels
from cadsight_core.sample import Instance

BLANK = np.zeros((240, 320, 3), np.uint8)


def test_a_box_is_drawn_along_its_border_and_the_picture_itself_stays():
    drawn = draw_labels(BLANK, [Instance(0, Box(100, 80, 200, 160))], ["bracket"])
    assert drawn.shape == BLANK.shape
    assert not BLANK.any()
    assert drawn[120, 99:101].any()
    assert drawn[120, 199:201].any()
    assert drawn[159:161, 150].any()
    assert not drawn[120, 150].any()
    assert not drawn[200:, :].any()


def test_a_normal_points_from_the_point_of_interest_to_its_side():
    instance = Instance(0, Box(100, 80, 200, 160), normal=np.array([0.8, 0.0, -0.6]), point=np.array([120.0, 120.0]))
    drawn = draw_labels(BLANK, [instance], ["bracket"])
    magenta = (drawn[..., 0] > 200) & (drawn[..., 1] < 60) & (drawn[..., 2] > 200)
    assert magenta[120, 122:158].all()  # 0.8 * 50 pixels to the right
    assert not magenta[120, 165:].any()
    assert not magenta[120, :115].any()


def test_classes_differ_in_colour_and_odd_labels_are_drawn_too():
    boxes = [Box(10, 40, 60, 90), Box(110, 40, 160, 90)]
    drawn = draw_labels(BLANK, [Instance(i, b) for i, b in enumerate(boxes)], ["bracket"])
    assert (drawn[65, 10] != drawn[65, 110]).any()
    draw_labels(BLANK, [Instance(0, Box(-50, -50, 900, 900), score=0.5)], ["größe"])


def test_an_outline_is_drawn():
    polygon = Instance(0, Box(50, 50, 150, 150), attributes={"segmentation": [[50, 150, 100, 50, 150, 150]]})
    drawn = draw_labels(BLANK, [polygon], ["x"])
    assert drawn[99:102, 74:77].any()  # the middle of the left edge
