"""The page of a loop, from a history and a record that were written by hand."""

import numpy as np
import pytest
from cadsight_active.loop.history import Ended, Gated, History, Labelled, Noticed, Swapped, Triggered
from cadsight_active.loop.shown import Shown, ShownRecord
from cadsight_active.triggers.trigger import Alarm
from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_report.loop import _together, write_loop_page

ALARM = Alarm("shift", "the last images look unlike the usual ones", 2000.0, 1000.0)


@pytest.fixture
def loop(tmp_path):
    history = History(tmp_path / "loop")
    history.add(Swapped(ServedNames(1, "detector", "a" * 64, "normals", "b" * 64), "start"))
    history.add(Triggered(ALARM, 60))
    history.add(Noticed(ALARM))
    history.add(Labelled("", "", 60, 200))
    history.add(Gated("detector", "loop-001", "accept", "mAP50:95 rises by 0.2", 20, 0.2, 0.1))
    history.add(Swapped(ServedNames(2, "loop-001", "c" * 64, "normals", "b" * 64), "gate"))
    history.add(Triggered(ALARM, 3))
    history.add(Ended("the pool has 0 new images"))
    record = ShownRecord(tmp_path / "shown.jsonl")
    for number in range(1, 81):
        generation = 1 if number <= 40 else 2
        alarms = ("shift",) if number == 30 else ()
        phase = "before" if number <= 20 else "after"
        record.add(Shown(number, phase, "x", 0.25 * generation, generation, f"m{generation}", "kept", alarms))
    return tmp_path


def test_the_page_tells_score_labels_alarms_and_verdicts(loop):
    page = write_loop_page(loop / "loop.html", loop / "loop", loop / "shown.jsonl").read_text()
    for words in (
        "2 cycles, 80 images that were shown",
        "loop-001 beside detector on 20 held-out images: accept",
        "the cycle ended: the pool has 0 new images",
        "the models before go on",
        "the lamp is changed",
        "alarm: shift",
        "m2 serves",
    ):
        assert words in page
    # Generation, labelled images until then, images and mean score.
    row = ["2", "m2", "60", "after the change", "40", "0.500"]
    cells = [f">{value}</td>" for value in row]
    assert all(cell in page for cell in cells)


def test_a_loop_that_nothing_was_shown_has_a_page_without_a_chart(loop):
    page = write_loop_page(loop / "loop.html", loop / "loop", loop / "none.jsonl").read_text()
    assert "<svg" not in page


def test_a_page_of_others_stays(loop):
    (loop / "loop.html").write_text("mine")
    with pytest.raises(CadsightError, match=r"loop\.html"):
        write_loop_page(loop / "loop.html", loop / "loop", loop / "shown.jsonl")


def test_events_that_are_near_stand_as_one():
    events = [(10.0, "a"), (12.0, "b"), (30.0, "c")]
    assert _together(events, 5.0) == [(10.0, "a, b"), (30.0, "c")]
    assert _together(events, 1.0) == events
    assert np.allclose([place for place, _ in _together(events, 100.0)], [10.0])
