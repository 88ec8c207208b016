"""A data set out of a recipe, image by image, continued where it was left.

Beside the samples the folder holds ``parts/``: the YAML and the mesh of each part, so that a set can be checked and
used on a machine that has nothing else of it.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.config.yaml_file import dump_yaml
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, encode_image
from cadsight_core.parts.part import Part, load_part_mesh
from cadsight_core.running.parallel import ParallelMap, parallel_map_of
from cadsight_core.sample import Sample
from cadsight_core.storage.files import inside, write_atomically
from cadsight_core.storage.output_file import write_same
from cadsight_core.storage.output_folder import whole_folder

from cadsight_synthesis.assets.cache import ply_of
from cadsight_synthesis.datasets.composed import ComposedImages
from cadsight_synthesis.datasets.source import EncodedSample, ImageSource, image_name, recipe_identity
from cadsight_synthesis.recipes.base import Recipe, SceneRecipe
from cadsight_synthesis.recipes.composed import ComposedRecipe
from cadsight_synthesis.recipes.reader import scene_of
from cadsight_synthesis.rendering.engines import EngineName, close_kept, kept_engine
from cadsight_synthesis.rendering.labels import labelled
from cadsight_synthesis.rendering.scene import Rendering, Scene

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]
PARTS = "parts"


@dataclass(frozen=True)
class RenderedImages:
    """The views of a recipe's scenes, drawn by an engine with ``threads`` threads, 0 for all cores."""

    recipe: SceneRecipe
    engine: EngineName
    threads: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return self.recipe.classes

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.recipe.parts

    @property
    def group(self) -> int:
        return self.recipe.views_per_scene

    @property
    def identity(self) -> dict[str, Any]:
        return {**recipe_identity(self.recipe), "engine": self.engine}

    def __call__(self, number: int) -> list[EncodedSample]:
        recipe = self.recipe
        scene = scene_of(recipe, number)
        renderings = kept_engine(self.engine, self.threads).render(scene)
        found = []
        for view_index, rendering in enumerate(renderings):
            sample, image = sample_of(recipe, scene, number, view_index, rendering, self.engine)
            found.append(EncodedSample(sample.to_json(), encode_image(image)))
        return found


def sample_of(
    recipe: SceneRecipe, scene: Scene, number: int, view_index: int, rendering: Rendering, engine: str
) -> tuple[Sample, Rgb]:
    """The sample and image (H, W, 3) of view ``view_index`` of ``scene``, which is the recipe's scene ``number``."""
    overall = number * recipe.views_per_scene + view_index
    sample = labelled(
        scene,
        scene.views[view_index],
        rendering,
        recipe.parts_by_class,
        recipe.labels,
        name=image_name(recipe.name, recipe.seed, overall),
        split=recipe.split,
        record={"view": view_index, "engine": engine},
    )
    return recipe.finished(sample, rendering.image, overall)


def images_of(recipe: Recipe, engine: EngineName, threads: int = 0) -> ImageSource:
    """The images of a recipe of any kind; a composed one needs no engine."""
    if isinstance(recipe, SceneRecipe):
        return RenderedImages(recipe, engine, threads)
    if isinstance(recipe, ComposedRecipe):
        return ComposedImages(recipe)
    raise CadsightError(f"the recipe {recipe.name!r} of kind {recipe.kind} has no images to make")


def write_set(
    images: ImageSource,
    count: int,
    out: str | Path,
    *,
    extra: Mapping[str, Any] | None = None,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make images until the data set ``out`` has ``count``, in their order; what is there is kept.

    The same images have the same bytes whether one process made them or many, in one run or in several.

    Args:
        extra: fields about the whole set, as in :class:`cadsight_core.datasets.dataset.Dataset`.
        workers: processes on this machine; with one, this process does it.
        cluster: address of a Dask scheduler whose workers do it instead; they need the same files.
        progress: wraps the loop over images: (iterable, total, what) -> iterable, such as a progress bar.

    Raises:
        CadsightError: when ``out`` holds another set, an image cannot be made, workers die again and again, or the
            disk is full. The data set is whole at any moment, and the same call goes on with it.
    """
    if count < 1:
        raise CadsightError(f"{count} images were asked for, expected at least 1")
    identity = images.identity
    dataset = _continued(out, images, identity) if Dataset.is_one(out) else None
    first = len(dataset) if dataset else 0
    if dataset and first >= count:
        return dataset
    parallel = parallel_map_of(workers, cluster, close_kept)
    try:
        # Whatever ends the loop, the work in hand is called off before those who do it are sent home.
        with contextlib.closing(_from(images, parallel, first, count)) as made:
            left = iter(progress(made, count - first, "images") if progress else made)
            if dataset is None:
                dataset = _begun(out, images, {**(extra or {}), "synthesis": identity}, left)
            for image in left:
                dataset.append_encoded(Sample.from_json(image.sample), image.png)
    finally:
        parallel.close()
    return dataset


def _continued(out: str | Path, images: ImageSource, identity: dict[str, Any]) -> Dataset:
    dataset = Dataset.create(out, images.classes, exist_ok=True)
    there = dataset.extra.get("synthesis")
    if there != identity:
        raise CadsightError(f"{dataset.folder} was made {_difference(there, identity)}, expected a new folder")
    _keep_parts(dataset.folder, images.parts)
    return dataset


def _begun(out: str | Path, images: ImageSource, extra: dict[str, Any], made: Iterator[EncodedSample]) -> Dataset:
    """A new set with its first image: where that cannot be made, nothing is left that another recipe would meet."""
    with whole_folder(out, replace=False) as work:
        dataset = Dataset.create(work, images.classes, extra=extra)
        _keep_parts(work, images.parts)
        image = next(made)
        dataset.append_encoded(Sample.from_json(image.sample), image.png)
    return Dataset.open(out)


def _from(images: ImageSource, parallel: ParallelMap, first: int, count: int) -> Generator[EncodedSample, None, None]:
    group = images.group
    numbers = range(first // group, -(-count // group))
    skipped = first % group
    left = count - first
    with contextlib.closing(parallel(images, numbers)) as groups:
        for found in groups:
            for image in found[skipped:][:left]:
                left -= 1
                yield image
            skipped = 0


def _difference(there: Any, expected: dict[str, Any]) -> str:
    if not isinstance(there, dict):
        return "by something else than a recipe"
    key = next(k for k in [*expected, *there] if there.get(k) != expected.get(k))
    if key == "recipe_sha256":
        return "by another version of the recipe"
    return f"with {key} {there.get(key)!r}, not {expected.get(key)!r}"


def _keep_parts(folder: Path, parts: Iterable[Part]) -> None:
    for part in parts:
        target = inside(folder, Path(PARTS) / f"{part.name}.yaml")
        if target.exists():
            continue
        try:
            target.parent.mkdir(exist_ok=True)
            mesh = ply_of(load_part_mesh(part)).read_bytes()
        except OSError as error:
            raise CadsightError(f"{target.parent} could not be written: {error.strerror}") from error
        write_same(target.with_suffix(".ply"), mesh)
        document = {**dataclasses.asdict(part), "mesh": f"{part.name}.ply", "unit": "m"}
        write_atomically(target, dump_yaml(document))
