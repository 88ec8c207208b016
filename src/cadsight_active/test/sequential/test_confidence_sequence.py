import numpy as np
import pytest
from cadsight_active.sequential.confidence_sequence import MeanSequence


def bounds(values, alpha=0.05):
    sequence = MeanSequence(alpha)
    found = []
    for value in values:
        sequence.add(float(value))
        found.append((sequence.lower, sequence.upper))
    return np.array(found)


def test_the_first_bounds_are_those_of_the_equation():
    # The first bet is sqrt(2 log(20) / (0.25 log 2)), cut at 0.5; the number is 0.5 away from the mean that is assumed.
    spent = 4 * 0.25 * (-np.log(0.5) - 0.5) / 4
    half = (np.log(20) + spent) / 0.5
    assert bounds([1.0])[0] == pytest.approx([max(0, 1 - half), min(1, 1 + half)])


@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_the_bounds_hold_at_all_times_as_often_as_they_say(mean):
    rng = np.random.default_rng(0)
    missed = [((b[:, 0] > mean) | (b[:, 1] < mean)).any() for b in (bounds(rng.random(200) < mean) for _ in range(200))]
    assert np.mean(missed) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)


def test_the_bounds_close_around_the_mean():
    values = np.random.default_rng(1).beta(8, 2, 3000)
    low, high = bounds(values)[-1]
    assert low < 0.8 < high
    assert high - low < 0.03
