import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.append_log import AppendLog, read_append_log
from hypothesis import given
from hypothesis import strategies as st

FORMAT = "cadsight-test-1"
ENTRIES = [{"number": 0, "what": "a"}, {"number": 1, "what": "zwölf\n"}, {"number": 2}]


def test_what_is_appended_is_read_again_in_order(tmp_path):
    log = AppendLog(tmp_path / "there" / "j.jsonl", FORMAT)
    assert log.entries == ()
    for entry in ENTRIES:
        log.append(entry)
    assert list(log.entries) == read_append_log(log.path, FORMAT) == ENTRIES
    assert json.loads(log.path.read_text().splitlines()[0]) == {"format": FORMAT}


@given(st.integers(0, 200))
def test_a_kill_at_any_byte_costs_the_line_in_hand_alone(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("j") / "j.jsonl"
    whole = AppendLog(path, FORMAT)
    for entry in ENTRIES:
        whole.append(entry)
    data = path.read_bytes()[:length]
    path.write_bytes(data)
    left = read_append_log(path, FORMAT)
    assert left == ENTRIES[: max(data.count(b"\n") - 1, 0)]
    AppendLog(path, FORMAT).append({"after": True})
    assert read_append_log(path, FORMAT) == [*left, {"after": True}]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"else\n", "begins with b'else"),
        (b"els", "begins with b'els'"),
        (b'{"format":"cadsight-other-1"}\n', "expected a file of the format cadsight-test-1"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_stays(tmp_path, data, sentence):
    path = tmp_path / "j.jsonl"
    path.write_bytes(data)
    with pytest.raises(CadsightError, match=sentence):
        AppendLog(path, FORMAT)
    assert path.read_bytes() == data


def test_a_whole_line_that_is_no_object_is_named(tmp_path):
    path = tmp_path / "j.jsonl"
    AppendLog(path, FORMAT).append({"a": 1})
    with open(path, "a") as file:
        file.write("[1]\n")
    with pytest.raises(CadsightError, match=r"line 3, is b'\[1\]', expected a JSON object"):
        read_append_log(path, FORMAT)
