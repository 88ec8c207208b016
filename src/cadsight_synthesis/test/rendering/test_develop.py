"""Light becomes the numbers of an image."""

import numpy as np
import pytest
from cadsight_synthesis.rendering.develop import develop, settle_edges


def light(*rgba: float) -> np.ndarray:
    return np.array([[rgba]], np.float32)


@pytest.mark.parametrize(
    ("linear", "coded"), [(0.0, 0), (0.0031308, 10), (0.18, 118), (0.5, 188), (1.0, 255), (7.0, 255), (np.nan, 0)]
)
def test_light_is_coded_as_srgb_and_what_is_brighter_is_white(linear, coded):
    assert develop(light(linear, linear, linear, 1.0)).tolist() == [[[coded] * 3]]


def test_every_number_of_an_image_behind_comes_through_where_nothing_stands():
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


def test_an_edge_that_was_denoised_lies_between_what_it_parts():
    # A light body on the left, whose alpha at the edge is one of five levels by chance.
    truth = np.clip(10.5 - np.arange(20), 0, 1)[None].repeat(20, axis=0).astype(np.float32)
    noise = np.round(truth * 4 + np.random.default_rng(0).uniform(-2, 2, truth.shape) * (truth % 1 > 0)) / 4
    drawn = np.concatenate([truth[..., None] * (0.8, 0.6, 0.4), noise[..., None]], axis=2).astype(np.float32)
    behind = np.full((20, 20, 3), 255, np.uint8)
    rough, settled = (develop(each, behind).astype(int) for each in (drawn, settle_edges(drawn)))
    body = settled[10, 0]
    assert (settled >= body - 1).all()
    assert (settled[:, 14:] == 255).all()
    assert np.abs(settled[:, :9] - body).max() <= 1
    # Down the edge it changes less than it did.
    assert settled[:, 10].std() < rough[:, 10].std() / 2


def test_an_image_without_edges_stays_as_it_is():
    drawn = np.random.default_rng(0).random((8, 8, 4)).astype(np.float32)
    drawn[..., 3] = 1
    assert np.array_equal(settle_edges(drawn), drawn)


def test_a_wire_thinner_than_a_pixel_keeps_its_colour():
    drawn = np.zeros((9, 9, 4), np.float32)
    drawn[:, 4] = (0.2, 0.1, 0.0, 0.5)
    settled = settle_edges(drawn)[4, 4]
    assert np.allclose(settled[:3] / settled[3], (0.4, 0.2, 0.0), atol=1e-6)
