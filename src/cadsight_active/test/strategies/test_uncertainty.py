import numpy as np
import pytest
from cadsight_active.strategies.uncertainty import entropies, entropy_of_images, margin_of_images, margins
from made_candidates import candidates


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[0.7, 0.2, 0.1]], [0.5]),
        ([[0.5, 0.5]], [1.0]),
        ([[0.9, 0.0], [0.4, 0.3]], [0.1, 0.9]),
        # One class: unsure at 0.5, and not at 0.05, where the equation by the letter would give 0.95.
        ([[0.5], [0.05], [0.95]], [1.0, 0.1, 0.1]),
    ],
)
def test_a_margin_is_how_near_the_second_class_is(scores, expected):
    np.testing.assert_allclose(margins(np.array(scores)), expected)


def test_an_entropy_is_largest_at_a_half_and_nothing_where_all_is_certain():
    found = entropies(np.array([[0.5, 0.5], [0.25, 0.0], [1.0, 0.0]]))
    assert found == pytest.approx([2 * np.log(2), -0.25 * np.log(0.25) - 0.75 * np.log(0.75), 0], abs=1e-6)


@pytest.mark.parametrize(("how", "expected"), [("sum", [1.4, 0, 0.2]), ("mean", [0.7, 0, 0.2]), ("max", [0.8, 0, 0.2])])
def test_an_image_without_detections_counts_nothing_however_they_go_together(how, expected):
    made = candidates([2, 0, 1], [[0.6, 0.2], [0.5, 0.3], [0.9, 0.1]])
    np.testing.assert_allclose(margin_of_images(made, how), expected, atol=1e-6)
    assert entropy_of_images(made, how)[1] == 0
