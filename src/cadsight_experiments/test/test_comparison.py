"""Two small sets are trained on and evaluated on a third, for real and in seconds."""

import dataclasses
import json
import math
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.yolo.labels import write_yolo
from cadsight_core.imaging.images import read_image
from cadsight_core.parts.part import Part, Symmetry
from cadsight_experiments.comparison import Running, compare, load_comparison, table
from cadsight_experiments.plan import Plan
from cadsight_experiments.training_set import TrainingSet
from cadsight_learning.data.loading import load_together
from cadsight_learning.detection.ultralytics.detector import DetectorTask
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.evaluation.evaluate import evaluate_normals
from cadsight_learning.metrics.detection import resampled_figures
from cadsight_learning.models import load_regressor
from cadsight_learning.options import NormalOptions
from cadsight_learning.registry.card import load_card

DETECTOR = YoloOptions(epochs=1, image_size=64, batch=4, mosaic=0.0)
NORMALS = NormalOptions(architecture="compact", epochs=1, image_size=32, batch=4)


def plan(sets, test, seeds=1, detector=DETECTOR, normals=NORMALS, parts=()):
    return Plan(tuple(sets), str(test), seeds, detector, normals, parts)


@pytest.fixture(scope="module")
def folders(block_samples, other_samples, tmp_path_factory):
    """`many` and `few` to train on, `test` to evaluate on."""
    root = tmp_path_factory.mktemp("sets")
    for name, samples in (("many", block_samples[:8]), ("few", block_samples[8:]), ("test", other_samples)):
        dataset = Dataset.create(root / name, ("block",))
        for sample in samples:
            instances = tuple(dataclasses.replace(i, class_id=0) for i in sample.instances)
            dataset.append(dataclasses.replace(sample, instances=instances, split=""), read_image(sample.image))
    return root


@pytest.fixture(scope="module")
def comparison(folders):
    sets = [TrainingSet("many", (f"{folders}/many",)), TrainingSet("all", (f"{folders}/many", f"{folders}/few"))]
    return compare(plan(sets, folders / "test", 2), folders / "out")


def test_every_set_is_trained_with_every_seed_and_evaluated_on_the_same_images(comparison, folders):
    assert comparison.test_images == 4
    # Of the 8 images 1 validates, of the 4 others 1 as well: each folder gives its fraction.
    sizes = [(s.name, s.images, len(s.trials)) for s in comparison.sets]
    assert sizes == [("many", 7, 2), ("all", 10, 2)]
    for one in comparison.sets:
        angles = [t.figures["mean_deg"] for t in one.trials]
        assert angles[0] != angles[1]
        assert one.mean["mean_deg"] == pytest.approx(sum(angles) / 2)
        assert one.std["mean_deg"] == pytest.approx(abs(angles[0] - angles[1]) / np.sqrt(2))
    assert load_comparison(folders / "out").to_json() == comparison.to_json()


def test_every_trial_keeps_what_became_of_each_label_of_the_test_set(comparison, other_samples):
    assert [o.image for o in comparison.objects] == [s.name for s in other_samples]
    for one, sample in zip(comparison.objects, other_samples, strict=True):
        label = sample.instances[0]
        assert one.size == pytest.approx(np.sqrt(label.box.area / (96 * 64)), abs=1e-3)
        assert one.tilt_deg == pytest.approx(np.degrees(np.arccos(-label.normal[2])), abs=1e-3)
        assert (one.class_name, one.visible, one.at_border) == ("block", None, 0)
        assert 0.2 < one.brightness < 0.9  # an orange block on light grey
    for one in comparison.sets:
        assert one.origins == {"synthetic": {"many": 8, "all": 12}[one.name]}
        for seed, trial in enumerate(one.trials):
            angles = [o.angle_deg for o in trial.objects]
            assert (trial.seed, len(angles)) == (seed, 4)
            assert trial.figures["mean_deg"] == pytest.approx(np.mean(angles))
            whole = resampled_figures(trial.matches, np.ones((1, 4), int))
            assert whole["recall"][0] == np.mean([o.found for o in trial.objects])
            assert whole["map50_95"][0] == pytest.approx(trial.figures["map50_95"])


