"""A history that is read as it was written, whatever happens to the process or the clock."""

import datetime

import pytest
from cadsight_active.loop import history as module
from cadsight_active.loop.history import (
    BatchChosen,
    Ended,
    Gated,
    History,
    Labelled,
    Learned,
    Noticed,
    Swapped,
    Triggered,
    in_words,
    read_history,
)
from cadsight_active.triggers.trigger import Alarm
from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames

ALARM = Alarm("shift", "images look unlike the usual ones", 1234.5, 1000.0, ("000000007", "000000003"))
EVENTS = [
    Swapped(ServedNames(1, "detector", "a" * 64, "normals", "b" * 64), "start"),
    Triggered(ALARM, 40),
    Noticed(ALARM),
    BatchChosen("batches/001", ("000000001", "000000002"), ("000000003",), ("a note",)),
    Labelled("labelled/001", "audits/001", 3, 9, ("000000004",), (("000000003", 0.75),)),
    Learned("loop-001", "c" * 64, "detector", 120),
    Gated("detector", "loop-001", "accept", "mAP50:95 rises by 0.100", 100, 0.1, 0.02),
    Gated("detector", "loop-001", "cannot tell", "no image is held out", 0),
    Swapped(ServedNames(2, "loop-001", "c" * 64, "normals", "b" * 64), "gate"),
    Ended("the pool has 0 new images"),
]


def test_every_event_is_read_as_it_was_written_and_has_its_words(tmp_path):
    history = History(tmp_path)
    for event in EVENTS:
        history.add(event)
    entries = read_history(tmp_path)
    assert [entry.event for entry in entries] == EVENTS
    assert [entry.cycle for entry in entries] == [0] + [1] * (len(EVENTS) - 1)
    assert entries == history.entries
    for event in EVENTS:
        assert in_words(event)


def test_a_cycle_is_asked_for_its_own_events(tmp_path):
    history = History(tmp_path)
    assert (history.cycle, history.of_cycle(Ended)) == (0, None)
    for why in ("first", "second"):
        history.add(Triggered(ALARM, 1))
        history.add(Ended(why))
    assert history.cycle == 2
    assert history.of_cycle(Ended) == Ended("second")
    assert history.of_cycle(Ended, 1) == Ended("first")
    assert history.every(Ended) == [Ended("first"), Ended("second")]


def test_the_order_is_that_of_the_lines_when_the_clock_is_set_back(tmp_path, monkeypatch):
    class Back(datetime.datetime):
        hours = iter((5, 3, 4))

        @classmethod
        def now(cls, tz=None):
            return datetime.datetime(2026, 1, 1, next(cls.hours), tzinfo=tz)

    monkeypatch.setattr(module.datetime, "datetime", Back)
    history = History(tmp_path)
    for event in (Triggered(ALARM, 1), Ended("one"), Triggered(ALARM, 2)):
        history.add(event)
    assert [entry.cycle for entry in read_history(tmp_path)] == [1, 1, 2]
    assert [entry.at[11:13] for entry in read_history(tmp_path)] == ["05", "03", "04"]


def test_a_folder_without_a_history_and_a_line_of_another_form_are_named(tmp_path):
    with pytest.raises(CadsightError, match=r"has no history.jsonl, expected the folder of a loop"):
        read_history(tmp_path)
    History(tmp_path).add(Ended("x"))
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"cycle": 1, "at": "", "kind": "unheard"}\n')
    with pytest.raises(CadsightError, match="expected an event of a loop"):
        read_history(tmp_path)
