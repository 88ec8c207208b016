"""What a command shows while it works, where nobody sees a bar: lines that say how far it is."""

import io
import sys

import pytest
from cadsight_cli.progress import counted, image_bar


@pytest.mark.parametrize("bar", [counted, image_bar])
def test_a_loop_that_no_terminal_shows_is_told_in_lines_at_its_beginning_and_end(bar, capsys):
    assert list(bar(iter("abc"), 3, "letters")) == ["a", "b", "c"]
    errors = capsys.readouterr().err
    first, *_, last = errors.splitlines()
    assert first.startswith("letters: 0 of 3")
    assert last.startswith("letters: 3 of 3")
    assert "\r" not in errors
    assert "\x1b" not in errors


def test_loops_within_loops_have_lines_of_their_own(capsys):
    for _ in counted([0], 1, "outer"):
        assert list(counted("ab", 2, "inner")) == ["a", "b"]
    assert capsys.readouterr().err.splitlines() == [
        "outer: 0 of 1", "inner: 0 of 2", "inner: 2 of 2", "outer: 1 of 1",
    ]  # fmt: skip


def test_a_terminal_shows_a_bar(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(counted("abc", 3, "letters")) == ["a", "b", "c"]
    assert "letters: 100%|" in terminal.getvalue().split("\r")[-1]
