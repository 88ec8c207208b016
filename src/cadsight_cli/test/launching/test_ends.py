import pytest
from cadsight_cli.launching.ends import end_words, first_bad_end


@pytest.mark.parametrize("status", [1, 255, -2, -9])
def test_the_first_process_that_ended_badly_is_found_in_the_log(status):
    lines = [f"[a-1] {end_words(0)}", "[b-2] the reason", f"[b-2] {end_words(status)}", f"[c-3] {end_words(1)}"]
    assert first_bad_end(lines) == 2


def test_words_of_a_process_are_not_taken_for_its_end():
    assert first_bad_end([f"[a-1] my own {end_words(1)}", f"[a-1] {end_words(0)}", "text"]) is None
