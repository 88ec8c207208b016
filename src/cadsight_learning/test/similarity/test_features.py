import json

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.similarity.features import (
    compared,
    frechet_distance,
    inception_score,
    kernel_distance,
    nearest,
)
from scipy.linalg import sqrtm


def normal(count, size=6, shift=0.0, std=1.0, seed=0):
    return np.random.default_rng(seed).normal(shift, std, (count, size))


def test_the_frechet_distance_is_that_of_the_fitted_normals():
    a, b = normal(50, seed=1), normal(60, shift=0.4, std=1.7, seed=2)
    s, t = np.cov(a.T), np.cov(b.T)
    by_definition = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * np.real(sqrtm(s @ t)))
    assert frechet_distance(a, b) == pytest.approx(by_definition)


def test_of_known_normals_the_frechet_distance_is_known():
    # Means 2 apart in each of 4 numbers, spreads 1 and 3: 4 * (2^2 + (3 - 1)^2).
    a, b = normal(40_000, 4, seed=1), normal(40_000, 4, 2.0, 3.0, seed=2)
    assert frechet_distance(a, b) == pytest.approx(32, rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_fewer_images_than_features_make_fid_too_large_and_are_marked():
    few = compared(normal(10, 40, seed=1), normal(10, 40, seed=2), "some network")
    many = compared(normal(2000, 40, seed=1), normal(2000, 40, seed=2), "some network")
    assert (few["fid_biased"], many["fid_biased"], few["extractor"]) == (True, False, "some network")
    assert few["fid"] > 20 * many["fid"]
    json.dumps(few, allow_nan=False)


def test_the_kernel_distance_by_its_sums():
    a, b = normal(5, 3, seed=1), normal(4, 3, 0.5, seed=2)

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    within = sum(kernel(a[i], a[j]) for i in range(5) for j in range(5) if i != j) / 20
    other = sum(kernel(b[i], b[j]) for i in range(4) for j in range(4) if i != j) / 12
    across = sum(kernel(x, y) for x in a for y in b) / 20
    assert kernel_distance(a, b)["kid"] == pytest.approx(within + other - 2 * across)


def test_the_kernel_distance_of_small_sets_of_one_kind_is_nothing_on_average():
    found = [kernel_distance(normal(8, seed=i), normal(8, seed=1000 + i)) for i in range(60)]
    values = np.array([f["kid"] for f in found])
    assert abs(values.mean()) < 2.5 * values.std() / np.sqrt(60)
    # About one in twenty such pairs passes the level, and has a p-value under 0.05.
    assert np.mean([f["kid"] > f["level"] for f in found]) < 0.15


def test_sets_of_two_kinds_are_told_apart():
    found = kernel_distance(normal(20, seed=1), normal(20, shift=1.0, seed=2))
    assert found["kid"] > 5 * found["level"]
    assert found["chance"] == pytest.approx(1 / 501)


def test_the_nearest_is_the_one_of_the_same_direction():
    among = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    indices, distance = nearest(np.array([[5.0, 0.1], [-1.0, 3.0], [2.0, 2.0]]), among)
    assert indices.tolist() == [0, 1, 2]
    assert distance == pytest.approx([1 - 5 / np.hypot(5, 0.1), 1 - 3 / np.sqrt(10), 0], abs=1e-12)


def test_too_few_images_are_refused():
    with pytest.raises(CadsightError, match="at least two images each"):
        kernel_distance(normal(1), normal(5))
    with pytest.raises(CadsightError, match="is empty"):
        nearest(normal(2), normal(0))


@pytest.mark.parametrize(
    ("class_probabilities", "score"),
    [
        (np.eye(4), 4.0),  # each surely of another class
        (np.full((5, 4), 0.25), 1.0),  # any of them of any class
        (np.eye(4)[[2, 2, 2]], 1.0),  # all surely of one
        # KL of (0.9, 0.1) and of (0.1, 0.9) from (0.5, 0.5): 0.9 ln 1.8 + 0.1 ln 0.2.
        ([[0.9, 0.1], [0.1, 0.9]], 1.4450),
    ],
)
def test_the_inception_score_counts_classes_that_images_surely_are_of(class_probabilities, score):
    assert inception_score(np.array(class_probabilities)) == pytest.approx(score, abs=1e-4)


def test_no_images_have_no_inception_score():
    with pytest.raises(CadsightError, match="a set of images to score is empty, expected at least one image"):
        inception_score(np.zeros((0, 4)))
