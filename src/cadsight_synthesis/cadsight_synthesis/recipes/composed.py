"""Images composed of cut-out parts over backgrounds."""

from dataclasses import dataclass
from pathlib import Path

from cadsight_core.config.parameters import parameter
from cadsight_core.errors import CadsightError

from cadsight_synthesis.image_ops.composition import CompositionParameters
from cadsight_synthesis.recipes.base import Recipe


@dataclass(frozen=True)
class ComposedRecipe(Recipe):
    """Cut-outs of captured parts on a captured background."""

    source: Path = parameter(Path(), "labelled data set with masks, relative to the recipe")
    background: Path = parameter(Path(), "image of the empty scene, relative to the recipe")
    composition: CompositionParameters = parameter(CompositionParameters(), "how the cut-outs are laid out")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.composition.seed:
            raise CadsightError(
                f"the composition's seed is {self.composition.seed}, expected it at the recipe's top alone"
            )
        for name in ("source", "background"):
            if getattr(self, name) == Path():
                raise CadsightError(f"the recipe names no {name}, expected one to cut out of and to paste onto")
