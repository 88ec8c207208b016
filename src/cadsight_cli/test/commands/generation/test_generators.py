"""`cadsight train generator` and `cadsight generate`, from a few drawn images to a set of generated ones."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import write_image

SMOKE = ["--scale", "smoke", "--images-seen", "16", "--epoch-images", "8", "--track", "none"]
BRACKET = Path(__file__).parents[5] / "config" / "parts" / "bracket.yaml"


def some_images(folder: Path, count: int = 4) -> str:
    folder.mkdir()
    for number in range(count):
        image = np.full((24, 24, 3), 90, np.uint8)
        image[4 * number : 4 * number + 8, 5:15] = 40, 160, 200
        write_image(folder / f"{number}.png", image)
    return str(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    assert main(["train", "generator", some_images(folder / "own"), *SMOKE, "--out", str(folder / "m")]) == 0
    return folder / "m"


def test_a_trained_generator_makes_a_data_set(model, tmp_path, capsys):
    words = ["generate", "--model", str(model), "--count", "3", "--seed", "2", "--out", str(tmp_path / "set")]
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "set")
    assert [s.origin for s in Dataset.open(tmp_path / "set")] == ["generated"] * 3


def test_generated_images_are_learned_from_beside_the_others(model, tmp_path, capsys):
    made = ["generate", "--model", str(model), "--count", "9", "--out", str(tmp_path / "made")]
    assert main(made) == 0
    own, out = some_images(tmp_path / "own"), str(tmp_path / "m")
    assert main(["train", "generator", own, "--add-generated", str(tmp_path / "made"), *SMOKE, "--out", out]) == 0
    assert "4 generated images beside them" in capsys.readouterr().out
    assert main(["train", "generator", own, str(tmp_path / "made"), *SMOKE, "--out", str(tmp_path / "n")]) == 2
    assert "9 of the 13 images to learn from are generated, expected them by --add-gen" in capsys.readouterr().err


def test_a_part_is_drawn_and_learned_first(model, tmp_path, capsys):
    own, out = some_images(tmp_path / "own"), tmp_path / "m"
    part = ["--pretrain-part", str(BRACKET), "--pretrain-images", "6", "--frozen", "1"]
    words = ["train", "generator", own, *part, *SMOKE, "--out", str(out)]
    assert main(words) == 0
    card = json.loads((out / "model.json").read_text())
    assert card["started_from"].startswith("a continuation of pretrained")
    assert card["data"]["train"]["origins"] == {"real": 4}
    first = (out / "pretrained" / "model.json").read_bytes()
    assert json.loads(first)["data"]["train"]["origins"] == {"synthetic": 6}
    # The same again: what was learned first is there.
    assert main(words) == 0
    assert (out / "pretrained" / "model.json").read_bytes() == first


def test_the_status_of_a_training_that_ran_into_no_number_is_1(tmp_path, capsys, monkeypatch):
    from cadsight_generation.unconditional.steps import Adversaries

    loss, calls = Adversaries.critic_loss, 0

    def critic_loss(self, batch):
        nonlocal calls
        calls += 1
        value, parts = loss(self, batch)
        return value * (float("nan") if calls > 2 else 1.0), parts

    monkeypatch.setattr(Adversaries, "critic_loss", critic_loss)
    assert main(["train", "generator", some_images(tmp_path / "own"), *SMOKE, "--out", str(tmp_path / "m")]) == 1
    assert "the loss became nan in epoch 2; the last good state, after epoch 1, is kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--frozen", "2"], "--frozen was given and does nothing without --start or --pretrain"),
        (
            ["--penalty-weight", "5"],
            "the penalty's weight is 5 and there is no penalty, expected 'wgan-gp'",
        ),
        (["--r1", "0", "--r1-every", "4"], "--r1-every was given and does nothing where --r1 is 0"),
        (["--pretrain-images", "5"], "--pretrain-images was given and does nothing without --pretrain-part"),
        (["--pretrain-images-seen", "5"], "--pretrain-images-seen was given and does nothing without --pretrain"),
        (["--masks", "yes"], r"4 of 4 images of .* have no mask, expected one in each"),
        (["--start", "nowhere"], "nowhere holds no model"),
    ],
)
def test_what_does_nothing_or_is_not_there_is_refused(words, sentence, tmp_path, capsys):
    given = ["train", "generator", some_images(tmp_path / "own"), *SMOKE, *words, "--out", str(tmp_path / "m")]
    assert main(given) == 2
    assert re.search(sentence, capsys.readouterr().err)
    assert not (tmp_path / "m").exists()


def test_a_held_out_image_is_not_learned_from_whatever_it_is_called(model, tmp_path, capsys):
    own = some_images(tmp_path / "own")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "other.png").write_bytes((tmp_path / "own" / "2.png").read_bytes())
    held = ["--held-out", str(tmp_path / "held"), *SMOKE, "--out", str(tmp_path / "m")]
    assert main(["train", "generator", own, *held]) == 2
    assert re.search("the image other of .*held is 2 of .*own, expected images that training never saw", heard(capsys))
    # Nor by the model that is gone on from, which learned from the same.
    (tmp_path / "own" / "2.png").unlink()
    assert main(["train", "generator", own, "--start", str(model), *held]) == 2
    assert re.search(r"learned from other \(.*other.png\), expected images it never saw", heard(capsys))


def heard(capsys) -> str:
    return capsys.readouterr().err


def test_one_image_is_refused(tmp_path, capsys):
    assert main(["train", "generator", some_images(tmp_path / "own", 1), "--out", str(tmp_path / "m")]) == 2
    assert "has one image, expected at least 2 that differ" in capsys.readouterr().err
