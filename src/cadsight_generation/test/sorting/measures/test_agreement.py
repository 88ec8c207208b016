import numpy as np
import pytest
from cadsight_generation.sorting.measures.agreement import agreement
from cadsight_generation.sorting.options import COLOURS
from sklearn.metrics import cohen_kappa_score


def test_kappa_is_that_of_scikit_learn_and_lies_in_its_interval():
    rng = np.random.default_rng(1)
    first = rng.integers(0, 4, 80)
    second = np.where(rng.random(80) < 0.7, first, rng.integers(0, 4, 80))
    found = agreement([COLOURS[n] for n in first], [COLOURS[n] for n in second])
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.low < found.kappa < found.high
    assert found.table.sum() == 80


def test_one_colour_on_both_sides_has_no_kappa():
    assert np.isnan(agreement(["red"] * 3, ["red"] * 3).kappa)
