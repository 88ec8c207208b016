"""A run, its two models and an experiment of them on one page."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import read_image
from cadsight_core.parts.part import Part, Symmetry
from cadsight_experiments.comparison import compare, load_comparison, table
from cadsight_experiments.plan import Plan
from cadsight_experiments.training_set import TrainingSet
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.evaluation.evaluate import evaluate_normals
from cadsight_learning.models import load_regressor
from cadsight_learning.options import NormalOptions
from cadsight_report.side_by_side.entries import Entry, TestImages, distinct, entries_of, stands_alone
from cadsight_report.side_by_side.page import STAGES, build_side_by_side


@pytest.fixture(scope="module")
def experiment(run_folder, tmp_path_factory):
    """Two sets, one of which says of itself that it is real."""
    root = tmp_path_factory.mktemp("experiment")
    sets = []
    for name, split in (("twin", "train"), ("real", "valid")):
        shutil.copytree(run_folder / "sessions" / split / "labelled", root / name)
        sets.append(TrainingSet(name, (str(root / name),)))
    manifest = root / "real" / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"synthetic"', '"real"').replace('"valid"', '""'))
    test = run_folder / "sessions" / "test" / "labelled"
    detector = YoloOptions(epochs=1, image_size=96, batch=2, mosaic=0.0)
    normals = NormalOptions(epochs=1, batch=2, architecture="compact", image_size=32)
    compare(Plan(tuple(sets), str(test), 2, detector, normals), root / "out")
    return root / "out"


@pytest.fixture(scope="module")
def page(experiment, run_folder, tmp_path_factory):
    stages = []
    path = tmp_path_factory.mktemp("page") / "all.html"
    folders = [run_folder, run_folder / "models" / "detector", experiment]
    assert build_side_by_side(folders, path, progress=stages.append) == path
    assert tuple(stages) == STAGES
    return path.read_text()


def test_everything_is_in_the_page_and_nothing_outside_is_referred_to(page):
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert "<script" not in page
    for heading in (
        "Figures",
        "Training curves",
        "Surface normals",
        "Confusion matrices",
        "Saliency of each model",
        "Synthetic against real images",
    ):
        assert heading in page
    # Figures and curves of both kinds, errors and calibration; neither kind has learned enough for a gap.
    assert page.count("<svg") == 2 + 2 + 1 + 1
    assert "neither has learned yet to find the part" in page
    assert "neither is better yet than to answer each time that the surface faces the camera" in page
    # Three images: crops with a regressor of the run and both sets, images with four detectors; failing ones.
    assert page.count('alt="saliency of ') == 3 * 3 + 3 * 4


def test_a_gap_comes_with_its_chart_and_the_images_that_fail(experiment, tmp_path):
    comparison = json.loads((experiment / "comparison.json").read_text())
    for one in comparison["objects"]:
        one["tilt_deg"] = 180.0  # beside such parts these regressors have learned something
    (tmp_path / "comparison.json").write_text(json.dumps(comparison))
    page = build_side_by_side([tmp_path], tmp_path / "page.html").read_text()
    section = page.split("<h2>Synthetic against real images</h2>")[1]
    assert section.count("<svg") == 1
    assert "labels are off by more than 10 degrees" in section
    assert "that fail:" in section
    assert section.count("<img") >= 1


def test_each_row_has_its_figures_with_intervals(page, experiment):
    comparison = json.loads((experiment / "comparison.json").read_text())
    angle, std = (comparison["sets"][0][name]["median_deg"] for name in ("mean", "spread"))
    (row,) = re.findall(r"<tr><td><strong>twin</strong>(?:(?!</tr>).)*</tr>", page.split("Normals, degrees")[1], re.S)
    assert f"{angle:.2f} <small>± {std:.2f}</small><br>" in row
    assert len(re.findall(r"\d to \d", row)) == 3
    assert "Not all were evaluated on the same images" in page


def test_figures_of_a_set_are_the_means_of_its_trials(experiment):
    for entry, one in zip(
        entries_of(experiment), json.loads((experiment / "comparison.json").read_text())["sets"], strict=True
    ):
        for name, measured in entry.figures.items():
            assert measured.value == pytest.approx(one["mean"][name])
            assert measured.low <= measured.value <= measured.high
        assert len(entry.errors[0]) == 2 * 3
        assert sum(map(sum, entry.confusion.matrix[:-1])) == 2 * 3


def test_the_curves_of_every_seed_are_shown_and_the_crops_of_all_seeds_calibrate_together(experiment):
    for entry, one in zip(
        entries_of(experiment), json.loads((experiment / "comparison.json").read_text())["sets"], strict=True
    ):
        for kind in ("detector", "normals"):
            kept = [json.loads((experiment / one["name"] / s / kind / "curves.json").read_text()) for s in "01"]
            assert entry.curves[kind] == kept
            assert kept[0] != kept[1]
        fractions = [trial["calibration"]["observed"] for trial in one["trials"]]
        assert entry.calibration.observed == pytest.approx(np.mean(fractions, axis=0))
        assert entry.models["detector"] == experiment / one["name"] / "0" / "detector"


def test_a_model_is_evaluated_on_the_images_that_are_given(run_folder):
    test = run_folder / "sessions" / "test" / "labelled"
    (alone,) = entries_of(run_folder / "models" / "normals")
    assert alone.evaluated_on == "its own validation images"
    assert np.isnan(alone.figures["median_deg"].low)
    (evaluated,) = entries_of(run_folder / "models" / "normals", TestImages(test))
    (run,) = entries_of(run_folder)
    assert evaluated.figures["median_deg"] == run.figures["median_deg"]
    assert evaluated.evaluated_on == f"{len(Dataset.open(test))} images of {test}"


def test_a_model_or_a_run_is_not_evaluated_by_given_images_that_it_learned_from(run_folder):
    learned = run_folder / "sessions" / "train" / "labelled"
    for folder in (run_folder, run_folder / "models" / "normals"):
        with pytest.raises(
            CadsightError, match="learned from 4 of the 4 images to evaluate it on, the first is train-0"
        ):
            entries_of(folder, TestImages(learned))
    # Its own session is what it was made for, and validation images are noted.
    assert entries_of(run_folder)[0].notes == ()
    (entry,) = entries_of(run_folder, TestImages(run_folder / "sessions" / "valid" / "labelled"))
    assert [note.split(" images")[0] for note in entry.notes] == ["by 2 of the 2"] * 2


def test_only_a_split_is_evaluated_on_and_symmetry_counts_where_the_parts_are_given(run_folder, tmp_path):
    dataset = Dataset.create(tmp_path / "mixed", ("<part>",))
    for split in ("train", "test"):
        for sample in Dataset.open(run_folder / "sessions" / split / "labelled"):
            (label,) = sample.instances
            upright = dataclasses.replace(label, camera_from_part=Pose(np.eye(3), np.array([0.0, 0.0, 0.4])))
            dataset.append(dataclasses.replace(sample, instances=(upright,)), read_image(sample.image))
    normals = run_folder / "models" / "normals"
    with pytest.raises(CadsightError, match="learned from 4 of the 7 images"):
        entries_of(normals, TestImages(dataset.folder))
    (plain,) = entries_of(normals, TestImages(dataset.folder, "test"))
    assert plain.evaluated_on == f"3 images of {dataset.folder}, test"
    # Turned about z a normal may point anywhere on its cone: the nearest there counts.
    round_about_z = Part("<part>", symmetry=(Symmetry((0.0, 0.0, 1.0), 0),))
    (turned,) = entries_of(normals, TestImages(dataset.folder, "test", [round_about_z]))
    assert turned.evaluated_on == f"{plain.evaluated_on}, normals up to the symmetry of <part>"
    regressor, samples = load_regressor(normals), dataset.samples("test")
    by_hand = evaluate_normals(regressor, samples, {0: round_about_z.symmetry})
    assert turned.figures["mean_deg"].value == by_hand.mean_deg < plain.figures["mean_deg"].value
    assert by_hand.symmetric == 3
    page = build_side_by_side(
        [normals], tmp_path / "page.html", TestImages(dataset.folder, "test", [round_about_z])
    ).read_text()
    assert "normals up to the symmetry of &lt;part&gt;" in page
    # The images of the saliency maps are of the split too.
    assert page.count('alt="saliency of ') == 3
    assert 'alt="saliency of normals on train' not in page


def test_a_training_that_ended_early_is_told_of_beside_its_figures(experiment, run_folder, tmp_path):
    comparison = json.loads((experiment / "comparison.json").read_text())
    assert [t["stopped"] for one in comparison["sets"] for t in one["trials"]] == [{}] * 4
    comparison["sets"][0]["trials"][1]["stopped"] = {"normals": "the loss became nan in epoch 7"}
    (tmp_path / "comparison.json").write_text(json.dumps(comparison))
    words = "seed 1, normals: training stopped early, as the loss became nan in epoch 7; the best epoch until then"
    assert [entry.notes for entry in entries_of(tmp_path)] == [(f"{words} was kept",), ()]
    assert f"Note: {words} was kept." in build_side_by_side([tmp_path], tmp_path / "page.html").read_text()
    assert table(load_comparison(tmp_path)).endswith(f"\n\n- twin, {words} was kept\n")
    model = tmp_path / "normals"
    shutil.copytree(run_folder / "models" / "normals", model)
    card = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps({**card, "stopped": "the loss became inf in epoch 3"}))
    assert entries_of(model)[0].notes[0].startswith("normals: training stopped early, as the loss became inf in")


def test_runs_of_one_name_are_numbered():
    entries = [Entry(name, "", "", {}) for name in ("demo", "other", "demo")]
    assert [e.name for e in distinct(entries)] == ["demo (1)", "other", "demo (2)"]


def test_a_run_stands_on_a_page_of_its_own(run_folder, experiment):
    assert [stands_alone(f) for f in (run_folder, run_folder / "models" / "normals", experiment)] == [False, True, True]


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_that_is_none_of_the_three_is_refused(tmp_path, make):
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(CadsightError, match="a model, a run or an experiment"):
        build_side_by_side([folder], tmp_path / "page.html")
