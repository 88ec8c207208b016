import base64

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance
from cadsight_report.drawing import TRUTH_RGB, arrow, data_uri, draw_instances, heat, zoomed

WHITE = np.full((60, 80, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("normal", "end"),
    [
        ((0.0, 0.0, -1.0), (29.5, 19.5)),
        ((1.0, 0.0, 0.0), (49.5, 19.5)),
        ((0.0, 0.5, -0.8660254), (29.5, 29.5)),
    ],
)
def test_an_arrow_is_the_projection_of_the_normal_at_the_length_of_the_longer_side(normal, end):
    start, tip = arrow(Box(20, 15, 40, 25), np.array(normal))
    assert start == (29.5, 19.5)
    assert tip == pytest.approx(end)


def test_a_box_is_drawn_on_the_pixels_of_its_border_and_the_picture_given_stays():
    drawn = draw_instances(WHITE, [Instance(0, Box(20, 15, 40, 25))], TRUTH_RGB, thickness=1)
    # The corner at (20, 15) of the box is half a pixel before the centre of the pixel in row 15, column 20.
    assert (drawn[20, 18] == 255).all()
    assert (drawn[20, 19:21] < 200).any()
    assert (drawn[20, 30] == 255).all()
    assert (WHITE == 255).all()


def test_a_picture_becomes_a_jpeg_of_at_most_the_width_asked_for():
    uri = data_uri(np.zeros((300, 400, 3), np.uint8), max_width=100)
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    assert cv2.imdecode(np.frombuffer(base64.b64decode(body), np.uint8), cv2.IMREAD_COLOR).shape == (75, 100, 3)


def test_heat_is_the_colour_of_each_pixels_own_saliency():
    saliency = np.zeros((60, 80), np.float32)
    saliency[:, 40:60], saliency[:, 60:] = 0.5, 1.0
    hot = heat(WHITE // 2, saliency, share=1.0)
    table = cv2.applyColorMap(np.array([[0, 127, 255]], np.uint8), cv2.COLORMAP_INFERNO)[0, :, ::-1]
    # The map is scaled already: its half is drawn as the half, and zeros alone as the darkest colour.
    assert hot[30, [10, 50, 70]].tolist() == table.tolist()
    assert (heat(WHITE, np.zeros((60, 80)), share=1.0) == table[0]).all()


def test_a_saliency_of_another_picture_is_refused():
    with pytest.raises(CadsightError, match=r"a saliency of shape \(30, 40\) came, expected the picture's \(60, 80\)"):
        heat(WHITE, np.zeros((30, 40)))


def test_a_zoomed_picture_takes_the_boxes_with_it():
    image = WHITE.copy()
    image[20:30, 40:50] = 0
    picture, moved = zoomed(image, Box(30, 10, 60, 40), 90)
    assert picture.shape == (90, 90, 3)
    assert moved(Instance(0, Box(40, 20, 50, 30))).box.as_tuple() == (30, 30, 60, 60)
    assert (picture[33:57, 33:57] == 0).all()
    assert (picture[:25] == 255).all()
