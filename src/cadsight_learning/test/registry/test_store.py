import dataclasses
import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.store import CARD, WEIGHTS, find, fingerprint, list_models, named, save_model

NORMALS = ModelCard("normals", "comillas", ("block",), 64, extra={"covariance": torch.eye(3).tolist()})


@pytest.fixture
def models(tmp_path):
    save_model(tmp_path / "models" / "plate", NORMALS, NormalRegressor("comillas", 64).module.state_dict())
    return tmp_path / "models"


def test_a_model_is_found_by_name_and_by_path(models):
    assert find("plate", models) == find(models / "plate", "elsewhere")
    assert load_regressor("plate", models).covariance == pytest.approx(torch.eye(3).numpy())
    assert [(path.name, card.kind) for path, card in list_models(models).models] == [("plate", "normals")]
    assert list_models(models).broken == ()


def spoil_card(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


SPOILT = [
    (lambda folder: (folder / CARD).write_text('{"kind": '), "is not JSON"),
    (lambda folder: (folder / CARD).write_bytes(b"\xff\xfe"), "is not JSON"),
    (lambda folder: (folder / CARD).write_text("[" * 100_000), "is not JSON"),
    (lambda folder: spoil_card(folder, image_size="large"), "has image_size 'large', expected a whole number"),
    (lambda folder: spoil_card(folder, classes=None), "has classes None, expected a list"),
    (lambda folder: spoil_card(folder, figures=[0.5]), "has figures [0.5], expected an object"),
    (lambda folder: (folder / WEIGHTS).unlink(), "has a card and no weights.pt"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_a_broken_model_hides_none_of_the_others(models, spoil, reason):
    for name in ("broken", "zebra"):
        shutil.copytree(models / "plate", models / name)
    spoil(models / "broken")
    found = list_models(models)
    assert [folder.name for folder, _ in found.models] == ["plate", "zebra"]
    ((folder, sentence),) = found.broken
    assert folder.name == "broken"
    assert reason in sentence


@pytest.mark.parametrize("find_by_name", [find, named, load_detector, load_regressor])
def test_a_name_without_a_model_is_refused_with_the_registry_and_what_it_holds(models, find_by_name):
    with pytest.raises(CadsightError) as refused:
        find_by_name("none", models)
    assert str(refused.value) == f"there is no model 'none' in {models}, expected one of plate"
    with pytest.raises(CadsightError, match=f"no model 'none' in {models / 'no'}, .* it holds none yet"):
        find_by_name("none", models / "no")


def test_a_name_that_leads_out_of_the_registry_is_refused(models):
    with pytest.raises(CadsightError, match="leads out of"):
        find("../models/none", models / "plate")


def test_a_model_elsewhere_is_found_by_its_path_and_never_by_its_name(models, monkeypatch):
    monkeypatch.chdir(models)
    assert find("plate", "elsewhere") == Path("plate")
    with pytest.raises(CadsightError, match="no model 'plate' in elsewhere"):
        named("plate", "elsewhere")
    with pytest.raises(CadsightError, match=f"no model in {models / 'none'}, expected a folder with model.json"):
        find(models / "none", models)


def test_a_model_of_another_kind_is_refused(models):
    with pytest.raises(CadsightError, match="of kind 'normals', expected 'detector'"):
        load_detector("plate", models)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ('{"format": "other"}', "has the format"),
        ('{"format": "cadsight-model-1", "kind": "normals"}', "expected"),
        ("[]", "holds a list"),
    ],
)
def test_a_card_that_is_not_ours_is_refused(models, content, words):
    (models / "plate" / CARD).write_text(content)
    with pytest.raises(CadsightError, match=words):
        load_card(models / "plate")


def test_missing_weights_are_named(models):
    (models / "plate" / WEIGHTS).unlink()
    with pytest.raises(CadsightError, match=r"plate/weights\.pt do not exist"):
        load_regressor("plate", models)


def test_a_card_of_another_architecture_than_its_weights_is_refused(models):
    card = json.loads((models / "plate" / CARD).read_text())
    (models / "plate" / CARD).write_text(json.dumps({**card, "architecture": "compact"}))
    with pytest.raises(CadsightError, match="weights"):
        load_regressor("plate", models)


def test_the_fingerprint_changes_with_a_label_or_an_image_and_not_with_the_order(block_samples, tmp_path):
    whole = fingerprint(block_samples)
    assert fingerprint(block_samples[::-1]) == whole
    unlabelled = dataclasses.replace(block_samples[0], instances=())
    assert fingerprint([unlabelled, *block_samples[1:]]) != whole
    copied = tmp_path / block_samples[0].image.name
    copied.write_bytes(block_samples[0].image.read_bytes())
    assert fingerprint([dataclasses.replace(block_samples[0], image=copied), *block_samples[1:]]) == whole
    copied.write_bytes(block_samples[1].image.read_bytes())
    assert fingerprint([dataclasses.replace(block_samples[0], image=copied), *block_samples[1:]]) != whole


def test_a_figure_that_nobody_could_measure_is_null_in_the_card_and_nan_when_read(tmp_path):
    folder = tmp_path / "model"
    card = ModelCard("detector", "yolo11n", ("part",), 64, figures={"map50": float("nan"), "recall": 0.5})
    save_model(folder, card, {})
    assert json.loads((folder / "model.json").read_text())["figures"] == {"map50": None, "recall": 0.5}
    assert math.isnan(load_card(folder).figures["map50"])
    text = (folder / "model.json").read_text().replace("null", "NaN")
    (folder / "model.json").write_text(text)  # as earlier versions wrote it
    assert math.isnan(load_card(folder).figures["map50"])
