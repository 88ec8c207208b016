"""What each strategy chooses where it can be said by hand, and what all of them keep."""

import dataclasses

import numpy as np
import pytest
from cadsight_active.options import SelectionOptions
from cadsight_active.selection import floor_correlations, nearest_labelled, select
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_core.errors import CadsightError
from made_candidates import candidates, random_candidates

EVERY = tuple(STRATEGIES)


def names(made, choice):
    return [made.ids[i] for i in choice.images]


def test_the_table_has_what_the_papers_have():
    assert {"random", "margin", "entropy", "random_margin", "dbal", "core_set", "ppal", "typiclust"} <= set(EVERY)


@pytest.mark.parametrize("strategy", EVERY)
def test_the_same_seed_gives_the_same_batch_of_unlabelled_images(strategy):
    made, options = random_candidates(), SelectionOptions(strategy, k=9, seed=3)
    choice, again = select(made, options), select(random_candidates(), options)
    np.testing.assert_array_equal(choice.images, again.images)
    np.testing.assert_array_equal(choice.values, again.values)
    assert choice.reasons == again.reasons
    assert len(choice.reasons) == len(set(choice.images.tolist())) == 9
    assert not made.labelled[choice.images].any()


@pytest.mark.parametrize("strategy", EVERY)
def test_the_whole_pool_can_be_chosen(strategy):
    made = random_candidates(12, 3)
    assert sorted(select(made, SelectionOptions(strategy, k=9)).images) == list(range(9))


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("count", [0, 2])
def test_identical_images_give_distinct_ones(strategy, count):
    made = candidates([count] * 10, images=np.ones((10, 3)), common=np.ones((10, 3)), difficulties=[0.5, 0.5])
    assert len(set(select(made, SelectionOptions(strategy, k=6)).images.tolist())) == 6


@pytest.mark.parametrize("strategy", EVERY)
def test_without_labels_to_begin_with_something_is_chosen(strategy):
    made = random_candidates(30, 0)
    assert len(select(made, SelectionOptions(strategy, k=4)).images) == 4


def test_margin_takes_the_images_of_the_largest_sums():
    made = candidates([1, 2, 0, 1], [[0.9, 0.1], [0.6, 0.2], [0.5, 0.3], [0.5, 0.5]], labelled="d")
    choice = select(made, SelectionOptions("margin", k=2))
    assert names(made, choice) == ["b", "a"]
    assert choice.reasons == ("margin 1.400", "margin 0.200")
    assert select(made, SelectionOptions("margin", k=1, aggregate="mean")).reasons == ("margin 0.700",)


def test_one_class_is_said():
    made = candidates([1, 1], [[0.5], [0.9]], classes=1)
    assert "with one class a detection of score p counts" in select(made, SelectionOptions("margin", k=1)).notes[0]


def test_dbal_takes_one_of_each_of_two_groups_of_uncertain_images():
    # Four uncertain images in two places, and two certain ones far away.
    scores = [[0.5, 0.5]] * 4 + [[1.0, 0.0]] * 2
    made = candidates([1] * 6, scores, images=[[0, 0], [0, 1], [9, 0], [9, 1], [50, 50], [-50, 50]])
    for seed in range(5):
        chosen = names(made, select(made, SelectionOptions("dbal", k=2, seed=seed)))
        assert len({*chosen} & {"a", "b"}) == len({*chosen} & {"c", "d"}) == 1


def test_dbal_over_all_leaves_groups_of_labelled_images_to_their_nearest_neighbour():
    scores = [[0.5, 0.5]] * 4
    made = candidates([1] * 4, scores, labelled="cd", images=[[0, 0], [1, 0], [9, 0], [9, 1]])
    assert sorted(names(made, select(made, SelectionOptions("dbal", k=2, over="all")))) == ["a", "b"]


def test_core_set_takes_the_object_that_is_farthest_from_all_labelled_ones_and_then_from_itself():
    made = candidates([1, 1, 1, 1, 0], objects=[[1, 0], [0.9, 0.1], [0, 1], [1, 0]], labelled="d")
    choice = select(made, SelectionOptions("core_set", k=4))
    assert names(made, choice)[:2] == ["c", "b"]
    assert names(made, choice)[-1] == "e"
    assert choice.reasons[-1] == "at random, as no image with an object is left"


def test_core_set_weighs_distances_by_uncertainty():
    made = candidates(
        [1, 1, 1], [[0.99, 0.01], [0.5, 0.5], [0.5, 0.5]], objects=[[0, 1], [0.8, 0.2], [1, 0]], labelled="c"
    )
    assert names(made, select(made, SelectionOptions("core_set", k=1))) == ["b"]


