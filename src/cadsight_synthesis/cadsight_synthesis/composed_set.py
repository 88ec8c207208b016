"""Data sets of composed pictures (Comillas, section 3.3.1), continued where they were left.

The recipe kind ``composed`` and ``cadsight compose`` make the same pictures of the same parameters.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cadsight_core.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.images import encode_image, read_image
from cadsight_core.parameters import parameter
from cadsight_core.part import Part
from cadsight_core.sample import Sample, Split

from cadsight_synthesis.composition import CompositionParameters, CutOut, Image, compose_set, cut_out
from cadsight_synthesis.made import Picture, picture_name, recipe_identity
from cadsight_synthesis.sampling.base import Recipe

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True)
class ComposedRecipe(Recipe):
    """Cut-outs of captured parts on a captured background."""

    source: Path = parameter(Path(), "labelled data set with masks, relative to the recipe")
    background: Path = parameter(Path(), "picture of the empty scene, relative to the recipe")
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


@dataclass(frozen=True)
class ComposedPictures:
    """The pictures of a composed recipe, each a group of its own (see :class:`rendered_set.Pictures`)."""

    recipe: ComposedRecipe
    parts: tuple[Part, ...] = ()
    group: int = 1

    @property
    def classes(self) -> tuple[str, ...]:
        return Dataset.open(self.recipe.source).classes

    @property
    def identity(self) -> dict[str, Any]:
        pictures = Dataset.open(self.recipe.source).fingerprint()
        behind = hashlib.sha256(read_image(self.recipe.background).tobytes()).hexdigest()
        return {**recipe_identity(self.recipe), "source_sha256": pictures, "background_sha256": behind}

    def __call__(self, number: int) -> list[Picture]:
        sample, image = composed_picture(self.recipe, number)
        return [Picture(sample.to_json(), encode_image(image))]


def composed_picture(recipe: ComposedRecipe, number: int) -> tuple[Sample, Image]:
    """Picture ``number`` of a recipe's set and its labels.

    Raises:
        CadsightError: when the source has no part with a mask, or none fits on the background.
    """
    cut_outs, background = _material(recipe.source, recipe.background)
    parameters = replace(recipe.composition, seed=recipe.seed)
    (made,) = compose_set(cut_outs, background, number + 1, parameters, recipe.split, first=number)
    name = picture_name(recipe.name, recipe.seed, number)
    return replace(made[0], name=name, image=Path(f"{name}.png")), made[1]


@lru_cache(maxsize=1)
def _material(source: Path, background: Path) -> tuple[tuple[CutOut, ...], Image]:
    labelled = Dataset.open(source)
    return tuple(c for sample in labelled for c in cut_out(sample, labelled.image(sample))), read_image(background)


def write_composed_set(
    source: str | Path,
    background: Image,
    count: int,
    out: str | Path,
    parameters: CompositionParameters | None = None,
    split: Split = "train",
    *,
    progress: Progress | None = None,
) -> Dataset:
    """Compose ``count`` pictures of the parts in the data set ``source`` on ``background`` (H, W, 3).

    Args:
        out: folder of the new data set; one with the same source and parameters is continued.
        progress: wraps the loop: (iterable, total, what) -> iterable, such as a progress bar.

    Raises:
        CadsightError: when ``source`` has no part with a mask, or ``out`` holds another set.
    """
    p = parameters or CompositionParameters()
    if count < 1:
        raise CadsightError(f"{count} composed pictures were asked for, expected at least 1")
    labelled = Dataset.open(source)
    cut_outs: list[CutOut] = [c for sample in labelled for c in cut_out(sample, labelled.image(sample))]
    recipe = {"composition": asdict(p), "from": labelled.fingerprint(), "split": split}
    dataset = Dataset.create(out, labelled.classes, exist_ok=True, extra=recipe)
    if dataset.extra != recipe:
        raise CadsightError(
            f"{dataset.folder} was composed from other pictures or with other parameters, expected a new folder"
        )
    pictures = compose_set(cut_outs, background, count, p, split, first=len(dataset))
    todo = max(count - len(dataset), 0)
    for sample, image in progress(pictures, todo, "compose") if progress else pictures:
        dataset.append(sample, image)
    return dataset
