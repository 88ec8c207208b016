import numpy as np
import pytest
from cadsight_learning.metrics.bootstrap import interval, means, proportion_interval, quantiles, resampled


def test_every_resample_has_as_many_images_as_the_set_and_the_seed_makes_it_again():
    weights = resampled(15, 200, seed=3)
    assert weights.shape == (200, 15)
    assert (weights.sum(axis=1) == 15).all()
    assert (resampled(15, 200, seed=3) == weights).all()
    assert (resampled(15, 200, seed=4) != weights).any()
    # An image is left out of a resample with (1 - 1/15)^15.
    assert (weights == 0).mean() == pytest.approx((14 / 15) ** 15, abs=0.03)


@pytest.mark.parametrize("quantile", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_quantiles_and_means_are_those_of_the_values_written_out(quantile):
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=21), resampled(21, 40)
    written = [np.repeat(values, counts) for counts in weights]
    assert quantiles(values, weights, quantile) == pytest.approx([np.quantile(w, quantile) for w in written])
    assert means(values, weights) == pytest.approx([w.mean() for w in written])


def test_an_interval_is_the_middle_and_leaves_out_what_is_no_number():
    assert interval([*range(101), np.nan]) == pytest.approx((2.5, 97.5))
    assert np.isnan(interval([np.nan])).all()


@pytest.mark.parametrize(
    ("value", "images", "expected"),
    # SciPy: stats.binomtest(15, 15).proportion_ci(0.95, "exact") and its like.
    [(1.0, 15, (0.7820, 1.0)), (0.0, 15, (0.0, 0.2180)), (1.0, 100, (0.9638, 1.0)), (1.0, 1, (0.025, 1.0))],
)
def test_all_right_is_not_certainty(value, images, expected):
    assert proportion_interval(np.full(50, value), images) == pytest.approx(expected, abs=1e-4)


def test_a_fraction_that_varies_keeps_its_bootstrap_interval():
    values = np.linspace(0.5, 1.0, 201)
    assert proportion_interval(values, 3) == pytest.approx(interval(values))
