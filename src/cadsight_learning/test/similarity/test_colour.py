import json

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.similarity.colour import channel_histograms, compared, earth_movers_distances, joint_histogram


def plain(*colour: int) -> np.ndarray:
    return np.full((4, 5, 3), colour, np.uint8)


def test_a_set_is_no_distance_from_itself():
    images = [np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)]
    assert list(earth_movers_distances(images, images).values()) == pytest.approx([0] * 7)


def test_plain_images_are_as_far_apart_as_their_colours():
    distances = earth_movers_distances([plain(100, 100, 100)], [plain(160, 100, 100)])
    assert (distances["red"], distances["green"], distances["value"]) == pytest.approx((60, 0, 60))
    # Saturation 255 * 60 / 160; from cell 3 to cell 5 of 32 values each.
    assert distances["saturation"] == pytest.approx(96)
    assert distances["joint"] == pytest.approx(64)


def test_half_of_the_pixels_moved_is_half_of_the_distance():
    two = [plain(0, 0, 0), plain(0, 0, 0)]
    distances = earth_movers_distances(two, [plain(0, 0, 0), plain(0, 0, 128)])
    assert distances["blue"] == pytest.approx(64)
    assert distances["joint"] == pytest.approx(64)


def test_hue_is_a_circle():
    # 4 and 356 degrees are hues 2 and 178 of 180: 4 apart, not 176.
    distances = earth_movers_distances([plain(255, 17, 0)], [plain(255, 0, 17)])
    assert distances["hue"] == pytest.approx(4)


def test_histograms_are_fractions_of_all_pixels():
    histograms = channel_histograms([plain(10, 20, 30), plain(10, 20, 40)])
    assert histograms["red"][10] == pytest.approx(1)
    assert (histograms["blue"][30], histograms["blue"][40]) == pytest.approx((0.5, 0.5))
    assert all(h.sum() == pytest.approx(1) for h in histograms.values())
    assert joint_histogram([plain(0, 0, 255)])[7] == pytest.approx(1)


def test_a_comparison_is_ready_for_json():
    data = json.loads(json.dumps(compared([plain(1, 2, 3)], [plain(1, 2, 4)])))
    assert data["earth_movers_distance"]["blue"] == pytest.approx(1)
    assert len(data["histograms"]) == 2


def test_an_empty_set_is_refused():
    with pytest.raises(CadsightError, match="is empty"):
        earth_movers_distances([], [plain(0, 0, 0)])
