import sys
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_synthesis.recipes.base import SceneRecipe
from cadsight_synthesis.recipes.kinds import GROUP, KINDS
from cadsight_synthesis.recipes.reader import read_recipe, scene_of
from installed_package import install

BRACKET = Path(__file__).parents[4] / "config" / "parts" / "bracket.yaml"
THEIRS = """
from dataclasses import dataclass
from cadsight_core.errors import CadsightError
from cadsight_core.config.parameters import parameter
from cadsight_synthesis.recipes.kinds import RecipeKind
from cadsight_synthesis.recipes.views import ViewsRecipe, scene


@dataclass(frozen=True)
class Farther(ViewsRecipe):
    by: float = parameter(1.0, "times as far", minimum=1.0)

    def checks(self):
        return {"by": self.check}

    def check(self):
        if self.by > 5:
            raise CadsightError(f"by is {self.by}, expected less")


KIND = RecipeKind("farther", Farther, scene)
"""


@pytest.fixture
def farther(tmp_path, monkeypatch):
    """A kind of another package, installed."""
    install(tmp_path, "farther", GROUP, "farther = farther_recipe:KIND", {"farther_recipe": THEIRS})
    monkeypatch.syspath_prepend(tmp_path)
    KINDS.__dict__.pop("_theirs", None)  # what was found before
    yield
    KINDS.__dict__.pop("_theirs", None)
    sys.modules.pop("farther_recipe", None)


def test_each_of_our_kinds_reads_its_own_class():
    assert [kind.recipe.__name__ for kind in KINDS.ours] == [
        "BoxRecipe",
        "RandomisedRecipe",
        "ViewsRecipe",
        "WeatherRecipe",
        "ComposedRecipe",
    ]
    assert [k.name for k in KINDS.ours if k.scene is None] == ["composed"]
    assert all(issubclass(kind.recipe, SceneRecipe) for kind in KINDS.ours if kind.scene)


def test_a_recipe_of_another_packages_kind_is_read_checked_and_drawn(farther, tmp_path):
    text = f"kind: farther\nparts: [{BRACKET}]\nby: "
    (tmp_path / "far.yaml").write_text(f"{text}2.0\n")
    recipe = read_recipe(tmp_path / "far.yaml")
    assert (type(recipe).__name__, recipe.by, scene_of(recipe, 1).record["kind"]) == ("Farther", 2.0, "farther")

    (tmp_path / "far.yaml").write_text(f"{text}6.0\n")
    with pytest.raises(CadsightError, match=r"line 3, by: by is 6.0, expected less"):
        read_recipe(tmp_path / "far.yaml")
