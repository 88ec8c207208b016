import numpy as np
import pytest
from cadsight_active.clustering.k_means import careful_start, k_means, nearest_members
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_clusters_are_those_that_scikit_learn_finds_from_the_same_start(seed, weighted):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(300, 5)).astype(np.float32)
    weights = rng.uniform(0.1, 3, 300) if weighted else np.ones(300)
    start = points[careful_start(points, weights, 7, np.random.default_rng(seed))]
    theirs = KMeans(7, init=start, n_init=1, max_iter=100, tol=0).fit(points, sample_weight=weights)
    ours = k_means(points, weights, 7, np.random.default_rng(seed))
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-4)
    np.testing.assert_allclose(ours.centres, theirs.cluster_centers_, atol=1e-3)


def test_a_start_takes_heavy_and_far_points():
    points = np.array([[0.0], [0.1], [10.0]], np.float32)
    starts = [careful_start(points, np.array([1.0, 1.0, 1.0]), 2, np.random.default_rng(s)) for s in range(200)]
    # One of the near two and the far one, but for a chance of 0.01 / 100.
    assert all(2 in start for start in starts)
    firsts = [careful_start(points, np.array([0.0, 0.0, 1.0]), 1, np.random.default_rng(s))[0] for s in range(20)]
    assert set(firsts) == {2}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(0, 3), st.integers(0, 1000))
def test_a_start_takes_distinct_points_also_of_doubles_and_of_nothing_that_weighs(count, kinds, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(kinds + 1, 3)).astype(np.float32)[rng.integers(0, kinds + 1, count)]
    weights = np.zeros(count) if seed % 2 else np.ones(count)
    k = int(rng.integers(1, count + 1))
    assert len(set(careful_start(points, weights, k, rng).tolist())) == k
    clusters = k_means(points, weights, k, rng)
    assert len(set(nearest_members(points, clusters.centres, np.ones(count, bool)).tolist())) == k


def test_a_member_is_taken_by_the_first_centre_and_only_one_that_may_be():
    points = np.array([[0.0], [1.0], [5.0]], np.float32)
    centres = np.array([[0.2], [0.1]], np.float32)
    assert nearest_members(points, centres, np.array([True, True, True])).tolist() == [0, 1]
    assert nearest_members(points, centres, np.array([False, True, True])).tolist() == [1, 2]
