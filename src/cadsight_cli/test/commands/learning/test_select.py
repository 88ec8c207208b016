"""`cadsight select` on drawn squares, with a detector that was trained on some of them."""

import json
import shutil

import pytest
import torch
from cadsight_cli.main import main
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.store import save_model
from squares import write_squares


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A pool without labels, a labelled set, a detector and a regressor."""
    folder = tmp_path_factory.mktemp("select")
    torch.set_num_threads(1)
    write_squares(folder / "labelled", {"train": 4, "val": 2}, shades=(90, 91))
    write_squares(folder / "others", {"train": 8}, shades=(60, 61))
    (folder / "pool").mkdir()
    for image in (folder / "others" / "images" / "train").iterdir():
        shutil.copy(image, folder / "pool")
    words = ["train", "detector", "--data", str(folder / "labelled"), "--out", str(folder / "model"), "--epochs", "1"]
    assert main([*words, "--image-size", "64", "--weights", "scratch", "--batch", "4"]) == 0
    regressor = NormalRegressor("compact", 64).module.state_dict()
    save_model(folder / "normals", ModelCard("normals", "compact", ("part",), 64), regressor)
    return folder


def words_of(material, out, *more, labelled=True):
    known = ["--labelled", str(material / "labelled")] if labelled else []
    return ["select", "--pool", str(material / "pool"), *known, "--out", str(out), *more]


def test_a_batch_is_chosen_printed_kept_and_shown(material, tmp_path, capsys):
    words = words_of(material, tmp_path / "b", "--model", str(material / "model"), "--strategy", "dbal", "--k", "3")
    assert main(words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"{tmp_path / 'b' / 'batch.json'}: 3 of 8 images, beside 6 labelled ones"
    batch = json.loads((tmp_path / "b" / "batch.json").read_text())
    assert [line.split("  ")[0] for line in printed[:-1] if line.startswith("/")] == [
        i["file"] for i in batch["images"]
    ]
    assert main(["select", "explain", str(tmp_path / "b")]) == 0
    page = (tmp_path / "b" / "batch.html").read_text()
    assert all(image["name"] in page and image["reason"] in page for image in batch["images"])
    again = (tmp_path / "b" / "batch.json").read_bytes()
    assert main(words) == 0
    assert (tmp_path / "b" / "batch.json").read_bytes() == again


def test_a_start_without_a_model_or_labels(material, tmp_path, capsys):
    assert main(words_of(material, tmp_path, "--strategy", "typiclust", "--k", "2", labelled=False)) == 0
    assert "2 of 8 images, beside 0 labelled ones" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            ["--strategy", "random", "--k", "9"],
            "9 images are to be chosen and the pool has 8, expected at most so many",
        ),
        (
            ["--strategy", "random", "--k", "1", "--beta", "3"],
            "--beta was given and does nothing with --strategy random",
        ),
        (
            ["--strategy", "random", "--k", "1", "--model", "MODEL"],
            "--model was given and does nothing with --strategy",
        ),
        (["--strategy", "margin", "--k", "1"], "the strategy margin asks a model and none is given, expected one"),
        (["--strategy", "best", "--k", "1"], "the strategy is 'best', expected one of random, margin, entropy"),
        (["--strategy", "margin", "--k", "1", "--model", "NORMALS"], "is a model of normals, expected a detector"),
        (["--strategy", "margin", "--k", "1", "--model", "MODEL", "--floor", "0.01"], "--floor"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_nothing_is_written(material, tmp_path, capsys, more, words):
    places = {"MODEL": str(material / "model"), "NORMALS": str(material / "normals")}
    assert main(words_of(material, tmp_path / "b", *(places.get(word, word) for word in more))) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_labels_of_other_classes_are_refused(material, tmp_path, capsys):
    shutil.copytree(material / "labelled", tmp_path / "set")
    config = tmp_path / "set" / "data.yaml"
    config.write_text(config.read_text().replace("square", "circle"))
    words = [
        "select",
        "--pool",
        str(material / "pool"),
        "--labelled",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "b"),
    ]
    assert main([*words, "--model", str(material / "model"), "--strategy", "margin", "--k", "1"]) == 2
    assert "expected one of the model's" in capsys.readouterr().err


def test_images_that_are_labelled_are_not_chosen_and_a_pool_of_them_alone_is_empty(material, tmp_path, capsys):
    known = material / "labelled"
    words = ["select", "--pool", str(known), "--labelled", str(known), "--out", str(tmp_path / "b"), "--k", "1"]
    assert main([*words, "--strategy", "random"]) == 2
    assert "the pool has no image without a label, expected some to choose from" in capsys.readouterr().err


def test_a_page_of_images_that_are_gone_says_which(material, tmp_path, capsys):
    shutil.copytree(material / "pool", tmp_path / "pool")
    words = [
        "select",
        "--pool",
        str(tmp_path / "pool"),
        "--out",
        str(tmp_path / "b"),
        "--strategy",
        "random",
        "--k",
        "1",
    ]
    assert main(words) == 0
    shutil.rmtree(tmp_path / "pool")
    assert main(["select", "explain", str(tmp_path / "b")]) == 2
    assert "of the batch is gone, expected it where it was chosen" in capsys.readouterr().err
