"""YAML 1.2 in, YAML that both 1.1 and 1.2 read alike out."""

import math

import pytest
import yaml
from cadsight_core.config.yaml_file import compose_yaml, dump_yaml, node_value, parse_yaml, read_yaml
from cadsight_core.errors import CadsightError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        "on", "off", "yes", "No", "y", "N", "0603", "0510210600", "-007", "00", "007.5", "2026-01-02",
        "2001-12-14t21:59:43.10-05:00", "1:30", "190:20:30.15", "1_000", "0b11", "0x", "=", "e5", "1e", ".", "nan",
        "inf", "tRue",
    ],
)  # fmt: skip
def test_what_yaml_1_2_does_not_read_as_a_number_or_truth_stays_text(text):
    assert parse_yaml(f"a: {text}", "it") == {"a": text}
    assert parse_yaml(f"{text}: a", "it") == {text: "a"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4e-06", 4e-06), ("4.0E-6", 4e-06), ("+.5", 0.5), ("-1.", -1.0), ("1e3", 1000.0), ("0.5", 0.5), ("0", 0),
        ("-12", -12), ("0x1F", 31), ("0o17", 15), ("true", True), ("FALSE", False), ("null", None), ("~", None),
        ("", None), (".inf", math.inf), ("-.INF", -math.inf), ("4711", 4711), ('"4711"', "4711"),
        ("!!str 4711", "4711"), ("!!float 3", 3.0), ("!!int '12'", 12),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_the_core_schema(text, value):
    (found,) = parse_yaml(f"a: {text}", "it").values()
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number():
    assert math.isnan(parse_yaml(".nan", "it"))


def test_merged_keys_give_way_to_written_ones():
    assert parse_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", "it")["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\n\na: 3\n", "it has the key 'a' in line 1 and in line 4, expected it once"),
        ("x:\n  - {a: 1, 'a': 2}\n", "it has the key 'a' in line 2 and in line 2"),
        ("names:\n  0: a\n  1: b\n  0x0: c\n", "it has the key 0 in line 2 and in line 4"),
        ("a: [\n", "it is not YAML"),
        ("a: b\n---\na: c\n", "it is not YAML"),
        ("a: !!python/object:os.system ls\n", "it is not YAML"),
        ("a: !!int none\n", "'none' is no whole number"),
        ("a: !!float none\n", "'none' is no number"),
        ("a: !!bool 3\n", "'3' is not true or false"),
        ("a: !!timestamp 3\n", "it is not YAML"),
        ("? [a, b]\n: c\n", "it is not YAML"),
        ("a: " + 5000 * "9", "it is not YAML"),
        ("[" * 5000, "it is nested too deeply"),
        ("a: &a [*a]\n", "its aliases stand for more than 1000000 values"),
        (b"a: \xe9\n", "it is not YAML"),
        ("a: \x01\n", "it is not YAML"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_refused_in_a_sentence(text, words):
    with pytest.raises(CadsightError) as caught:
        parse_yaml(text, "it")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_file_that_unfolds_into_billions_of_values_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(CadsightError, match="aliases stand for more than"):
        parse_yaml("\n".join(lines), "it")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_in_the_encodings_that_yaml_allows(tmp_path, encoding):
    (tmp_path / "a.yaml").write_bytes("grün: löten\n".encode(encoding))
    assert read_yaml(tmp_path / "a.yaml") == {"grün": "löten"}


def test_a_file_that_cannot_be_read_is_named_as_what_it_is(tmp_path):
    with pytest.raises(CadsightError, match=r"the part .*none\.yaml could not be read: No such file"):
        read_yaml(tmp_path / "none.yaml", "the part ")


def test_nodes_know_their_lines_and_values():
    root = compose_yaml("a: 1\nb: [0603, on]\n", "it")
    (_, _), (key, value) = root.value
    assert key.start_mark.line == 1
    assert node_value(value, "it") == ["0603", "on"]
    assert compose_yaml("", "it") is None


WORDS = st.sampled_from(
    ["on", "0603", "4e-06", "null", "~", "y", "1:30", "2026-01-02", "0o17", "<<", "=", "true", "#a", ""]
)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"), exclude_characters="\ufeff")) | WORDS
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


@given(VALUES)
def test_what_is_written_is_read_again_by_us_and_by_a_reader_of_yaml_1_1(value):
    text = dump_yaml(value)
    assert parse_yaml(text, "it") == value
    assert yaml.safe_load(text) == value


def test_lists_of_plain_values_take_one_line_and_mappings_a_line_each_key():
    text = dump_yaml(
        {"name": "4711", "axis": (0, 0.0, 4e-06), "symmetry": [{"axis": [0, 0, 1], "order": 2}], "none": []}
    )
    assert text == (
        "name: '4711'\naxis: [0, 0.0, 4.0e-06]\nsymmetry:\n- axis: [0, 0, 1]\n  order: 2\nnone: []\n"
    )  # fmt: skip


def test_a_list_that_is_used_twice_is_written_twice():
    numbers = [1, 2]
    assert dump_yaml({"a": numbers, "b": numbers}) == "a: [1, 2]\nb: [1, 2]\n"
