"""docs/nodes.md says of every parameter what the code says."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
from cadsight_cli.launching import plan
from cadsight_core.parameters import parameter

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
    spec = importlib.util.spec_from_file_location("node_docs", ROOT / "scripts" / "node_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    text = node_docs.PAGE.read_text(encoding="utf-8")
    started: set[str] = set()
    for file in (ROOT / "launch").glob("*.launch.xml"):
        nodes = plan.read(file, {"bag": "some.mcap"} if file.name.startswith("replay") else {}, {})
        started |= {node.executable for node in nodes if node.package.startswith("cadsight_")}
    assert started == {"simulated_cell", "motion", "capture", "labelling", "perception", "replay"}
    assert started <= set(re.findall(r"<!-- parameters (\w+) -->", text))