def test_trials_in_other_processes_give_what_they_give_here_those_first_from_which_others_go_on(comparison, folders):
    sets = [
        TrainingSet("many", (f"{folders}/many",)),
        TrainingSet("after", (f"{folders}/few",), has_normals=False, after="many"),
    ]
    pool = ProcessPoolExecutor(2, get_context("spawn"))
    with pool:
        running = Running(parallel=pool.map, threads=torch.get_num_threads())
        std = compare(plan(sets, folders / "test", 2), folders / "spread", running)
    assert std.sets[0].to_json() == comparison.sets[0].to_json()
    card = json.loads((folders / "spread/after/1/detector/model.json").read_text())
    assert str(folders / "spread/many/1/detector/weights.pt") in card["started_from"]


def test_trials_that_a_worker_wrote_elsewhere_are_missed(folders):
    sets = [TrainingSet("many", (f"{folders}/many",))]
    with pytest.raises(CadsightError, match=r"lost/many/0 has no results after a worker's training, expected a folder"):
        compare(
            plan(sets, folders / "test", normals=None),
            folders / "lost",
            Running(parallel=lambda work, numbers: [None] * len(numbers)),
        )


def test_a_run_that_was_killed_goes_on_with_what_it_had(comparison, folders):
    kept = folders / "out/many/0/trial.json"
    shutil.rmtree(folders / "out/all/1")
    trial = json.loads(kept.read_text())
    trial["figures"]["map50"] = 0.125  # no training gives this: it is read, not made again
    kept.write_text(json.dumps(trial))
    sets = [TrainingSet("many", (f"{folders}/many",)), TrainingSet("all", (f"{folders}/many", f"{folders}/few"))]
    again = compare(plan(sets, folders / "test", 2), folders / "out")
    assert again.sets[0].trials[0].figures["map50"] == 0.125
    assert again.sets[1].trials[1].to_json() == comparison.sets[1].trials[1].to_json()  # the same seed
    other = dataclasses.replace(DETECTOR, batch=5)
    with pytest.raises(CadsightError, match="holds a trial with other settings or data"):
        compare(plan(sets, folders / "test", detector=other), folders / "out")


def test_the_table_gives_the_mean_the_std_over_the_seeds_and_the_interval(comparison):
    detectors, normals = table(comparison).split("\n\n")
    assert (
        detectors.splitlines()[0] == "| trained on | images | precision | recall | f1 | accuracy | map50 | map50_95 |"
    )
    head, _, many, both = normals.splitlines()
    assert head == "| trained on | images | mean_deg | median_deg | p90_deg |"
    one = comparison.sets[0]
    cell = rf"{one.mean['mean_deg']:.2f} \+- {one.std['mean_deg']:.2f} \(([\d.]+) to ([\d.]+)\)"
    low, high = map(float, re.fullmatch(cell, many.split(" | ")[2]).groups())
    assert low < one.mean["mean_deg"] < high
    assert [row.split(" | ")[:2] for row in (many, both)] == [["| many", "7"], ["| all", "10"]]


def test_one_seed_has_no_std_and_a_set_without_a_regressor_no_row_among_the_normals(comparison):
    one, two = comparison.sets
    figures = {k: v for k, v in two.trials[0].figures.items() if "deg" not in k}
    objects = tuple(dataclasses.replace(o, angle_deg=None) for o in two.trials[0].objects)
    bare = dataclasses.replace(two.trials[0], figures=figures, objects=objects)
    sets = (
        dataclasses.replace(one, trials=one.trials[:1], std={}),
        dataclasses.replace(two, trials=(bare,), std={}, mean=figures),
    )
    text = table(dataclasses.replace(comparison, sets=sets))
    assert "+-" not in text
    assert [line.split(" | ")[0] for line in text.splitlines() if "trained" not in line] == [
        "|---|---|---|---|---|---|---|---|", "| many", "| all", "", "|---|---|---|---|---|", "| many",
    ]  # fmt: skip


