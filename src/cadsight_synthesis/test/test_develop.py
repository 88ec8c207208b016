"""Light becomes the numbers of a picture."""

import numpy as np
import pytest
from cadsight_synthesis.develop import develop


def light(*rgba: float) -> np.ndarray:
    return np.array([[rgba]], np.float32)


@pytest.mark.parametrize(
    ("linear", "coded"), [(0.0, 0), (0.0031308, 10), (0.18, 118), (0.5, 188), (1.0, 255), (7.0, 255), (np.nan, 0)]
)
def test_light_is_coded_as_srgb_and_what_is_brighter_is_white(linear, coded):
    assert develop(light(linear, linear, linear, 1.0)).tolist() == [[[coded] * 3]]


def test_every_number_of_a_picture_behind_comes_through_where_nothing_stands():
    behind = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(develop(np.zeros((16, 16, 4), np.float32), behind), behind)


def test_an_edge_is_mixed_in_linear_light():
    # Half black, half white is 0.5 of the light, which is 188 and not 128.
    assert develop(light(0.0, 0.0, 0.0, 0.5), np.full((1, 1, 3), 255, np.uint8)).tolist() == [[[188] * 3]]


def test_what_is_opaque_hides_what_lies_behind():
    assert develop(light(0.0, 1.0, 0.0, 1.0), np.full((1, 1, 3), 255, np.uint8)).tolist() == [[[0, 255, 0]]]


def test_grey_weighs_the_channels_as_the_eye_does():
    # 0.587 of 255.
    assert develop(light(0.0, 1.0, 0.0, 1.0), grey=True).tolist() == [[[150] * 3]]
