import dataclasses

import pytest
from cadsight_core.errors import CadsightError
from cadsight_experiments.active.plan import ActivePlan
from cadsight_learning.detection.ultralytics.options import YoloOptions

PLAN = ActivePlan(
    "pool", "test", ("random", "entropy"), {10: 3, 25: 3}, 8, 25, 3, "dbal", (25, 50), 250, YoloOptions(batch=8)
)


def test_trainings_on_any_number_of_images_have_as_many_updates():
    # 10 images come 7 times, in 9 batches of 8; 25 come 3 times, in 10; 200 once, in 25: of 250 updates.
    assert [PLAN.epochs(k) for k in (10, 25, 200, 4000)] == [(28, 7), (25, 3), (10, 1), (1, 1)]


def test_without_updates_the_epochs_of_the_options_count():
    assert dataclasses.replace(PLAN, updates=0).epochs(10) == (PLAN.detector.epochs, 1)


@pytest.mark.parametrize("strategies", [("random",), ("entropy", "dbal"), ("random", "entropy", "random")])
def test_random_and_entropy_are_in_every_comparison_once(strategies):
    with pytest.raises(CadsightError, match="expected each once, and random and entropy among them"):
        dataclasses.replace(PLAN, strategies=strategies)


@pytest.mark.parametrize("change", [{"seeds": {}}, {"seeds": {0: 3}}, {"seeds": {10: 0}}, {"cycle_images": 0}])
def test_a_comparison_has_images_and_seeds(change):
    with pytest.raises(CadsightError, match="expected at least one of each"):
        dataclasses.replace(PLAN, **change)


def test_labels_are_compared_between_numbers_that_grow():
    with pytest.raises(CadsightError, match="between 50 and 25 images, expected numbers that grow"):
        dataclasses.replace(PLAN, between=(50, 25))
