"""A batch as a page."""

import re
from pathlib import Path

import numpy as np
import pytest
from cadsight_active.batch import Batch, Chosen, Neighbour, Selection
from cadsight_active.candidates import Candidates
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import write_image
from cadsight_report.selection import write_batch_page


@pytest.fixture
def selection(tmp_path: Path) -> Selection:
    """Two images to choose from, the second chosen, and a labelled one."""
    for name in "abc":
        write_image(tmp_path / f"{name}.png", np.full((48, 64, 3), 90, np.uint8))
    candidates = Candidates(
        ("a", "<b>", "labelled/c"),
        np.array([False, False, True]),
        np.array([0, 1, 1]),
        np.array([[0.6, 0.2], [0.01, 0.04]], np.float32),
        np.array([[8.0, 8, 30, 30], [0, 0, 5, 5]]),
        np.ones((2, 3), np.float32),
        np.ones((3, 4), np.float32),
    )
    near = Neighbour("labelled/c", tmp_path / "c.png", 0.125)
    chosen = Chosen("<b>", tmp_path / "b.png", "ab", 0.6, 0, "margin 0.600", near)
    batch = Batch(
        "margin", {"k": 1, "floor": 0.05}, "m", "ef" * 32, ("bolt", "nut"), (2, 1), (chosen,), ("bad",), {"0.1": 0.5}
    )
    return Selection(batch, candidates, np.array([0.0, 0.6, 0.3]))


def test_the_page_shows_images_reasons_and_neighbours_and_needs_nothing_else(selection, tmp_path):
    page = write_batch_page(tmp_path / "batch.html", selection).read_text()
    assert "Chosen by the strategy margin among 2 images without labels, beside 1 that are labelled" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "margin 0.600" in page
    assert "most alike: labelled/c (0.125)" in page
    assert page.count("data:image/jpeg;base64") == 2
    assert "Left out: bad." in page
    assert "rank correlation of the order at a floor of 0.1" in page
    assert "<svg" in page
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []


def test_a_strategy_without_values_has_no_chart(selection, tmp_path):
    bare = Selection(selection.batch, selection.candidates, np.full(3, np.nan))
    assert "<svg" not in write_batch_page(tmp_path / "batch.html", bare).read_text()


def test_an_image_that_is_gone_is_named(selection, tmp_path):
    (tmp_path / "b.png").unlink()
    with pytest.raises(CadsightError, match=r"the image .*b\.png of the batch is gone"):
        write_batch_page(tmp_path / "batch.html", selection)
