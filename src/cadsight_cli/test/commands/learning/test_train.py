"""`cadsight train`, `evaluate` and `models` on a drawn data set in YOLO's layout."""

import json
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from cadsight_cli.main import main
from cadsight_core.storage.files import alone_in
from squares import write_squares


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Ten grey images with one white square each."""
    folder = tmp_path_factory.mktemp("squares")
    write_squares(folder, {"train": 8, "val": 2}, shades=(90, 91))
    torch.set_num_threads(1)
    return folder


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "squares"
    words = ["train", "detector", "--data", str(data), "--out", str(folder), "--epochs", "2", "--image-size", "64"]
    assert main([*words, "--weights", "scratch", "--batch", "4"]) == 0
    return folder


def test_a_detector_is_trained_evaluated_and_listed(model, data, tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert main(["evaluate", "--model", str(model), "--data", str(data), "--split", "valid", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    assert (figures["pictures"], figures["labels"]) == (2, 2)
    assert {"precision", "recall", "map50", "map50_95", "box_loss", "object_loss"} <= figures.keys()
    printed, errors = capsys.readouterr()
    for line in (
        "images and labels read: 1 of 1",
        "detector loaded: 1 of 1",
        "compared with those learned from: 2 of 2",
        "inferring: 1 of 1",
        "losses: 1 of 1",
        "intervals: 1 of 1",
    ):
        assert line in errors
    for word in ("95 % interval", "precision", "accuracy", "map50_95", "labelled \\ found as", "background"):
        assert word in printed
    assert {"intervals", "confusion", "per_image", "matches"} <= figures.keys()
    assert main(["models", "--models", str(model.parent)]) == 0
    assert "squares" in capsys.readouterr().out


def test_models_lists_whole_models_beside_a_broken_one_which_costs_the_status(model, tmp_path, capsys):
    shutil.copytree(model, tmp_path / "whole")
    shutil.copytree(model, tmp_path / "broken")
    (tmp_path / "broken" / "model.json").write_text("{")
    assert main(["models", "--models", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("whole ")
    assert captured.err.startswith(f"cadsight: the model broken is broken: {tmp_path}")
    assert main(["models", "--models", str(tmp_path), "--json"]) == 1
    listed = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["kind"]) for one in listed["models"]] == [("whole", "detector")]
    assert "is not JSON" in listed["broken"][0]["reason"]


def test_a_second_training_in_the_same_folder_is_refused_while_the_first_runs(data, tmp_path, capsys):
    words = ["train", "detector", "--data", str(data), "--out", str(tmp_path), "--epochs", "1", "--image-size", "64"]
    with alone_in(tmp_path):
        assert main(words) == 2
    assert f"another process works in {tmp_path}, expected to wait for its end" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_distance_of_two_sets_is_told_with_the_network_that_it_comes_from(model, data, tmp_path, capsys):
    file, sheet = tmp_path / "distance.json", tmp_path / "sheet.png"
    words = ["data", "distance", str(data / "images/train"), str(data / "images/val"), "--json", str(file)]
    assert main([*words, "--sheet", str(sheet)]) == 0
    printed, errors = capsys.readouterr()
    for line in (
        "sets read: 1 of 1",
        "network loaded: 1 of 1",
        "features of the first: 8 of 8",
        "distances of the features: 1 of 1",
        "colours of the second: 2 of 2",
    ):
        assert line in errors
    assert "EfficientNet-Lite0" in printed
    assert "too large: fewer images than features" in printed
    assert "inception score " in printed
    found = json.loads(file.read_text())
    assert (found["features"]["pictures"], len(found["neighbours"])) == ([8, 2], 2)
    assert cv2.imread(str(sheet)) is not None
    assert main([*words, "--model", "squares", "--models", str(model.parent)]) == 0
    assert json.loads(file.read_text())["features"]["extractor"].startswith(f"the detector {model} (yolo11n, weights ")
    assert f"features: the detector {model} (yolo11n" in capsys.readouterr().out
    assert main([*words, "--most", "1"]) == 2
    assert "argument --most: '1' was given, expected a whole number of at least 2" in capsys.readouterr().err


def test_a_model_is_not_evaluated_by_images_that_it_learned_from(model, data, tmp_path, capsys):
    words = ["evaluate", "--model", str(model), "--data"]
    assert main([*words, str(data)]) == 2
    error = capsys.readouterr().err
    assert f"{model} learned from 8 of the 10 images to evaluate it on, the first is " in error
    assert "expected images that training never saw" in error
    # A copy by another name.
    for part, source in (("images", "images/train/3.png"), ("labels", "labels/train/3.txt")):
        (tmp_path / part / "test").mkdir(parents=True)
        shutil.copy(data / source, tmp_path / part / "test" / f"other{Path(source).suffix}")
    (tmp_path / "data.yaml").write_text("test: images/test\nnames: [square]\n")
    assert main([*words, str(tmp_path)]) == 2
    assert (
        f"learned from 1 of the 1 images to evaluate it on, the first is other ({tmp_path}" in capsys.readouterr().err
    )


def test_what_speaks_against_the_images_to_evaluate_by_is_noted(model, data, tmp_path, capsys):
    words = ["--data", str(data), "--split", "valid"]
    assert main(["evaluate", "--model", str(model), *words]) == 0
    assert f"note: by 2 of the 2 images {model} was validated" in capsys.readouterr().out
    earlier = tmp_path / "earlier"
    shutil.copytree(model, earlier, ignore=shutil.ignore_patterns("learned_from.json"))
    assert main(["evaluate", "--model", str(earlier), *words]) == 0
    assert f"note: {earlier} does not tell which images it learned from" in capsys.readouterr().out


def test_a_validation_set_with_an_image_of_the_training_set_is_refused_by_content(data, tmp_path, capsys):
    shutil.copytree(data, tmp_path / "copied")
    shutil.copy(data / "images/train/5.png", tmp_path / "copied/images/val/1.png")
    words = ["train", "detector", "--data", str(data), "--out", str(tmp_path / "m"), "--track", "none"]
    assert main([*words, "--valid", str(tmp_path / "copied")]) == 2
    error = capsys.readouterr().err
    assert f"of the validation set ({tmp_path}/copied/images/val/1.png) is " in error
    assert f"of the training set ({data}/images/train/5.png), expected images that are not learned from" in error
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["evaluate", "--model", "none", "--data", "."], "there is no model 'none'"),
        (["report", "model", "--split", "test"], "--split was given and does nothing without --data"),
        (["report", "model", "--part", "x.yaml"], "--part was given and does nothing without --data"),
        (["train", "detector", "--data", "DATA", "--out", "x", "--image-size", "65"], "multiple of 32"),
        (["train", "detector", "--data", "DATA", "--out", "x", "--epochs", "0"], "argument --epochs: '0' was given"),
        (["train", "detector", "--data", "DATA", "--out", "x", "--weights", "gone.pt"], "gone.pt do not exist"),
        (["train", "normals", "--data", "DATA", "--out", "x"], "has a normal"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(words, sentence, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(data) if w == "DATA" else w for w in words]) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("cadsight: ")]
    assert len(lines) == 1
    assert sentence in lines[0]


def test_a_model_is_not_evaluated_on_classes_that_it_does_not_know(model, data, tmp_path, capsys):
    other = tmp_path / "other"
    for part in ("images/train", "labels/train"):
        (other / part).mkdir(parents=True)
        for file in (data / part).iterdir():
            (other / part / file.name).write_bytes(file.read_bytes())
    (other / "data.yaml").write_text("train: images/train\nnames: [circle]\n")
    assert main(["evaluate", "--model", str(model), "--data", str(other)]) == 2
    assert "the class 'circle', expected one of the model's: square" in capsys.readouterr().err


def test_labels_that_nobody_reads_are_refused_in_an_evaluation(model, data, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(data, other)
    (other / "more.csv").write_text("filename,xmin,ymin,xmax,ymax,class\n")
    words = ["evaluate", "--model", str(model), "--data", str(other), "--split", "valid"]
    assert main(words) == 2
    assert "more.csv (a table), expected none; --allow-loss" in capsys.readouterr().err
    assert main([*words, "--allow-loss"]) == 0
