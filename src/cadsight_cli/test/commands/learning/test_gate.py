"""`cadsight gate` with two detectors of drawn squares."""

import json

import pytest
import torch
from cadsight_cli.main import main
from squares import write_squares


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Two detectors, of which the second hardly learned, and images that neither saw."""
    folder = tmp_path_factory.mktemp("gate")
    torch.set_num_threads(1)
    write_squares(folder / "data", {"train": 8, "val": 2}, shades=(90, 91))
    write_squares(folder / "held_out", {"train": 6, "val": 2}, shades=(60, 61))
    for name, epochs in (("served", "4"), ("new", "1")):
        words = ["train", "detector", "--data", str(folder / "data"), "--out", str(folder / name), "--epochs", epochs]
        assert main([*words, "--image-size", "64", "--weights", "scratch", "--batch", "4"]) == 0
    return folder


def words_of(material, *more):
    models = ["--served", str(material / "served"), "--new", str(material / "new")]
    return ["gate", *models, "--data", str(material / "held_out"), *more]


def test_a_model_that_is_no_better_is_not_served(material, tmp_path, capsys):
    more = ["--least-images", "5", "--least-labels", "5", "--resamples", "1000", "--json", str(tmp_path / "v.json")]
    assert main(words_of(material, *more)) == 1
    printed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("keep: mAP50:95 changes by") for line in printed)
    assert any(line.startswith("all classes") for line in printed)
    assert json.loads((tmp_path / "v.json").read_text())["answer"] == "keep"


def test_with_few_images_nothing_is_told(material, capsys):
    assert main(words_of(material)) == 1
    assert "cannot tell: 8 images are held out, expected at least 100" in capsys.readouterr().out


def test_images_that_a_model_learned_from_are_refused(material, capsys):
    words = ["gate", "--served", str(material / "served"), "--new", str(material / "new")]
    assert main([*words, "--data", str(material / "data")]) == 2
    assert "learned from 8 of the 10 images to evaluate it on" in capsys.readouterr().err
