"""Pieces of a run change places as a whole, and what others put into them is kept."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from cadsight_cli.demo.resuming import anew
from cadsight_cli.demo.resuming.anew import beside, discard, put_in_place
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.regression import write_regression
from cadsight_core.formats.yolo.labels import write_yolo
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_core.storage.output_folder import whole_folder
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.store import save_model

STEPS = {
    "sessions/train": "capture_train",
    "composed": "data",
    "yolo": "data",
    "coco": "data",
    "regression": "data",
    "models/detector": "train_detector",
}


def dataset(folder, text):
    made = Dataset.create(folder, ["part"])
    made.append(Sample(text, Path(), ImageSize(8, 8), split="train"), np.zeros((8, 8, 3), np.uint8))
    return made


def make(folder, text):
    """A piece of a run by our own writers, one of whose names or files has ``text`` in it."""
    samples = dataset(folder.parent / f"of-{text}", text).samples()
    if folder.name == "composed":
        dataset(folder, text)
    elif folder.name == "yolo":
        write_yolo({"train": samples}, ["part"], folder)
    elif folder.name == "coco":
        write_coco(samples, ["part"], folder)
    elif folder.name == "regression":
        write_regression(samples, folder / text)
    elif folder.name == "detector":
        save_model(folder, ModelCard("detector", text, ("part",), 64), {"a": torch.ones(2)})
        (folder / "tensorboard").mkdir()
        (folder / "tensorboard" / "events.out.tfevents.1.host").write_text(text)
    else:
        dataset(folder / "raw", text)
        with whole_folder(folder / "labelled", made=False) as work:
            dataset(work, text)
        (folder / "session.json").write_text(
            json.dumps({"format": "cadsight-session-1", "asked": {"session": text}, "skipped": {}})
        )
        (folder / "background.png").write_text(text)
        (folder / "labels.json").write_text(json.dumps({"images": 1, "accepted": 1, "inputs": text}))
        (folder / "truth").mkdir()
        scene = {"world": 1, "mount": text, "part": {"mesh": "part.stl"}}
        for name, data in (("scene.json", json.dumps(scene)), ("frames.jsonl", ""), ("part.stl", "solid")):
            (folder / "truth" / name).write_text(data)
    return content(folder)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.mark.parametrize("piece", STEPS)
def test_a_new_piece_takes_the_place_of_the_old_one_as_a_whole(run, piece):
    old, new = run.folder / piece, beside(run).folder / piece
    make(old, "old")
    expected = make(new, "new")
    notes = []
    put_in_place(run, new, notes.append)
    assert content(old) == expected
    assert not notes
    assert not new.exists()
    assert not list(old.parent.glob("*.kept-*"))


@pytest.mark.parametrize("piece", STEPS)
def test_what_others_put_into_an_old_piece_is_kept_beside_it_and_told(run, piece):
    old, new = run.folder / piece, beside(run).folder / piece
    make(old, "old")
    theirs = {"notes.txt": b"mine", "deep/model.json": b"mine", "images/mine.png": b"mine"}
    for name, data in theirs.items():
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_bytes(data)
    expected = make(new, "new")
    notes = []
    put_in_place(run, new, notes.append)
    (kept,) = old.parent.glob("*.kept-*")
    assert content(kept) == theirs
    assert notes == [f"{old} was replaced, and what others put there was moved to {kept}"]
    assert content(old) == expected


@pytest.mark.parametrize("piece", STEPS)
def test_what_was_begun_for_an_earlier_change_goes_but_for_what_others_put_there(run, piece):
    begun = beside(run).folder / piece
    make(begun, "begun")
    discard(run, STEPS[piece])
    assert not begun.exists()
    make(begun, "again")
    (begun / "notes.txt").write_bytes(b"mine")
    discard(run, STEPS[piece])
    assert content(begun) == {"notes.txt": b"mine"}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_the_change_of_places_leaves_one_whole_piece_there_and_the_other_beside_it(run, moment):
    old, new = run.detector, beside(run).detector
    make(old, "old")
    make(new, "new")
    child = os.fork()
    if not child:
        exchange = anew.exchange

        def killed(one, other):
            if moment == "after":
                exchange(one, other)
            os.kill(os.getpid(), signal.SIGKILL)

        anew.exchange = killed
        put_in_place(run, new)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (aside,) = old.parent.glob("*.kept-*")
    names = [load_card(folder).architecture for folder in (old, aside)]
    assert names == (["old", "new"] if moment == "before" else ["new", "old"])
    assert not new.exists()