def test_ppal_prefers_the_difficult_class_of_two_equally_uncertain():
    made = candidates([1, 1], [[0.5, 0.1], [0.1, 0.5]], objects=np.eye(2), difficulties=[0.0, 1.0])
    assert names(made, select(made, SelectionOptions("ppal", k=1, delta=1.0))) == ["b"]
    without = dataclasses.replace(made, difficulties=None)
    assert "no labelled image tells" in select(without, SelectionOptions("ppal", k=1)).notes[0]


def test_ppal_takes_one_of_each_of_two_kinds_of_objects():
    made = candidates([1] * 4, objects=[[1, 0], [1, 0.01], [0, 1], [0.01, 1]], difficulties=[0.5, 0.5])
    for seed in range(5):
        chosen = names(made, select(made, SelectionOptions("ppal", k=2, seed=seed)))
        assert len({*chosen} & {"a", "b"}) == len({*chosen} & {"c", "d"}) == 1


def test_typiclust_takes_the_middles_of_the_groups_that_have_no_label():
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.normal(0, 1, (12, 2)), rng.normal(0, 1, (9, 2)) + 50])
    places[3] = 0  # the middle of the first group
    made = candidates([0] * 21, common=places, labelled=[chr(ord("a") + 12)])
    choice = select(made, SelectionOptions("typiclust", k=1))
    assert choice.images[0] < 12
    far = np.linalg.norm(places[:12] - places[choice.images[0]], axis=1)
    assert far.mean() == pytest.approx(
        min(np.linalg.norm(places[:12] - p, axis=1).mean() for p in places[:12]), rel=0.3
    )


def test_random_margin_looks_through_a_part_only():
    made = random_candidates(40, 0)
    few, all_of_them = (
        [select(made, SelectionOptions("random_margin", k=4, seed=s, among=among)).images.tolist() for s in range(5)]
        for among in (0.2, 1.0)
    )
    assert len({tuple(b) for b in all_of_them}) == 1
    assert len({tuple(b) for b in few}) > 1
    assert all_of_them[0] == select(made, SelectionOptions("margin", k=4)).images.tolist()


@pytest.mark.parametrize(
    ("made", "strategy", "k", "words"),
    [
        (candidates([1, 1], labelled="ab"), "random", 1, "no image without a label"),
        (candidates([1, 1]), "random", 3, "3 images are to be chosen and the pool has 2, expected at most so many"),
        (candidates([1, 1]), "dbal", 1, "needs image features and the model gives none"),
        (candidates([1, 1], objects=np.zeros((2, 0))), "core_set", 1, "needs object features and the model gives none"),
        (candidates([1, 1]), "typiclust", 1, "needs common features"),
        (candidates([1, 1]), "best", 1, "the strategy is 'best', expected one of random, margin"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_a_sentence(made, strategy, k, words):
    with pytest.raises(CadsightError, match=words):
        select(made, SelectionOptions(strategy, k=k))


def test_detections_below_the_floor_and_beyond_the_most_do_not_count():
    made = candidates([3, 1], [[0.5, 0.5], [0.04, 0.03], [0.2, 0.2], [0.3, 0.3]])
    seen = made.above(0.05, 1)
    assert seen.counts.tolist() == [1, 1]
    np.testing.assert_allclose(seen.scores[0], [0.5, 0.5])
    assert made.above(0.05, 100).counts.tolist() == [2, 1]


def test_images_with_a_number_that_is_none_are_left_out_by_name():
    made = random_candidates(8, 0)
    assert made.finite()[1] == ()
    scores, features = made.scores.copy(), made.image_features.copy()
    features[2, 1] = np.nan
    scores[made.rows_of(int(np.flatnonzero(made.counts)[-1])).start] = np.inf
    kept, refused = dataclasses.replace(made, scores=scores, image_features=features).finite()
    assert refused == ("i002", made.ids[int(np.flatnonzero(made.counts)[-1])])
    assert len(kept) == 6
    assert len(kept.scores) == kept.counts.sum() == len(kept.object_features)


def test_the_order_at_other_floors_goes_with_that_at_the_one_taken():
    made = random_candidates(80, 0)
    found = correlations_of(made, SelectionOptions("margin", k=5))
    assert list(found) == ["0.03", "0.05", "0.1"]
    assert found["0.05"] == 1
    assert 0.9 < found["0.03"] <= 1
    assert correlations_of(made, SelectionOptions("random", k=5)) == {}


def correlations_of(made, options):
    return floor_correlations(made, options, select(made, options))


def test_the_nearest_labelled_image_is_that_of_the_least_angle():
    made = candidates([0] * 3, images=[[1, 0], [0, 2], [3, 0.1]], labelled="bc")
    numbers, distances = nearest_labelled(made, np.array([0]))
    assert numbers[0] == 2
    assert distances[0] == pytest.approx(1 - 3 / np.hypot(3, 0.1), abs=1e-6)
    assert nearest_labelled(candidates([0, 0]), np.array([0])) is None
