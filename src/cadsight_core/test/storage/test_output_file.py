"""A file goes where nothing is, or where an earlier output of its kind is."""

import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_file import (
    GENERATOR,
    is_page,
    json_with,
    noted,
    refuse_foreign_file,
    write_output,
    write_same,
    writing_noted,
)
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


@given(st.lists(st.sampled_from([b"one", b"two"]), max_size=5), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_noted_file_is_replaced_until_somebody_changes_it(tmp_path_factory, texts, by_others):
    path = tmp_path_factory.mktemp("noted") / "a.png"
    ours = None
    for text, others in zip(texts, by_others, strict=False):
        before = path.read_bytes() if path.exists() else None
        if others:
            path.write_bytes(b"mine")
        elif before in (None, ours):
            with writing_noted(path) as file:
                file.write(text[:1])
                file.write(text[1:])
            ours = text
            assert path.read_bytes() == text
        else:
            with pytest.raises(CadsightError, match="no earlier output of ours"), writing_noted(path) as file:
                file.write(text)
            assert path.read_bytes() == before


def _half_written(path):
    writing = writing_noted(path)
    writing.__enter__().write(b"half")
    assert not writing.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)


def test_a_noted_file_that_was_not_written_to_its_end_leaves_the_old_one_ours(tmp_path):
    path = tmp_path / "a.png"
    for text in (b"old", b"new"):
        with writing_noted(path) as file:
            file.write(text)
        _half_written(path)
        assert path.read_bytes() == text
    assert sorted(p.name for p in tmp_path.iterdir()) == [".a.png.cadsight-output", "a.png"]


def test_a_note_that_is_none_of_ours_is_ignored(tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    for note in (b"", b"[]", b'{"format": "cadsight-note-1"}', b"\xff"):
        (tmp_path / ".a.png.cadsight-output").write_bytes(note)
        assert not noted(tmp_path / "a.png")(b"mine")


def test_the_same_bytes_may_be_written_again_and_others_not(tmp_path):
    write_same(tmp_path / "a", b"one")
    write_same(tmp_path / "a", b"one", flushed=False)
    with pytest.raises(CadsightError, match="is something else than what is written"):
        write_same(tmp_path / "a", b"two")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CadsightError, match="is something else than what is written"):
        write_same(tmp_path / "folder", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
