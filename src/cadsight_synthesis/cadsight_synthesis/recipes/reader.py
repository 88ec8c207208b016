"""A recipe is one YAML: what is chosen at random, from which ranges and pools, and the seed that decides it."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cadsight_core.config.strict_yaml import Document, Key
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part, load_part
from cadsight_core.storage.files import resolved

from cadsight_synthesis.assets.pools import Entry, Source, check_pool
from cadsight_synthesis.recipes.base import Recipe, SceneRecipe
from cadsight_synthesis.recipes.kinds import KINDS
from cadsight_synthesis.rendering.scene import Scene

READERS: dict[Any, Callable[[Any, Path], Any]] = {
    Part: lambda v, folder: _part(v, folder),
    Path: lambda v, folder: _path(v, folder),
    Source: Source.read,
}


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe and check everything that it names, paths relative to it.

    Raises:
        CadsightError: with file, line and key, for a file that is no recipe, an unknown key, a wrong type, a value
            out of range, an empty pool, a texture or photograph that is no image, or a photograph smaller than
            the image.
    """
    path = Path(path)
    document = Document(path)
    kind = document.value("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise CadsightError(f"{document.where(['kind'])} is {kind!r}, expected one of {', '.join(sorted(KINDS))}")
    recipe = document.build(KINDS[kind].recipe, READERS)
    for keys, value in _walk(recipe, ()):
        with _blamed_on(document, keys):
            _check_pools(value, recipe)
    for key, check in recipe.checks().items():
        with _blamed_on(document, (key,)):
            check()
    return recipe if recipe.name else dataclasses.replace(recipe, name=path.stem)


def scene_of(recipe: SceneRecipe, number: int) -> Scene:
    """Scene ``number`` of a recipe, the same whenever and wherever it is asked for; it has ``views_per_scene`` views.

    Raises:
        CadsightError: when the parts cannot be placed as the recipe wants them, or a mesh cannot be used.
    """
    scene = next((kind.scene for kind in KINDS.values() if kind.recipe is type(recipe)), None)
    if scene is None:
        raise CadsightError(f"the recipe {recipe.name!r} of kind {recipe.kind} has no scenes to draw")
    return scene(recipe, number)


@contextlib.contextmanager
def _blamed_on(document: Document, keys: Sequence[Key]) -> Iterator[None]:
    try:
        yield
    except CadsightError as error:
        raise error.at(document.where(keys)) from error


def _part(value: Any, folder: Path) -> Part:
    if not isinstance(value, str):
        raise CadsightError(f"a part is {value!r}, expected its YAML file")
    return load_part(resolved(folder, value))


def _path(value: Any, folder: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise CadsightError(f"a path is {value!r}, expected a file or folder relative to the recipe")
    path = resolved(folder, value)
    if not os.path.exists(path):  # Path's own raises for a name too long for the disk
        raise CadsightError(f"{path} does not exist, expected a file or folder")
    return path


def _walk(value: Any, keys: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Every dataclass and tuple in a recipe, with the keys that lead to it."""
    if isinstance(value, Part):
        return
    if dataclasses.is_dataclass(value):
        yield keys, value
        for field in dataclasses.fields(value):
            yield from _walk(getattr(value, field.name), (*keys, field.name))
    elif isinstance(value, tuple):
        yield keys, value
        for i, element in enumerate(value):
            yield from _walk(element, (*keys, i))


def _check_pools(value: Any, recipe: Recipe) -> None:
    if isinstance(value, tuple) and value and isinstance(value[0], Entry):
        check_pool(value)
    elif isinstance(value, Entry) and isinstance(recipe, SceneRecipe):
        value.check_files(recipe.image.size)
