"""docs/nodes.md says of every parameter what the code says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
import yaml
from cadsight_cli.launching import plan
from cadsight_core.config.parameters import parameter
from script_module import script

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class _Light:
    power: float = parameter(0.5, "how bright", minimum=0.0, maximum=2.0)


@dataclass(frozen=True)
class _Lamp:
    name: str = parameter("", "what it is called: a | b")
    colour: tuple[float, ...] = parameter((1.0, 0.5), "red and green", minimum=0.0)
    on: bool = parameter(True, "whether it shines")
    kind: Literal["spot", "area"] = parameter("spot", "its shape")
    light: _Light = field(default_factory=_Light)


@pytest.fixture(scope="module")
def node_docs() -> ModuleType:
    return script("node_docs")


def test_a_table_gives_names_as_ros_has_them_defaults_limits_and_sentences(node_docs: ModuleType) -> None:
    assert node_docs.table(_Lamp).splitlines()[2:] == [
        "| `name` | `''` |  | what it is called: a \\| b |",
        "| `colour` | `[1.0, 0.5]` | at least 0 | red and green |",
        "| `on` | `true` |  | whether it shines |",
        "| `kind` | `spot` | `spot`, `area` | its shape |",
        "| `light.power` | `0.5` | 0 to 2 | how bright |",
    ]


def test_the_page_is_what_the_script_makes_of_it(node_docs: ModuleType) -> None:
    text = node_docs.PAGE.read_text(encoding="utf-8")
    assert node_docs.page(text) == text, "run `python scripts/node_docs.py --write`"


def test_every_node_that_a_launch_file_starts_has_its_table(node_docs: ModuleType) -> None:
    started: set[str] = set()
    for file in (ROOT / "launch").glob("*.launch.xml"):
        nodes = plan.read(file, {"bag": "some.mcap"} if file.name.startswith("replay") else {}, {})
        if file.name.startswith("cell"):
            nodes += plan.read(file, {"hand_eye_file": "hand-eye.json"}, {})
        started |= {node.executable for node in nodes if node.package.startswith("cadsight_")}
    assert len(started) >= 6
    assert started == node_docs.nodes().keys()


def _given(node: plan.Node) -> set[str]:
    """The names of the parameters that a launch file gives to a node, in its parameter file and beside it."""
    names: set[str] = set()
    for parameters in node.parameters:
        if isinstance(parameters, Path):
            section = yaml.safe_load(parameters.read_text(encoding="utf-8"))
            for key in (*node.full_name.strip("/").split("/"), "ros__parameters"):
                section = section[key]
            parameters = section
        names |= set(_flat(parameters))
    return names


def _flat(parameters: dict[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for key, value in parameters.items():
        names += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return names


def test_launch_files_and_the_parameter_file_give_each_node_its_own_parameters_only(node_docs: ModuleType) -> None:
    given = {"perception": "true", "camera": "0", "hand_eye_file": "hand-eye.json"}
    nodes = plan.read(ROOT / "launch" / "workcell.launch.xml", given, {})
    nodes += plan.read(ROOT / "launch" / "replay.launch.xml", {"bag": "some.mcap"}, {})
    ours = [node for node in nodes if node.package.startswith("cadsight_")]
    assert len(ours) >= 7
    for node in ours:
        known = {name for name, _, _ in node_docs.fields(node_docs.source(node.executable))} | {"use_sim_time"}
        assert _given(node) - known == set(), node.full_name
