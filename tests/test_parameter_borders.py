"""Every parameter of every node at its borders, as generated from its dataclass; and real nodes that refuse one."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cell_nodes import HELD, PART
from script_module import script

node_docs = script("node_docs")
NODES = tuple(node_docs.nodes())
# What a node cannot do without; all else has a default that is good.
NEEDED = {"hand_eye": {"hand_eye_file": "hand-eye.json"}, "simulated_cell": PART, "capture": PART, "labelling": PART}
TOO_LONG = "a" * 300
BAD_NAMES = ("", " ", "a b", "1a", "/a", "a/", "a//b", "a-b", "ä", "a\n", "{node}", TOO_LONG)
# A text for each kind that is none, and one that is.
BAD_TEXTS = {
    "topic": ("", " ", "/", "a b", "/a b", "/1a", "/a/", "/a//b", "//a", "~", "/a-b", "a?", "a\n", TOO_LONG),
    "name": BAD_NAMES,
    "frame": ("", " ", "/base_link", "base link", "base_link\n"),
    "text": ("", " ", "\n"),
}
GOOD_TEXTS = {
    "topic": ("a", "/a", "/a/b_1", "~/a", "_a"),
    "name": ("a", "a/b", "_a1"),
    "frame": ("base_link", "arm/base-link", "1"),
    "text": ("a", "a b"),
}


def wrong_values(field: dataclasses.Field[Any], hint: Any) -> Iterator[Any]:
    """Values that this field must refuse: of a wrong type, beyond its limits, of a wrong form or length."""
    if get_origin(hint) in (tuple, list):
        (element, *_) = get_args(hint)
        whole = list(node_docs_default(field))
        yield from ("text", 1.0, None, [1.5] if element is str else ["text"] * max(len(whole), 1))
        if field.metadata.get("length") is not None:
            yield from ([], whole[:-1], [*whole, whole[-1]])
        for bad in wrong_elements(field.metadata, element):
            yield [bad, *whole[1:]]
            yield [*whole[:-1], bad]
        return
    yield from (None, [], {})
    yield from wrong_elements(field.metadata, hint)


def wrong_elements(metadata: Any, hint: Any) -> Iterator[Any]:
    if hint is bool:
        yield from (0, 1, 1.0, "true", "")
    elif hint is str:
        yield from (0, 1.5, True)
        if metadata["choices"] is not None:
            yield from ("", "none of them")
        yield from BAD_TEXTS.get(metadata["kind"], ())
    elif hint is int:
        yield from (0.5, "1", True)
        yield from (limit + step for limit, step in limits(metadata, 1))
        if metadata["odd"]:
            yield metadata["minimum"] + 1
    elif hint is float:
        yield from ("1", "", True, math.nan, math.inf, -math.inf)
        yield from (math.nextafter(limit, step * math.inf) for limit, step in limits(metadata, 1.0))
        yield from (limit + step * max(abs(limit), 1.0) for limit, step in limits(metadata, 1.0))


def limits(metadata: Any, step: Any) -> Iterator[tuple[Any, Any]]:
    if metadata["minimum"] is not None:
        yield metadata["minimum"], -step
    if metadata["maximum"] is not None:
        yield metadata["maximum"], step


def right_values(field: dataclasses.Field[Any], hint: Any) -> Iterator[Any]:
    """Values at the borders that this field must take."""
    yield node_docs_default(field)
    metadata = field.metadata
    if hint in (int, float):
        yield from (limit for limit, _ in limits(metadata, 1))
    if hint is str:
        yield from metadata["choices"] or GOOD_TEXTS.get(metadata["kind"], ())


def node_docs_default(field: dataclasses.Field[Any]) -> Any:
    value = script("parameter_tables").default_of(field)
    return list(value) if isinstance(value, tuple) else value


def nested(name: str, value: Any) -> dict[str, Any]:
    section, _, inner = name.partition(".")
    return {section: nested(inner, value) if inner else value}


PARAMETERS = [
    pytest.param(node, name, field, hint, id=f"{node}-{name}")
    for node in NODES
    for name, field, hint in node_docs.fields(node_docs.source(node))
]


@pytest.mark.parametrize(("node", "name", "field", "hint"), PARAMETERS)
def test_a_value_beyond_the_border_is_refused_with_one_sentence(node, name, field, hint):
    for value in wrong_values(field, hint):
        with pytest.raises(CadsightError) as refused:
            from_mapping(node_docs.source(node), {**NEEDED.get(node, {}), **nested(name, value)}, f"/{node}")
        sentence = str(refused.value)
        assert name.rpartition(".")[2] in sentence, (value, sentence)
        assert "expected" in sentence, (value, sentence)
        assert "Traceback" not in sentence


# These two must also fit each other.
FIT = {"colour.min_area": {"max_area": 1.0}, "colour.max_area": {"min_area": 0.0}}
# What some values of the simulated cell need beside them: an arm that holds nothing.
TABLE = {"scene": "table", "part": ""}
OF_A_TABLE = (("scene", "table"), ("depth_holes", 1.0))


@pytest.mark.parametrize(("node", "name", "field", "hint"), PARAMETERS)
def test_a_value_at_the_border_is_taken(node, name, field, hint):
    for value in right_values(field, hint):
        given = {**NEEDED.get(node, {})}
        if (node, name) not in {("simulated_cell", "part"), ("capture", "part"), ("hand_eye", "hand_eye_file")}:
            given |= nested(name, value)
        if name in FIT:
            given["colour"] = given["colour"] | FIT[name]
        if node == "simulated_cell" and (name, value) in OF_A_TABLE:
            given |= TABLE
        assert from_mapping(node_docs.source(node), given, f"/{node}")


@pytest.mark.parametrize(
    ("node", "given", "sentence"),
    [
        ("capture", {"home_joints": [0.0, 0.0, 4.0, 0.0, 0.0, 0.0]}, "home_joints has elbow_joint at 229.2 degrees"),
        ("capture", {"home_joints": [99.0] * 6}, "home_joints is 99.0, expected at least -6.28319 and at most 6.28319"),
        ("simulated_cell", {"home_joints": [0.0, 0.0, -4.0, 0.0, 0.0, 0.0]}, "home_joints has elbow_joint"),
        ("capture", {"part": ""}, "parameter part is empty, expected the YAML of the part"),
        ("simulated_cell", {"part": ""}, "parameter part is empty, expected the YAML of the part"),
        ("simulated_cell", {"scene": "table"}, "expected none with scene table, whose arm holds nothing"),
        ("simulated_cell", {"depth_holes": 0.1}, "depth_holes is 0.1, expected 0 with scene held"),
        ("motion", {"mount": [0.0] * 7}, "expected a quaternion x, y, z, w that is not zero"),
        ("labelling", {"mount": [0.0] * 7}, "expected a quaternion x, y, z, w that is not zero"),
        ("labelling", {"colour": {"min_area": 0.6}}, "min_area is 0.6 and max_area is 0.5"),
        ("labelling", {"colour": {"opening_px": 4}}, "opening_px is 4, expected an odd number"),
        ("motion", {"controller": "a b"}, "controller is 'a b', expected a name of letters"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_by_name(node, given, sentence):
    with pytest.raises(CadsightError) as refused:
        from_mapping(node_docs.source(node), {**NEEDED.get(node, {}), **given}, f"/{node}")
    assert sentence in str(refused.value)


MODULES = {
    "simulated_cell": "cadsight_cell.simulated_cell_node",
    "motion": "cadsight_cell.motion_node",
    "capture": "cadsight_capture.capture_node",
    "labelling": "cadsight_capture.labelling_node",
}


@pytest.mark.parametrize(
    ("node", "given", "sentence"),
    [
        ("motion", {"controller": "''"}, "parameter controller is '', expected a name"),
        ("motion", {"controller": "a b"}, "parameter controller is 'a b', expected a name"),
        ("capture", {"image_topic": "/a b"}, "parameter image_topic is '/a b', expected a topic's name"),
        ("labelling", {"colour.opening_px": "4"}, "parameter opening_px is 4, expected an odd number"),
        ("simulated_cell", {"fault_camera_silent_after_s": ".nan"}, "is nan, expected a finite number"),
        ("simulated_cell", {"truth_folder": "{file}/truth"}, "for the truth cannot be written: Not a directory"),
    ],
)
def test_a_node_ends_with_one_sentence_and_status_two(tmp_path: Path, node, given, sentence):
    file = tmp_path / "file"
    file.touch()
    values = {**HELD, **{name: value.replace("{file}", str(file)) for name, value in given.items()}}
    if node == "labelling":
        del values["bodies"]
    words = [sys.executable, "-m", MODULES[node], "--ros-args"]
    words += [word for name, value in values.items() for word in ("-p", f"{name}:={value}")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == 2, done.stderr
    printed = [line for line in done.stderr.splitlines() if line.startswith("cadsight: ")]
    assert len(printed) == 1, done.stderr
    assert sentence in printed[0]
    assert "Traceback" not in done.stderr + done.stdout
