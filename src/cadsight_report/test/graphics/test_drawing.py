import base64

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance
from cadsight_report.graphics.drawing import data_uri, heat, zoomed

WHITE = np.full((60, 80, 3), 255, np.uint8)


def test_an_image_becomes_a_jpeg_of_at_most_the_width_asked_for():
    uri = data_uri(np.zeros((300, 400, 3), np.uint8), max_width=100)
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    assert cv2.imdecode(np.frombuffer(base64.b64decode(body), np.uint8), cv2.IMREAD_COLOR).shape == (75, 100, 3)


def test_heat_is_the_colour_of_each_pixels_own_saliency():
    saliency = np.zeros((60, 80), np.float32)
    saliency[:, 40:60], saliency[:, 60:] = 0.5, 1.0
    hot = heat(WHITE // 2, saliency, fraction=1.0)
    table = cv2.applyColorMap(np.array([[0, 127, 255]], np.uint8), cv2.COLORMAP_INFERNO)[0, :, ::-1]
    # The map is scaled already: its half is drawn as the half, and zeros alone as the darkest colour.
    assert hot[30, [10, 50, 70]].tolist() == table.tolist()
    assert (heat(WHITE, np.zeros((60, 80)), fraction=1.0) == table[0]).all()


def test_a_saliency_of_another_image_is_refused():
    with pytest.raises(CadsightError, match=r"a saliency of shape \(30, 40\) came, expected the image's \(60, 80\)"):
        heat(WHITE, np.zeros((30, 40)))


def test_a_zoomed_image_takes_the_boxes_with_it():
    image = WHITE.copy()
    image[20:30, 40:50] = 0
    enlarged, moved = zoomed(image, Box(30, 10, 60, 40), 90)
    assert enlarged.shape == (90, 90, 3)
    there = moved(
        Instance(0, Box(40, 20, 50, 30), mask=image[..., 0] == 0, point=np.array([45.0, 25.0]), source="human")
    )
    assert there.box.as_tuple() == (30, 30, 60, 60)
    assert (there.mask, there.point) == (None, None)  # they are those of the whole image
    assert (enlarged[33:57, 33:57] == 0).all()
    assert (enlarged[:25] == 255).all()
