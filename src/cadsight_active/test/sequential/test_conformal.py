import numpy as np
import pytest
from cadsight_active.sequential.conformal import ConformalRanks
from scipy.stats import kstest


@pytest.mark.parametrize(("score", "low", "high"), [(9.0, 0.0, 1 / 5), (0.0, 4 / 5, 1.0), (2.5, 2 / 5, 3 / 5)])
def test_a_score_is_ranked_among_all_and_itself(score, low, high):
    assert low < ConformalRanks([1.0, 2.0, 3.0, 4.0]).p_value(score) <= high


def test_equal_scores_count_in_part_at_random():
    values = [ConformalRanks([1.0] * 9, seed).p_value(1.0) for seed in range(400)]
    assert min(values) < 0.05
    assert max(values) > 0.95


def test_what_came_since_is_ranked_among_too():
    ranks = ConformalRanks([0.0] * 9)
    first = ranks.p_value(5.0)
    later = [ranks.p_value(5.0) for _ in range(90)]
    assert first <= 0.1
    assert np.mean(later) > 0.3
    assert len(ranks) == 100


def test_of_exchangeable_scores_p_values_are_uniform():
    rng = np.random.default_rng(0)
    ranks = ConformalRanks(rng.normal(size=50))
    assert kstest([ranks.p_value(rng.normal()) for _ in range(2000)], "uniform").pvalue > 0.01
