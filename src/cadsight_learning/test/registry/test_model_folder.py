"""What others have in a model's folder stays, and a kill at any moment leaves a model or what it is gone on from."""

import dataclasses
import json
import os
import signal
from pathlib import Path

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_folder import remove_entries
from cadsight_learning.fit import fit_normals
from cadsight_learning.options import NormalOptions
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import (
    CARD,
    CURVES_CSV,
    CURVES_JSON,
    IMAGES,
    LEARNED_FROM,
    STATE,
    STATE_KEYS,
    WEIGHTS,
    files_of_model,
    refuse_foreign_model,
)
from cadsight_learning.registry.provenance import LearnedFrom
from cadsight_learning.registry.store import list_models, save_model
from cadsight_learning.training.curves import curve_files
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint

CURVES = curve_files([{"epoch": 1, "seconds": 2.0, "learning_rate": 0.1, "score": 0.5}])
CARD_OF_OURS = ModelCard("normals", "compact", ("part",), 32)
OPTIONS = NormalOptions(epochs=2, image_size=32, batch=4, weights="scratch", drawn=0)


def save(folder, value, **more):
    save_model(folder, dataclasses.replace(CARD_OF_OURS, epochs=value), {"a": torch.full((3,), float(value))}, **more)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [CARD, WEIGHTS, LEARNED_FROM, IMAGES, CURVES_JSON, CURVES_CSV, STATE])
@pytest.mark.parametrize("data", [b"mine", b"{}", b"[1]", b"PK\x03\x04"], ids=["text", "object", "list", "zip"])
@pytest.mark.parametrize("beside_ours", [False, True])
def test_a_file_of_others_under_a_name_of_ours_is_refused(tmp_path, name, data, beside_ours):
    if beside_ours:
        save(tmp_path, 1)
    (tmp_path / name).write_bytes(data)
    before = content(tmp_path)
    with pytest.raises(CadsightError, match=rf"{name}.*expected"):
        refuse_foreign_model(tmp_path)
    with pytest.raises(CadsightError, match=rf"{name}.*expected"):
        save(tmp_path, 2)
    assert content(tmp_path) == before


def test_weights_that_nothing_of_ours_lies_beside_are_somebody_elses(tmp_path):
    save_checkpoint(tmp_path / WEIGHTS, {"a": torch.ones(3)})
    with pytest.raises(CadsightError, match=r"weights\.pt has no model\.json of ours beside it"):
        refuse_foreign_model(tmp_path)
    assert files_of_model(tmp_path) == []


def test_a_new_model_replaces_every_file_of_the_old_one_and_leaves_the_others(tmp_path):
    save(tmp_path, 1, learned_from=LearnedFrom((), ()), curves=CURVES)
    (tmp_path / "notes.txt").write_text("mine")
    save(tmp_path, 2)
    assert load_state(tmp_path / WEIGHTS)["a"].tolist() == [2, 2, 2]
    assert {path.name for path in tmp_path.iterdir()} == {CARD, WEIGHTS, "notes.txt"}


def test_bytes_that_the_disk_refuses_leave_the_old_model(tmp_path):
    save(tmp_path, 1)
    before = content(tmp_path)
    with pytest.raises(CadsightError, match=r"could not be written"):
        save(tmp_path, 2, curves={"no/such/folder.csv": b""})
    assert content(tmp_path) == before


def killed_at(moment, folder):
    """Save a model in a child that is killed before its renaming or removing number ``moment``; its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = [moment]

    def counted(call):
        def counting(*args, **more):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return counting

    os.replace, Path.unlink = counted(os.replace), counted(Path.unlink)
    save(folder, 2)
    os._exit(0)


def test_a_kill_at_any_moment_leaves_the_old_model_the_new_one_or_none_and_never_a_mixture(tmp_path):
    seen = set()
    for moment in range(30):
        folder = tmp_path / str(moment)
        save(folder, 1, curves=CURVES)
        save_checkpoint(folder / STATE, dict.fromkeys(STATE_KEYS, 0))
        ended = killed_at(moment, folder)
        refuse_foreign_model(folder)
        assert (folder / STATE).exists()
        if (folder / CARD).exists():
            value = load_state(folder / WEIGHTS)["a"][0].item()
            seen.add((load_card(folder).epochs, value, (folder / CURVES_JSON).exists()))
        else:
            seen.add(None)
        if not ended:
            break
        assert ended == -signal.SIGKILL
    else:
        pytest.fail("it was killed each time")
    assert seen == {(1, 1.0, True), None, (2, 2.0, False)}


def test_a_training_that_was_killed_before_its_model_was_kept_ends_where_it_was(tmp_path, block_samples, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    def fitted():
        epochs = []
        fit_normals(block_samples, block_samples[:4], ["block", "star"], tmp_path / "m", OPTIONS, epochs.append)
        return [report.epoch for report in epochs]

    with monkeypatch.context() as patched:
        patched.setattr("cadsight_learning.fit.save_model", killed)
        with pytest.raises(KeyboardInterrupt):
            fitted()
    assert fitted() == []
    assert not (tmp_path / "m" / STATE).exists()
    assert [card.epochs for _, card in list_models(tmp_path).models] == [2]


def test_the_curves_of_a_model_are_its_own_until_another_takes_its_place(tmp_path, block_samples):
    seen = []

    def with_progress(_):
        seen.append((tmp_path / "m" / CURVES_JSON).read_bytes())

    for seed in (0, 1):
        options = dataclasses.replace(OPTIONS, seed=seed)
        fit_normals(block_samples, block_samples[:4], ["block", "star"], tmp_path / "m", options, with_progress)
        seen.append((tmp_path / "m" / CURVES_JSON).read_bytes())
    first, second, done, *later, replaced = seen
    assert len(json.loads(first)) == 1
    assert second == done == later[0] == later[1] != replaced


def test_what_is_ours_in_a_model_folder_can_be_listed_and_removed(tmp_path):
    save(tmp_path / "old", 1, curves=CURVES)
    for name, data in (("notes.txt", b"mine"), (IMAGES, b"mine")):
        (tmp_path / "old" / name).write_bytes(data)
    assert sorted(files_of_model(tmp_path / "old")) == [CURVES_CSV, CURVES_JSON, CARD, WEIGHTS]
    assert not remove_entries(tmp_path / "old", files_of_model(tmp_path / "old"))
    assert content(tmp_path / "old") == {"notes.txt": b"mine", IMAGES: b"mine"}
