"""A preview of a recipe's images before thousands are made."""

from collections.abc import Iterator
from dataclasses import replace

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import step
from cadsight_core.sample import Sample

from cadsight_synthesis.datasets.composed import composed_image
from cadsight_synthesis.datasets.page import Figure
from cadsight_synthesis.datasets.rendered import sample_of
from cadsight_synthesis.recipes.base import SceneRecipe
from cadsight_synthesis.recipes.composed import ComposedRecipe
from cadsight_synthesis.recipes.reader import scene_of
from cadsight_synthesis.rendering.engines import EngineName, make_engine

COUNT = 9


def preview(recipe: SceneRecipe | ComposedRecipe, engine: EngineName, count: int = COUNT) -> Iterator[Figure]:
    """Images of the recipe's first ``count`` scenes with their labels drawn, one of each; views take turns.

    They are those of a whole set.

    Raises:
        CadsightError: when a scene cannot be made or drawn.
    """
    if isinstance(recipe, ComposedRecipe):
        classes = Dataset.open(recipe.source).classes
        for number in range(count):
            yield _figure(*composed_image(recipe, number), classes)
        return
    with step(f"the engine {engine} starts"):
        drawing = make_engine(engine)
    try:
        for number in range(count):
            scene = scene_of(recipe, number)
            view_index = number % len(scene.views)
            (rendering,) = drawing.render(replace(scene, views=(scene.views[view_index],)))
            yield _figure(*sample_of(recipe, scene, number, view_index, rendering, engine), recipe.classes)
    finally:
        drawing.close()


def _figure(sample: Sample, image: Rgb, classes: tuple[str, ...]) -> Figure:
    captions = [
        f"{classes[i.class_id]} {100 * float(i.attributes['visible_fraction']):.0f} % visible"
        if "visible_fraction" in i.attributes
        else classes[i.class_id]
        for i in sample.instances
    ]
    return Figure(
        draw_instances(image, sample.instances, classes), f"{sample.name}: {', '.join(captions) or 'no label'}"
    )
