import numpy as np
import pytest
from cadsight_active.sequential.martingale import RestartedMixture
from online_cp.martingale import SimpleMixtureMartingale


def wealths(p_values):
    mixture = RestartedMixture()
    return [mixture.bet(p) for p in p_values]


@pytest.mark.parametrize("p_value", [0.001, 0.02, 0.5, 1.0])
def test_a_first_bet_is_the_simple_mixture_of_another_library_on_half_the_wealth(p_value):
    theirs = SimpleMixtureMartingale()
    theirs.update(p_value)
    assert wealths([p_value])[0] == pytest.approx(0.5 + 0.5 * theirs.M, rel=1e-3)


def test_after_many_bets_it_is_the_sum_of_simple_mixtures_that_began_one_after_the_other():
    p_values = np.random.default_rng(0).uniform(0.01, 1, 30)
    total = 1 / 31
    for begin in range(1, 31):
        theirs = SimpleMixtureMartingale()
        for p in p_values[begin - 1 :]:
            theirs.update(float(p))
        total += theirs.M / (begin * (begin + 1))
    assert wealths(p_values)[-1] == pytest.approx(total, rel=1e-3)


def test_on_uniform_p_values_a_level_is_reached_no_more_often_than_ville_says():
    rng = np.random.default_rng(1)
    reached = [max(wealths(1 - rng.random(300))) >= 20 for _ in range(400)]
    assert np.mean(reached) <= 1 / 20 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_change_after_ten_thousand_usual_ones_is_seen_within_a_few():
    rng = np.random.default_rng(2)
    mixture = RestartedMixture()
    for _ in range(10_000):
        mixture.bet(1 - rng.random())
    bets = 0
    while mixture.wealth < 1000:
        mixture.bet(0.0025)
        bets += 1
    assert bets <= 12
    assert mixture.count == 10_000 + bets
