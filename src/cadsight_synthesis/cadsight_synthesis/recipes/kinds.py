"""The kinds of recipes: ours, and those that other packages add by an entry point."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cadsight_core.registered import Registered

from cadsight_synthesis.recipes import box, randomised, views, weather
from cadsight_synthesis.recipes.base import Recipe
from cadsight_synthesis.recipes.composed import ComposedRecipe
from cadsight_synthesis.rendering.scene import Scene

GROUP = "cadsight.recipes"


@dataclass(frozen=True)
class RecipeKind:
    """A kind of recipe.

    Attributes:
        name: what stands after `kind:` in its files.
        recipe: the dataclass that its files are read into.
        scene: ``scene(recipe, number)``, scene ``number``, the same whenever it is asked for; None where no scenes are
            drawn.
    """

    name: str
    recipe: type[Recipe]
    scene: Callable[[Any, int], Scene] | None = None


KINDS = Registered(
    "kind of recipe",
    GROUP,
    RecipeKind,
    (
        RecipeKind("box", box.BoxRecipe, box.scene),
        RecipeKind("randomised", randomised.RandomisedRecipe, randomised.scene),
        RecipeKind("views", views.ViewsRecipe, views.scene),
        RecipeKind("weather", weather.WeatherRecipe, randomised.scene),
        RecipeKind("composed", ComposedRecipe),
    ),
)
