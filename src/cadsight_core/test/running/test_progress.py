import pytest
from cadsight_core.running.progress import MANY, progress_to, step, step_if_many, with_progress, with_progress_if_many


def test_loops_and_steps_are_reported_to_watchers_only():
    reported = []

    def progress(items, total, what):
        for number, item in enumerate(items):
            reported.append((what, number, total))
            yield item

    assert list(with_progress("ab", 2, "letters")) == ["a", "b"]
    with progress_to(progress):
        assert list(with_progress("ab", 2, "letters")) == ["a", "b"]
        with step("alone"):
            reported.append("within")
    with step("later"):
        pass
    assert reported == [("letters", 0, 2), ("letters", 1, 2), ("alone", 0, 1), "within"]


def test_an_error_within_a_step_is_that_error_and_nobody_watches_after_it():
    with pytest.raises(ValueError, match="wrong"), progress_to(lambda items, total, what: iter(items)), step("a"):
        raise ValueError("wrong")
    assert with_progress("ab", 2, "letters") == "ab"


def test_short_work_is_reported_to_nobody():
    reported = []

    def progress(items, total, what):
        reported.append((what, total))
        return iter(items)

    with progress_to(progress):
        assert list(with_progress_if_many("ab", 2, "letters")) == ["a", "b"]
        assert len(list(with_progress_if_many(range(MANY), MANY, "numbers"))) == MANY
        for total in (MANY - 1, MANY):
            with step_if_many(total, "step"):
                pass
    assert reported == [("numbers", MANY), ("step", 1)]
