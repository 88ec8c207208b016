"""The recipe kind ``composed``, which ``cadsight compose`` is a shorter way to write (Comillas, section 3.3.1)."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import encode_image, read_image
from cadsight_core.parts.part import Part
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample

from cadsight_synthesis.datasets.source import EncodedSample, image_name, recipe_identity
from cadsight_synthesis.image_ops.composition import CutOut, Image, compose_set, cut_out
from cadsight_synthesis.recipes.composed import ComposedRecipe


@dataclass(frozen=True)
class ComposedImages:
    """The images of a composed recipe, each a group of its own (see :class:`rendered_set.Images`)."""

    recipe: ComposedRecipe
    parts: tuple[Part, ...] = ()
    group: int = 1

    @property
    def classes(self) -> tuple[str, ...]:
        return Dataset.open(self.recipe.source).classes

    @property
    def identity(self) -> dict[str, Any]:
        images = Dataset.open(self.recipe.source).fingerprint()
        behind = hashlib.sha256(read_image(self.recipe.background).tobytes()).hexdigest()
        # By what they hold and not by where they lie: a run that was moved goes on.
        recipe = replace(self.recipe, source=Path("source"), background=Path("background"))
        return {**recipe_identity(recipe), "source_sha256": images, "background_sha256": behind}

    def __call__(self, number: int) -> list[EncodedSample]:
        sample, image = composed_image(self.recipe, number)
        return [EncodedSample(sample.to_json(), encode_image(image))]


def composed_image(recipe: ComposedRecipe, number: int) -> tuple[Sample, Image]:
    """Image ``number`` of a recipe's set and its labels.

    Raises:
        CadsightError: when the source has no part with a mask, or none fits on the background.
    """
    cut_outs, background = _material(recipe.source, recipe.background)
    parameters = replace(recipe.composition, seed=recipe.seed)
    (made,) = compose_set(cut_outs, background, number + 1, parameters, recipe.split, first=number)
    name = image_name(recipe.name, recipe.seed, number)
    return replace(made[0], name=name, image=Path(f"{name}.png")), made[1]


@lru_cache(maxsize=1)
def _material(source: Path, background: Path) -> tuple[tuple[CutOut, ...], Image]:
    labelled = Dataset.open(source)
    samples = with_progress(labelled.samples(), len(labelled), "parts cut out")
    return tuple(c for sample in samples for c in cut_out(sample, labelled.image(sample))), read_image(background)
