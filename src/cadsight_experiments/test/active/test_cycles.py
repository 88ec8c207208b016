"""A comparison of strategies on drawn blocks, for real and in seconds."""

import dataclasses
import json

import pytest
from cadsight_active.options import SelectionOptions
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_experiments.active.choosing import Choosing
from cadsight_experiments.active.cycles import compare_strategies
from cadsight_experiments.active.plan import ActivePlan
from cadsight_experiments.active.results import load_active
from cadsight_experiments.active.start import given_start, shipped_start, synthetic_start
from cadsight_experiments.comparison import Running
from cadsight_learning.data.loading import load_together
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.registry.card import load_card

DETECTOR = YoloOptions(epochs=1, image_size=64, batch=4, mosaic=0.0)


def write_set(folder, samples, labelled=True):
    dataset = Dataset.create(folder, ("block",))
    for sample in samples:
        instances = tuple(dataclasses.replace(i, class_id=0) for i in sample.instances) if labelled else ()
        dataset.append(dataclasses.replace(sample, instances=instances, split=""), read_image(sample.image))
    return folder


def start(tested):
    return shipped_start(DETECTOR)


@pytest.fixture(scope="module")
def folders(block_samples, other_samples, tmp_path_factory):
    root = tmp_path_factory.mktemp("active")
    write_set(root / "pool", block_samples[:8])
    write_set(root / "synthetic", block_samples[8:])
    write_set(root / "test", other_samples)
    return root


@pytest.fixture(scope="module")
def plan(folders):
    strategies = ("random", "entropy", "dbal")
    where = (str(folders / "pool"), str(folders / "test"))
    return ActivePlan(*where, strategies, {2: 2, 4: 1, 9: 1}, 2, 2, 1, "dbal", (2, 4), 0, DETECTOR)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def comparison(plan, folders, told):
    return compare_strategies(plan, folders / "out", start, Running(note=told.append))


def test_each_strategy_has_its_trainings_and_random_as_many_without_the_base(comparison):
    rows = {(r.has_base, r.strategy, r.cycle, r.images, r.seed) for r in comparison.results}
    one = [(2, 0), (2, 1), (4, 0)]
    expected = {(True, s, 0, *each) for s in ("random", "entropy", "dbal") for each in one}
    expected |= {(False, "random", 0, *each) for each in one}
    assert rows == expected | {(True, "dbal", 1, 2, 0), (True, "dbal", 2, 4, 0)}
    assert all(r.labels == r.images for r in comparison.results)


def test_more_images_than_the_pool_has_are_left_out_with_a_note(comparison, told):
    assert comparison.notes == ("the pool has 8 images, so that 9 are left out",)
    assert told == list(comparison.notes)


def test_random_has_the_same_images_with_the_base_and_without(comparison, folders):
    by_start = {r.has_base: r for r in comparison.results if (r.strategy, r.images) == ("random", 4)}
    assert by_start[True].key != by_start[False].key
    started = {}
    for has_base, one in by_start.items():
        trial = json.loads((folders / "out" / "trainings" / one.key / "trial.json").read_text())
        started[has_base] = trial["asked"]
    assert started == {has_base: [one.key] for has_base, one in by_start.items()}


def test_the_first_of_the_cycles_is_the_training_of_the_one_cycle(comparison):
    first = [r.key for r in comparison.results if (r.strategy, r.images, r.seed) == ("dbal", 2, 0)]
    assert len(first) == 2
    assert len(set(first)) == 1


def test_models_stay_where_others_go_on_from_them(comparison, folders):
    kept = {p.parent.parent.name for p in folders.glob("out/trainings/*/detector/weights.pt")}
    assert kept == {r.key for r in comparison.results if r.cycle}


def test_what_is_kept_is_what_was_found(comparison, folders):
    assert load_active(folders / "out").results == comparison.results
    assert (folders / "out" / "active.md").read_text().startswith("| strategy | images |")


