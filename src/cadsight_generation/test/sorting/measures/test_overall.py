import numpy as np
import pytest
from cadsight_generation.sorting.measures.overall import coverage, data_copying, leaders


def test_two_collapsed_groups_of_images_are_two_images():
    alike = np.kron(np.eye(2, dtype=bool), np.ones((3, 3), bool))
    assert leaders(alike) == [0, 3]


def test_coverage_is_the_fraction_of_real_images_with_a_generated_one_within_their_fifth_neighbour():
    real = np.arange(10.0)[:, None]
    # The fifth neighbour of 0 is at 5, of 4 at 3, of 9 at 5; the generated one at 0 lies within those of 0 to 3.
    assert coverage(np.array([[0.0]]), real) == pytest.approx(0.4)


def test_copies_of_training_images_are_told_by_their_rank_sum():
    rng = np.random.default_rng(0)
    trained_on, held_out = rng.normal(size=(20, 8)), rng.normal(size=(40, 8))
    statistic, p_value = data_copying(trained_on + 0.01, trained_on, held_out)
    assert statistic < -5
    assert p_value < 1e-6
    assert abs(data_copying(rng.normal(size=(40, 8)), trained_on, held_out)[0]) < 3