def test_a_test_set_that_shares_an_image_with_a_training_set_is_refused_by_content(folders, tmp_path):
    source = Dataset.open(folders / "many")
    dataset = Dataset.create(tmp_path / "test", ("block",))
    sample = source.samples()[3]
    dataset.append(dataclasses.replace(sample, name="renamed"), source.image(sample))
    with pytest.raises(CadsightError, match=r"image renamed of the test set .* is train003 of the training set many"):
        compare(plan([TrainingSet("many", (f"{folders}/many",))], tmp_path / "test", normals=None), tmp_path / "out")


def test_a_trial_whose_loss_became_no_number_keeps_its_last_good_epoch_and_the_table_says_so(
    folders, tmp_path, monkeypatch
):
    real, calls = DetectorTask.loss, []

    def no_number_later(self, batch):
        calls.append(batch)
        loss, parts = real(self, batch)
        return loss * (math.nan if len(calls) > 2 else 1), parts

    monkeypatch.setattr(DetectorTask, "loss", no_number_later)
    detector = dataclasses.replace(DETECTOR, epochs=3)
    sets = [TrainingSet("many", (f"{folders}/many",))]
    found = compare(plan(sets, folders / "test", detector=detector, normals=None), tmp_path)
    # Seven images, four a step: the first epoch has two steps.
    why = "the loss became nan in epoch 2"
    assert found.sets[0].trials[0].stopped == {"detector": why}
    words = f"- many, seed 0, detector: training stopped early, as {why}; the best epoch until then was kept\n"
    assert (tmp_path / "comparison.md").read_text().endswith(f"|\n\n{words}")
    assert load_card(tmp_path / "many" / "0" / "detector").best_epoch == 1


def relabelled(folders, folder, change, classes=("block",)):
    """The images of `test` with changed labels."""
    dataset = Dataset.create(folder, classes)
    for sample in Dataset.open(folders / "test"):
        dataset.append(dataclasses.replace(sample, instances=change(sample.instances)), read_image(sample.image))
    return folder


def without_normals(instances):
    return tuple(dataclasses.replace(i, normal=None) for i in instances)


