import numpy as np
import pytest
from cadsight_learning.data.letterbox import GREY, framed
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("height", "width", "longer", "shape", "left", "top"),
    [
        (480, 640, 320, (256, 320), 0, 8),
        (640, 480, 320, (320, 256), 8, 0),
        (100, 100, 64, (64, 64), 0, 0),
        (10, 1000, 320, (32, 320), 0, 14),
        (64, 64, 128, (128, 128), 0, 0),
    ],
)
def test_an_image_of_any_aspect_lies_in_the_middle_of_a_canvas_of_whole_strides(
    height, width, longer, shape, left, top
):
    canvas, frame = framed(np.full((height, width, 3), 7, np.uint8), longer)
    assert canvas.shape == (*shape, 3)
    assert (frame.left, frame.top) == (left, top)
    rows, columns = np.nonzero((canvas != GREY).all(axis=2))
    assert (columns.min(), rows.min()) == (left, top)


@given(
    height=st.integers(20, 700),
    width=st.integers(20, 700),
    corners=st.tuples(*[st.floats(0, 1) for _ in range(4)]),
)
def test_boxes_come_back_where_they_were(height, width, corners):
    _, frame = framed(np.zeros((height, width, 3), np.uint8), 160)
    box = np.array([corners]) * (width, height, width, height)
    assert frame.to_native(frame.to_input(box)) == pytest.approx(box, abs=1e-6)


def test_a_box_follows_its_pixels():
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:200, 300:400] = 255
    canvas, frame = framed(image, 320)
    rows, columns = np.nonzero(canvas[..., 0] > 200)
    box = frame.to_input(np.array([[300.0, 100.0, 400.0, 200.0]]))[0]
    assert box == pytest.approx([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
