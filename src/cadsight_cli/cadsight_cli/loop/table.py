"""The simulated table of `cadsight loop`: what is drawn, and the first models."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cadsight_core.datasets.dataset import Dataset

from cadsight_cli.loop.settings import LoopSettings

_RECIPE = "package://cadsight/config/table/{}.yaml"
DETECTOR, REGRESSOR = "detector", "normals"
_BATCH = 8


@dataclass(frozen=True)
class Table:
    """What is there before the loop begins.

    Attributes:
        drawn: data set that the first models learned from.
        before, after: what the cell shows before and after its lamp changes, with the truth.
        models: registry with the first models.
    """

    drawn: Path
    before: Path
    after: Path
    models: Path


def prepare(out: Path, settings: LoopSettings, progress: Callable[..., Any], training: Callable[[str], Any]) -> Table:
    """Draw the sets and train the first models; what is there already is kept.

    Args:
        progress: as that of :func:`cadsight_synthesis.datasets.rendered.write_set`.
        training: a context that shows a training by its title.

    Raises:
        CadsightError: when a set cannot be drawn or a model not be trained.
    """
    table = Table(out / "drawn", out / "before", out / "after", out / "models")
    _draw("drawn", table.drawn, settings.drawn, settings.seed, progress)
    _draw("before", table.before, settings.shown, settings.seed + 1, progress)
    _draw("after", table.after, settings.shown, settings.seed + 2, progress)
    _first_models(table, settings, training)
    return table


def _draw(recipe: str, folder: Path, count: int, seed: int, progress: Callable[..., Any]) -> None:
    from cadsight_ros.resources import resolve
    from cadsight_synthesis.datasets.rendered import images_of, write_set
    from cadsight_synthesis.recipes.reader import read_recipe

    drawn: Any = replace(read_recipe(resolve(_RECIPE.format(recipe))), seed=seed)
    write_set(images_of(drawn, "raster"), count, folder, progress=progress)


def _first_models(table: Table, settings: LoopSettings, training: Callable[[str], Any]) -> None:
    from cadsight_learning.detection.ultralytics.options import YoloOptions
    from cadsight_learning.fit import fit_detector, fit_normals
    from cadsight_learning.options import NormalOptions

    drawn = Dataset.open(table.drawn)
    samples = [replace(sample, split="") for sample in drawn]
    cut = len(samples) * 4 // 5
    train, valid = samples[:cut], samples[cut:]
    if not (table.models / DETECTOR / "model.json").is_file():
        epochs = max(1, round(settings.first_updates / -(-cut // _BATCH)))
        options = YoloOptions(epochs=epochs, batch=_BATCH, seed=settings.seed)
        with training("first detector") as show:
            fit_detector(train, valid, drawn.classes, table.models / DETECTOR, options, show)
    if not (table.models / REGRESSOR / "model.json").is_file():
        with training("normals") as show:
            fit_normals(
                train, valid, drawn.classes, table.models / REGRESSOR, NormalOptions(epochs=2, seed=settings.seed), show
            )
