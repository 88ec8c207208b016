import dataclasses

import cv2
import numpy as np
import pytest
from cadsight_generation.holding.edges import band, edge_change, weighted_quantile
from cadsight_generation.holding.patch import SIDE, patch_of
from objects import hexagon, sample_of, shaded

MASK = hexagon(160)
IMAGE = shaded(MASK)


def change(after):
    found = edge_change(patch_of(IMAGE, after, sample_of(MASK).instances[0]))
    assert found is not None
    return found


def test_nothing_moved_in_the_same_image():
    assert dataclasses.astuple(change(IMAGE)) == pytest.approx((0, 0, 0), abs=1e-3)


@pytest.mark.parametrize("pixels", [1.0, 2.0, 3.0])
def test_a_shift_is_measured_in_pixels_of_the_patch(pixels):
    moved = cv2.warpAffine(IMAGE, np.array([[1, 0, pixels], [0, 1, 0]]), (160, 160), borderMode=cv2.BORDER_REPLICATE)
    label = sample_of(MASK).instances[0]
    # A hexagon's slanted edges show less of a shift along the rows, by the cosine of 30 degrees.
    expected = pixels * np.cos(np.pi / 6) * SIDE / round(1.3 * max(label.box.width, label.box.height))
    assert change(moved).moved_px == pytest.approx(expected, rel=0.25)


def test_inverted_colours_move_nothing():
    assert change(255 - IMAGE).moved_px < 0.05
    assert change(255 - IMAGE).lost == 0


def test_an_edge_painted_over_is_lost():
    after = IMAGE.copy()
    after[:, :80] = (90, 95, 100)
    assert change(after).lost == pytest.approx(0.5, abs=0.15)


def test_nothing_is_said_of_an_object_that_cannot_be_seen():
    flat = np.full((160, 160, 3), 90, np.uint8)
    assert edge_change(patch_of(flat, flat, sample_of(MASK).instances[0])) is None


def test_the_band_lies_on_both_sides_of_the_border():
    half = np.zeros((20, 20), bool)
    half[:, 10:] = True
    assert np.flatnonzero(band(half, 2.0)[5]).tolist() == [8, 9, 10, 11]
    assert not band(np.zeros((20, 20), bool)).any()


@pytest.mark.parametrize(("fraction", "value"), [(0.1, 1.0), (0.5, 2.0), (0.9, 3.0), (1.0, 3.0)])
def test_a_heavy_value_is_most_of_the_quantiles(fraction, value):
    assert weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([2.0, 2.0, 6.0]), fraction) == value
