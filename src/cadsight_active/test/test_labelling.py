"""What goes to a labelling tool of a batch."""

import hashlib

import numpy as np
import pytest
from cadsight_active.batch import CANDIDATES, Batch, Chosen, Selection, save_selection
from cadsight_active.candidates import Candidates
from cadsight_active.labelling import load_tasks, tasks_of_batch
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import write_image


@pytest.fixture
def folder(tmp_path):
    """A batch of the second of two images, of which the model sees three parts."""
    write_image(tmp_path / "b.png", np.zeros((30, 40, 3), np.uint8))
    sha256 = hashlib.sha256((tmp_path / "b.png").read_bytes()).hexdigest()
    scores = np.array([[0.9, 0.1], [0.2, 0.1], [0.1, 0.3], [0.25, 0.75]], np.float32)
    boxes = np.array([[0, 0, 1, 1], [1, 2, 3, 4], [5, 6, 7, 8], [9.5, 10, 11, 12]], float)
    candidates = Candidates(
        ("a", "b"), np.zeros(2, bool), np.array([1, 3]), scores, boxes, np.zeros((4, 0), np.float32)
    )
    chosen = (Chosen("b", tmp_path / "b.png", sha256, 1.0, None, "why"),)
    batch = Batch("margin", {"k": 1}, "models/m", "0123456789abcdef0", ("nut", "bolt"), (2, 0), chosen)
    save_selection(tmp_path / "batch", Selection(batch, candidates, np.zeros(2)))
    return tmp_path / "batch"


def test_the_first_guess_is_what_the_model_saw_and_its_id_does_not_hang_on_the_lowest_score(folder):
    tasks = tasks_of_batch(folder)
    assert (tasks.classes, tasks.model) == (("nut", "bolt"), "m 0123456789abcdef")
    (task,) = tasks.each
    seen = [(g.id, g.instance.class_id, g.instance.box, g.instance.source) for g in task.guesses]
    assert seen == [("guess-1", 1, Box(5, 6, 7, 8), "model"), ("guess-2", 1, Box(9.5, 10, 11, 12), "model")]
    assert [g.instance.score for g in task.guesses] == pytest.approx([0.3, 0.75])
    assert [g.id for g in tasks_of_batch(folder, 0.5).each[0].guesses] == ["guess-2"]
    assert [g.id for g in tasks_of_batch(folder, 0.0).each[0].guesses] == ["guess-0", "guess-1", "guess-2"]


def test_a_batch_without_its_candidates_has_images_and_no_guesses(folder):
    (folder / CANDIDATES).unlink()
    assert [(t.sample.name, t.guesses) for t in tasks_of_batch(folder).each] == [("b", ())]


def test_an_image_that_is_gone_or_another_one_now_is_refused(folder):
    write_image(folder.parent / "b.png", np.ones((30, 40, 3), np.uint8))
    with pytest.raises(CadsightError, match="has changed since it was chosen"):
        tasks_of_batch(folder)
    (folder.parent / "b.png").unlink()
    with pytest.raises(CadsightError, match="is gone, expected it where it was chosen"):
        tasks_of_batch(folder)


def test_a_folder_of_neither_export_nor_batch_has_no_tasks(tmp_path):
    assert load_tasks(tmp_path) is None