def test_called_again_it_trains_what_is_missing_alone_and_finds_the_same(comparison, plan, folders):
    trials = sorted(folders.glob("out/trainings/*/trial.json"))
    lost = folders / "out" / "trainings" / comparison.results[0].key / "trial.json"
    lost.unlink()
    before = {p: p.stat().st_mtime_ns for p in trials if p != lost}
    again = compare_strategies(plan, folders / "out", start, Running())
    assert again.results == comparison.results
    assert lost.exists()
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_labels_of_images_that_are_not_chosen_change_no_choice(comparison, folders, block_samples, tmp_path):
    write_set(tmp_path / "pool", block_samples[:8], labelled=False)
    model = start(()).base
    for strategy in ("random", "entropy", "dbal"):
        options = SelectionOptions(strategy=strategy, k=3)
        found = [
            Choosing(tmp_path / str(number), load_together([pool])[0], ("block",)).names(model, (), options)
            for number, pool in enumerate((folders / "pool", tmp_path / "pool"))
        ]
        assert found[0] == found[1]


def test_a_base_of_synthetic_images_has_a_figure_of_its_own_and_is_made_once(plan, folders, tmp_path):
    def make(tested):
        return synthetic_start(folders / "synthetic", tmp_path / "base", DETECTOR, 1, tested)

    short = dataclasses.replace(plan, strategies=("random", "entropy"), seeds={2: 1}, cycles=0)
    found = compare_strategies(short, tmp_path / "out", make, Running())
    assert 0 <= found.base_map50_95 <= 1
    assert found.base.startswith("trained on 3 synthetic images of ")
    assert len(found.without) == 64  # trainings without it start from what is shipped
    (weights,) = tmp_path.glob("base/*/weights.pt")
    made = weights.stat().st_mtime_ns
    assert compare_strategies(short, tmp_path / "out", make, Running()).results == found.results
    assert weights.stat().st_mtime_ns == made


def test_few_images_come_several_times_in_an_epoch(plan, tmp_path):
    short = dataclasses.replace(plan, strategies=("random", "entropy"), seeds={4: 1}, cycles=1, cycle_images=4)
    # 8 updates are half of the 16 batches that 64 images make: at least one epoch of them.
    found = compare_strategies(dataclasses.replace(short, updates=8), tmp_path / "out", start, Running())
    (folder,) = {tmp_path / "out" / "trainings" / r.key / "detector" for r in found.results if r.cycle}
    card = load_card(folder)
    assert card.data["train"]["pictures"] == 64
    assert card.options["epochs"] == 1


def test_a_test_set_that_has_an_image_of_the_pool_is_refused(plan, folders, block_samples, other_samples, tmp_path):
    write_set(tmp_path / "test", [*other_samples[:2], block_samples[3]])
    with pytest.raises(CadsightError, match=r"the image \S+ of the test set .* is \S+ of the pool .*, expected images"):
        compare_strategies(dataclasses.replace(plan, test=str(tmp_path / "test")), tmp_path / "out", start, Running())
    assert not (tmp_path / "out").exists()


def test_a_base_that_learned_from_the_test_set_is_refused(plan, folders, tmp_path):
    tested, _ = load_together([folders / "test"])
    with pytest.raises(CadsightError, match=r"of the synthetic set .* expected images that training never saw"):
        synthetic_start(folders / "test", tmp_path / "base", DETECTOR, 1, tested)
    with pytest.raises(CadsightError, match=r"there is no detector in .*, expected the folder of one"):
        given_start(folders / "pool", DETECTOR, tested)


def test_a_pool_that_is_too_small_is_refused(plan, tmp_path):
    with pytest.raises(CadsightError, match=r"has 8 images, expected at least 9"):
        compare_strategies(dataclasses.replace(plan, seeds={9: 1}), tmp_path / "out", start, Running())


def test_chosen_images_without_a_label_teach_nothing_and_say_so(plan, block_samples, tmp_path):
    write_set(tmp_path / "pool", block_samples[:4], labelled=False)
    short = dataclasses.replace(plan, pool=str(tmp_path / "pool"), strategies=("random", "entropy"), seeds={2: 1})
    found = compare_strategies(dataclasses.replace(short, cycles=0), tmp_path / "out", start, Running())
    assert {(r.labels, r.map50_95) for r in found.results} == {(0, 0.0)}
    assert "none of the 2 images that random chose for seed 0 has a label" in found.notes
    assert not (tmp_path / "out" / "trainings").exists()
