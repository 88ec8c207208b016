"""A file goes where nothing is, or where an earlier output of its kind is."""

import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.output_file import GENERATOR, is_page, json_with, refuse_foreign_file, write_output
from hypothesis import given
from hypothesis import strategies as st

OURS = json_with("speeds", "versions")
PAGE = f"<!doctype html>\n<html><head>\n{GENERATOR}\n<title>x</title></head></html>"


@pytest.mark.parametrize(
    ("text", "ours", "is_ours"),
    [
        ('{"speeds": 1, "versions": 2, "more": 3}', OURS, True),
        ('{"speeds": 1}', OURS, False),
        ('["speeds", "versions"]', OURS, False),
        ("", OURS, False),
        ('{"speeds": 1', OURS, False),
        ('{"a": 1, "format": "cadsight-x-1"}', json_with("a", form="cadsight-x-1"), True),
        ('{"a": 1, "format": "cadsight-x-2"}', json_with("a", form="cadsight-x-1"), False),
        (PAGE, is_page, True),
        (PAGE.replace(GENERATOR, ""), is_page, False),
        (PAGE.removeprefix("<!doctype html>"), is_page, False),
        # What an earlier version wrote names no generator.
        ("<!doctype html>\n<html><head><title>CADsight: demo</title></head></html>", is_page, True),
    ],
)
def test_what_is_there_is_replaced_when_it_is_of_its_kind_and_left_when_not(tmp_path, text, ours, is_ours):
    path = tmp_path / "there"
    path.write_text(text)
    if is_ours:
        assert write_output(path, "new", ours) == path
        assert path.read_text() == "new"
    else:
        with pytest.raises(CadsightError, match="no earlier output of ours"):
            write_output(path, "new", ours)
        assert path.read_text() == text


def test_a_folder_is_refused_and_a_free_name_taken(tmp_path):
    with pytest.raises(CadsightError, match="is no file"):
        refuse_foreign_file(tmp_path, OURS)
    assert write_output(tmp_path / "new", "{}", OURS).read_text() == "{}"


@given(st.binary(max_size=200))
def test_no_other_bytes_are_taken_for_ours(data):
    try:
        keys = json.loads(data).keys()
    except (ValueError, AttributeError, RecursionError):
        keys = set()
    assert OURS(data) == ({"speeds", "versions"} <= set(keys))
    assert not is_page(data)
