"""What version 0.1.0 wrote before the code had rooms is read, evaluated and gone on with."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.storage.folders.live_report import read_live_report, read_replayed
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_learning.evaluation.evaluate import evaluate_normals
from cadsight_learning.fit import fit_normals
from cadsight_learning.models import load_regressor
from cadsight_learning.options import NormalOptions
from cadsight_learning.registry.card import load_card
from cadsight_learning.runtime import precision
from cadsight_report.figures import read_figures

EARLIER = Path(__file__).parent / "earlier_version"
# As it was trained: 4 epochs, of which begun/ has 2.
OPTIONS = NormalOptions(architecture="compact", image_size=32, epochs=4, batch=4, seed=3)


@pytest.fixture
def dataset(tmp_path):
    shutil.copytree(EARLIER / "set", tmp_path / "set")
    return Dataset.open(tmp_path / "set")


@pytest.fixture(autouse=True)
def as_it_was_trained(monkeypatch):
    """By one thread, and in bfloat16, which a processor that does not multiply it computes slowly and alike."""
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_model_is_read_and_gives_the_figures_of_its_card(dataset):
    card = load_card(EARLIER / "model")
    regressor = load_regressor(EARLIER / "model", device="cpu")
    found = evaluate_normals(regressor, dataset.samples("valid"))
    assert found.mean_deg == pytest.approx(card.figures["mean_deg"], abs=0.01)
    assert (card.epochs, card.classes) == (4, ("block",))


def test_a_training_that_was_begun_is_gone_on_with_and_ends_as_if_it_had_never_stopped(dataset, tmp_path):
    shutil.copytree(EARLIER / "begun", tmp_path / "begun")
    reports = []
    train, valid = dataset.samples("train"), dataset.samples("valid")
    _, card = fit_normals(train, valid, ["block"], tmp_path / "begun", OPTIONS, reports.append)
    assert [report.epoch for report in reports] == [3, 4]
    expected = json.loads((EARLIER / "model" / "curves.json").read_text())
    for report, epoch in zip(reports, expected[2:], strict=True):
        assert report.figures["valid/mean_deg"] == pytest.approx(epoch["valid/mean_deg"], abs=0.05)
    assert card.figures["mean_deg"] == pytest.approx(load_card(EARLIER / "model").figures["mean_deg"], abs=0.05)


def test_the_figures_of_a_run_are_read():
    run = RunFolder(EARLIER / "run")
    document = json.loads(run.figures.read_text())
    figures = read_figures(run.figures)
    assert [(t.what, t.value, t.met) for t in figures.targets] == [
        (t["what"], t["value"], t["met"]) for t in document["targets"]
    ]
    live = read_live_report(run.live / "live.json")
    assert live.figures.frames == json.loads((run.live / "live.json").read_text())["frames"]
    assert read_replayed(run.live / "replay.json").verdict is not None
    assert load_card(run.detector).architecture == "yolo11n"
