"""Batches on the disk."""

import json

import numpy as np
import pytest
from cadsight_active.batch import (
    BATCH,
    CANDIDATES,
    Batch,
    Chosen,
    Neighbour,
    Selection,
    load_batch,
    load_selection,
    save_selection,
)
from cadsight_core.errors import CadsightError
from made_candidates import random_candidates


@pytest.fixture
def selection(tmp_path):
    chosen = (
        Chosen("i001", tmp_path / "1.png", "ab", 1.5, 0, "margin", Neighbour("i059", tmp_path / "59.png", 0.25)),
        Chosen("i002", tmp_path / "2.png", "cd", float("nan"), None, "at random"),
    )
    batch = Batch(
        "margin", {"k": 2, "floor": 0.05}, "m", "ef", ("a", "b", "c"), (54, 6), chosen, ("bad",), {"0.1": 0.5}
    )
    return Selection(batch, random_candidates(), np.arange(60.0))


def test_a_batch_comes_back_as_it_was_written(selection, tmp_path):
    save_selection(tmp_path / "b", selection)
    found = load_selection(tmp_path / "b")
    assert str(found.batch) == str(selection.batch)  # as text, in which NaN is itself
    assert found.candidates.ids == selection.candidates.ids
    for name in ("labelled", "counts", "scores", "boxes", "object_features", "image_features", "common_features"):
        np.testing.assert_array_equal(getattr(found.candidates, name), getattr(selection.candidates, name))
    np.testing.assert_array_equal(found.values, selection.values)


def test_a_file_of_others_stays(selection, tmp_path):
    (tmp_path / BATCH).write_text("mine")
    with pytest.raises(CadsightError, match=r"batch\.json is no earlier output of ours"):
        save_selection(tmp_path, selection)
    assert [p.name for p in tmp_path.iterdir()] == [BATCH]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (BATCH, "{", "is not JSON"),
        (BATCH, '{"format": "cadsight-batch-1"}', "a batch has no usable"),
        (BATCH, '{"format": "other"}', "has the format 'other'"),
        (CANDIDATES, "text", "could not be read"),
        (CANDIDATES, "", "could not be read"),
    ],
)
def test_what_is_no_batch_is_refused_in_a_sentence(selection, tmp_path, file, content, words):
    save_selection(tmp_path, selection)
    (tmp_path / file).write_text(content)
    with pytest.raises(CadsightError, match=words):
        load_selection(tmp_path)


def test_a_value_that_is_none_is_null_in_the_file(selection, tmp_path):
    save_selection(tmp_path, selection)
    assert json.loads((tmp_path / BATCH).read_text())["images"][1]["value"] is None
    assert np.isnan(load_batch(tmp_path).images[1].value)
