import numpy as np
import pytest
from cadsight_active.clustering.k_medoids import k_medoids


@pytest.mark.parametrize("seed", range(5))
def test_each_of_two_groups_on_a_line_gives_its_middle(seed):
    places = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    distances = np.abs(places[:, None] - places[None])
    assert sorted(k_medoids(distances, 2, np.random.default_rng(seed))) == [1, 4]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_doubles_give_distinct_members(k):
    assert len(set(k_medoids(np.zeros((5, 5)), k, np.random.default_rng(0)).tolist())) == k
