import math

import numpy as np
import pytest
from cadsight_experiments.active.curves import (
    beside_random,
    curves_of,
    labels_needed,
    mean_of,
    random_of,
    savings_of,
)
from made_active import active_comparison, result, results

LINE = {10: [0.1, 0.1], 25: [0.25, 0.25], 50: [0.5, 0.5]}
TWICE = {k: [2 * v for v in values] for k, values in LINE.items()}


def test_the_mean_of_three_seeds_has_the_interval_of_students_t():
    mean = mean_of([1.0, 2.0, 3.0])
    # A standard deviation of 1, over the root of 3, times 4.3027 of two degrees of freedom.
    assert (mean.value, mean.low, mean.high) == pytest.approx((2.0, 2 - 2.4841, 2 + 2.4841), abs=1e-4)


def test_one_seed_has_no_interval():
    assert math.isnan(mean_of([1.0]).low)


@pytest.mark.parametrize(
    ("level", "images"),
    [(0.3, 10.0), (0.4, 10.0), (0.5, 17.5), (0.6, 25.0), (0.7, math.inf)],
)
def test_images_needed_lie_on_straight_lines_between_the_points(level, images):
    assert labels_needed([10, 25], [[0.4, 0.6]], [level])[0] == pytest.approx(images)


def test_images_needed_are_those_where_a_curve_first_reaches_the_level():
    assert labels_needed([0, 10, 20, 30], [[0.0, 0.5, 0.4, 0.6]], [0.45])[0] == pytest.approx(9.0)


def test_a_strategy_that_reaches_as_much_with_half_the_images_has_a_fraction_of_one_half():
    found = savings_of(active_comparison([*results("random", LINE), *results("entropy", TWICE)]))
    assert found["S+R random"].fraction.value == pytest.approx(1.0)
    assert found["S+R random"].labels.value == pytest.approx(50.0)
    assert found["S+R random"].area.value == pytest.approx(0.3)
    assert found["S+R entropy"].fraction.value == pytest.approx(0.5)
    assert found["S+R entropy"].labels.value == pytest.approx(25.0)
    assert found["S+R entropy"].area.value == pytest.approx(0.6)


def test_the_interval_is_over_seeds_that_are_resampled_alike_for_all_curves():
    # What differs from seed to seed is the same for both, so that their fraction does not.
    factors = [1.0, 0.5, 0.25, 0.8]
    random = {k: [v[0] * f for f in factors] for k, v in LINE.items()}
    better = {k: [2 * v for v in values] for k, values in random.items()}
    found = savings_of(active_comparison([*results("random", random), *results("entropy", better)]))["S+R entropy"]
    assert (found.fraction.low, found.fraction.high) == pytest.approx((0.5, 0.5))
    assert found.area.low < found.area.value < found.area.high


def test_seeds_that_have_fewer_points_are_resampled_among_themselves():
    random = {**{k: [v[0] * f for f in (1.0, 1.1, 0.9, 1.0)] for k, v in LINE.items()}, 100: [0.8, 0.9]}
    found = savings_of(active_comparison([*results("random", random), *results("entropy", random)]))["S+R random"]
    assert np.isfinite([found.labels.low, found.labels.high, found.area.low, found.area.high]).all()


def test_a_strategy_that_never_reaches_random_needs_infinitely_many_images():
    low = {k: [v / 10 for v in values] for k, values in LINE.items()}
    found = savings_of(active_comparison([*results("random", LINE), *results("entropy", low)]))["S+R entropy"]
    assert math.isinf(found.labels.value)
    assert math.isinf(found.labels.high)


def test_where_random_has_fewer_images_nothing_is_said_of_what_is_saved():
    short = {k: LINE[k] for k in (10, 25)}
    found = savings_of(active_comparison([*results("random", short), *results("entropy", short)]))["S+R entropy"]
    assert math.isnan(found.labels.value)
    assert math.isnan(found.fraction.value)
    assert found.area.value == pytest.approx(0.175)


def test_one_seed_alone_gives_no_interval_of_what_a_strategy_saves():
    one = {k: values[:1] for k, values in LINE.items()}
    found = savings_of(active_comparison([*results("random", one), *results("entropy", one)]))["S+R entropy"]
    assert found.fraction.value == pytest.approx(1.0)
    assert math.isnan(found.fraction.low)


def test_curves_start_at_the_base_where_it_has_a_figure():
    steep = {10: [0.6, 0.6], 25: [0.6, 0.6], 50: [0.6, 0.6]}
    found = savings_of(active_comparison([*results("random", LINE), *results("entropy", steep)], base=0.1))
    # From 0.1 without an image to 0.6 with ten: 0.5 lies four fifths of the way.
    assert found["S+R entropy"].labels.value == pytest.approx(8.0)


def test_the_difference_to_random_is_taken_seed_by_seed():
    found = [*results("random", {10: [0.1, 0.3]}), *results("entropy", {10: [0.2, 0.4]})]
    curves = curves_of(active_comparison(found))
    beside = beside_random(curves[1], random_of(curves), 10)
    assert (beside.value, beside.low, beside.high) == pytest.approx((0.1, 0.1, 0.1))


def test_curves_are_named_as_in_the_papers_figures_and_random_without_the_base_comes_first():
    found = [
        *results("random", LINE),
        *results("dbal", LINE),
        *results("dbal", {25: [0.3], 50: [0.4]}, cycle=True),
        result("random", 10, 0, 0.0, has_base=False),
    ]
    assert [c.name for c in curves_of(active_comparison(found))] == [
        "R random", "S+R random", "S+R dbal", "S+R dbal (2 cycles)",
    ]  # fmt: skip
