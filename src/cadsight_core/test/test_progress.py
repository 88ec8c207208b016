import pytest
from cadsight_core.progress import MANY, progress_to, step, step_if_many, with_progress, with_progress_if_many


def test_loops_and_steps_are_told_to_who_watches_and_to_nobody_else():
    told = []

    def progress(items, total, what):
        for number, item in enumerate(items):
            told.append((what, number, total))
            yield item

    assert list(with_progress("ab", 2, "letters")) == ["a", "b"]
    with progress_to(progress):
        assert list(with_progress("ab", 2, "letters")) == ["a", "b"]
        with step("alone"):
            told.append("within")
    with step("later"):
        pass
    assert told == [("letters", 0, 2), ("letters", 1, 2), ("alone", 0, 1), "within"]


def test_an_error_within_a_step_is_that_error_and_nobody_watches_after_it():
    with pytest.raises(ValueError, match="wrong"), progress_to(lambda items, total, what: iter(items)), step("a"):
        raise ValueError("wrong")
    assert with_progress("ab", 2, "letters") == "ab"


def test_what_is_done_at_once_is_told_to_nobody():
    told = []

    def progress(items, total, what):
        told.append((what, total))
        return iter(items)

    with progress_to(progress):
        assert list(with_progress_if_many("ab", 2, "letters")) == ["a", "b"]
        assert len(list(with_progress_if_many(range(MANY), MANY, "numbers"))) == MANY
        for total in (MANY - 1, MANY):
            with step_if_many(total, "step"):
                pass
    assert told == [("numbers", MANY), ("step", 1)]
