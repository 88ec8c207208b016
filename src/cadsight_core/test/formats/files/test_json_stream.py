import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_stream import Elements, Members, plain, write_json
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def streamed(value):
    """The same with every object and array made one by one."""
    if isinstance(value, dict):
        return Members((k, streamed(v)) for k, v in value.items())
    return Elements(streamed(v) for v in value) if isinstance(value, list) else value


@given(values)
def test_text_written_in_parts_is_what_json_writes_at_once(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "a.json"
    write_json(path, streamed(value))
    assert json.loads(path.read_text()) == value
    assert plain(streamed(value)) == value


def test_parts_are_made_in_the_order_of_the_file(tmp_path):
    names = []
    first = Members((name, names.append(name)) for name in "ab")
    write_json(tmp_path / "a.json", Members([("entries", first), ("names", Elements(names))]))
    assert json.loads((tmp_path / "a.json").read_text()) == {"entries": {"a": None, "b": None}, "names": ["a", "b"]}


def test_numbers_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(CadsightError, match="nan, expected a finite number"):
        write_json(tmp_path / "a.json", Elements([1.0, float("nan")]))
