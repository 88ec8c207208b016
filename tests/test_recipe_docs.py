"""docs/synthesis.md says of every key of a recipe what the code says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from cadsight_core.config.parameters import parameter
from cadsight_synthesis.recipes.kinds import KINDS
from script_module import script

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class _Lamp:
    power: float = parameter(0.5, "how bright", minimum=0.0, maximum=2.0)
    colour: tuple[float, ...] | None = parameter(None, "its colour: a | b")


@dataclass(frozen=True)
class _Base:
    seed: int = parameter(0, "the lot", minimum=0)
    lamp: _Lamp = parameter(_Lamp(), "the lamp")


@dataclass(frozen=True)
class _Special(_Base):
    lamp: _Lamp = parameter(_Lamp(power=1.0), "a brighter lamp")
    on: bool = parameter(True, "whether it shines")


@pytest.fixture(scope="module")
def recipe_docs() -> ModuleType:
    return script("recipe_docs")


def test_a_table_gives_the_keys_of_sections_with_defaults_limits_and_sentences(recipe_docs: ModuleType) -> None:
    assert recipe_docs.table(_Base).splitlines()[2:] == [
        "| `seed` | `0` | at least 0 | the lot |",
        "| `lamp.power` | `0.5` | 0 to 2 | how bright |",
        "| `lamp.colour` | `none` |  | its colour: a \\| b |",
    ]


def test_a_table_leaves_out_what_another_tells_and_keeps_what_differs(recipe_docs: ModuleType) -> None:
    assert recipe_docs.table(_Special, _Base).splitlines()[2:] == [
        "| `lamp.power` | `1.0` | 0 to 2 | how bright |",
        "| `on` | `true` |  | whether it shines |",
    ]


def test_the_page_is_what_the_script_makes_of_it(recipe_docs: ModuleType) -> None:
    text = recipe_docs.PAGE.read_text(encoding="utf-8")
    assert recipe_docs.page(text) == text, "run `python scripts/recipe_docs.py --write`"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_its_section_its_recipe_and_its_image(recipe_docs: ModuleType, kind: str) -> None:
    text = recipe_docs.PAGE.read_text(encoding="utf-8")
    assert re.search(rf"^## {kind}$", text, re.MULTILINE)
    assert f"<!-- keys {kind} -->" in text
    assert yaml.safe_load((ROOT / f"config/recipes/{kind}.yaml").read_text())["kind"] == kind
    for image in re.findall(rf"\((images/recipe-{kind}\.jpg)\)", text):
        assert (ROOT / "docs" / image).stat().st_size < 150_000
