"""JSON that we write has no NaN, which no reader but Python's takes."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What scripts/fuzzing/trees.py writes is meant to be broken.
SOURCES = [*ROOT.glob("src/*/cadsight_*/**/*.py"), *ROOT.glob("scripts/*.py"), *ROOT.glob("scripts/workspace/*.py")]


def _calls(file):
    for node in ast.walk(ast.parse(file.read_text())):
        called = node.func if isinstance(node, ast.Call) else None
        if (
            isinstance(called, ast.Attribute)
            and called.attr in ("dumps", "dump")
            and ast.unparse(called.value) == "json"
        ):
            yield node


def test_whoever_writes_json_says_whether_numbers_may_be_none():
    calls = [(file, call) for file in SOURCES for call in _calls(file)]
    assert len(SOURCES) > 200
    unsaid = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file, call in calls
        if "allow_nan" not in {keyword.arg for keyword in call.keywords}
    ]
    assert not unsaid, f"expected cadsight_core.storage.json_text, or allow_nan=True for what is hashed alone: {unsaid}"


def test_what_may_have_numbers_that_are_none_is_hashed_and_not_written():
    for file in SOURCES:
        text = file.read_text()
        for call in _calls(file):
            if any(k.arg == "allow_nan" and k.value.value for k in call.keywords):
                assert "sha256" in text, file