@pytest.mark.parametrize(
    ("learned", "evaluated", "classes", "normals", "words"),
    [
        (None, lambda found: (), ("block",), None, "none of the 4 images of the test set has a label, expected some"),
        (lambda found: (), None, ("block",), None, "none of the 3 images to train odd on has a label, expected some"),
        (
            None,
            without_normals,
            ("block",),
            NORMALS,
            "none of the 4 images of the test set has a label with a normal",
        ),
        (
            without_normals,
            None,
            ("block",),
            NORMALS,
            "none of the 3 images to train odd on has a label with a normal",
        ),
        (None, tuple, ("brick",), None, "the data hold the class 'brick', expected one of the model's: block"),
    ],
)
def test_labels_of_which_nothing_comes_are_refused_before_the_first_training(
    folders, tmp_path, learned, evaluated, classes, normals, words
):
    odd = folders / "few" if learned is None else relabelled(folders, tmp_path / "odd", learned)
    test = folders / "test" if evaluated is None else relabelled(folders, tmp_path / "test", evaluated, classes)
    if evaluated is None:
        test = folders / "few"
    sets = [TrainingSet("many", (f"{folders}/many",)), TrainingSet("odd", (str(odd),))]
    with pytest.raises(CadsightError, match=words):
        compare(plan(sets, test, normals=normals), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_test_set_is_refused_before_the_first_training(folders, tmp_path):
    Dataset.create(tmp_path / "test", ("block",))
    with pytest.raises(CadsightError, match="none of the 0 images of the test set has a label"):
        compare(plan([TrainingSet("many", (f"{folders}/many",))], tmp_path / "test", normals=None), tmp_path / "out")


def test_warnings_about_a_set_are_noted_before_training(folders, tmp_path):
    yolo = tmp_path / "yolo"
    samples = Dataset.open(folders / "many").samples()
    write_yolo({"train": samples}, ("block", "screw"), yolo)
    (yolo / "labels/train/lone.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    notes = []
    sets = [TrainingSet("one", (str(yolo),)), TrainingSet("two", (str(yolo),), after="one")]

    def stopped(trial, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(plan(sets, folders / "test", normals=None), tmp_path / "out", Running(stopped, notes.append))
    assert notes == [
        "one: nothing is learned of screw: no image to train on has such a label",
        "two: nothing is learned of screw: no image to train on has such a label",
        f"1 label files without an image are left out, the first is {yolo}/labels/train/lone.txt",
    ]


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"format": "cadsight-comparison-0"}'])
def test_a_comparison_of_another_form_is_refused(tmp_path, text):
    (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(CadsightError, match="expected"):
        load_comparison(tmp_path)


@pytest.mark.parametrize("words", ["", "real", "=a", "../real=a", "real=", ".x=a"])
def test_a_set_without_a_plain_name_or_a_folder_is_refused(words):
    with pytest.raises(CadsightError, match="expected NAME=DIR"):
        TrainingSet.parse(words)


def test_a_set_of_several_folders_is_read_from_one_word():
    assert TrainingSet.parse("both=a/b,c") == TrainingSet("both", ("a/b", "c"), (0, 0))
    assert TrainingSet.parse("few=a/b:20,c:5,/d:e") == TrainingSet("few", ("a/b", "c", "/d:e"), (20, 5, 0))


def test_some_images_of_a_folder_are_the_same_for_a_seed_and_grow_with_their_number(folders):
    def names(count, seed):
        return [s.name for s in load_together([folders / "many"], [count], seed)[0]]

    three, five = names(3, 0), names(5, 0)
    assert (len(three), len(five)) == (3, 5)
    assert set(three) < set(five)
    assert names(5, 0) == five
    assert names(5, 1) != five
    with pytest.raises(CadsightError, match=r"9 images are to be taken of .*many, which has 8"):
        names(9, 0)


def test_regressors_are_trained_and_evaluated_by_the_symmetry_of_the_parts(folders, comparison):
    round_about_x = Part("block", 5, symmetry=(Symmetry((1.0, 0.0, 0.0), 0),))
    sets = [TrainingSet("many", (f"{folders}/many",))]
    symmetric = plan(sets, folders / "test", parts=(round_about_x,))
    found = compare(symmetric, folders / "round")
    assert (comparison.symmetry, found.symmetry) == ((), ("block",))
    card = load_card(folders / "round/many/0/normals")
    assert card.data["symmetry"] == {"block": [{"axis": [1.0, 0.0, 0.0], "order": 0}]}
    test_samples, regressor = load_together([folders / "test"])[0], load_regressor(folders / "round/many/0/normals")
    by_hand = evaluate_normals(regressor, test_samples, {0: round_about_x.symmetry})
    assert found.sets[0].mean["mean_deg"] == by_hand.mean_deg < evaluate_normals(regressor, test_samples).mean_deg
    trial = folders / "round/many/0/trial.json"
    made = trial.stat().st_mtime_ns
    again = compare(symmetric, folders / "round")
    assert again.to_json() == found.to_json()
    assert trial.stat().st_mtime_ns == made
    with pytest.raises(CadsightError, match="holds a trial with other settings or data"):
        compare(plan(sets, folders / "test"), folders / "round")


def test_a_part_that_is_no_class_of_a_set_is_refused_before_training(folders, tmp_path):
    with pytest.raises(CadsightError, match="the part rod is no class of the data, expected one of: block"):
        compare(plan([TrainingSet("many", (f"{folders}/many",))], folders / "test", parts=(Part("rod"),)), tmp_path)
    assert not list(tmp_path.iterdir())
