"""What an experiment is made of: folders that the user names, a run of `cadsight demo`, images rendered for it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.running.parallel import threads_each
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_synthesis.assets.pools import Source
from cadsight_synthesis.datasets.rendered import images_of, write_set
from cadsight_synthesis.recipes.box import BoxRecipe
from cadsight_synthesis.recipes.reader import read_recipe

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def given(folder: str | None, run: str | None, split: str, option: str) -> str:
    """The data set that an option names, else the labelled session of the run.

    Raises:
        CadsightError: when neither is there.
    """
    if folder:
        return folder
    if run:
        labelled = RunFolder(Path(run)).session(split).labelled
        if not labelled.is_dir():
            raise CadsightError(f"{labelled} does not exist, expected a run that `cadsight demo` has labelled")
        return str(labelled)
    raise CadsightError(f"the experiment lacks {option}, expected it, or --run with a run of `cadsight demo`")


def drawn(
    recipe: str | Path,
    run: str | None,
    engine: Any,
    count: int,
    out: Path,
    workers: int,
    cluster: str | None,
    progress: Progress,
) -> str:
    """A set of ``count`` images of a recipe, gone on with where it was left; a box is the twin of the run's cell.

    Raises:
        CadsightError: when the recipe or the engine cannot be used, or ``out`` holds another set.
    """
    read: Any = read_recipe(recipe)
    if run and isinstance(read, BoxRecipe) and read.from_session is None:
        # Held as the arm held it, what both models are evaluated on, and in each image another way: of one pose the
        # regressor learns little from more views.
        session = Source(str(RunFolder(Path(run)).session("train").folder.resolve()))
        held = replace(read.held, fraction=1.0, as_captured_deg=10.0)
        read = replace(read, from_session=session, held=held, views_per_scene=1)
    images = images_of(read, engine, 0 if cluster else threads_each(workers))
    return str(write_set(images, count, out, workers=workers, cluster=cluster, progress=progress).folder)
