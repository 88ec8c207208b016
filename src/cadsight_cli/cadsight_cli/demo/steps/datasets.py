"""The data set step: composed images, and the files that other tools read."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.regression import write_regression
from cadsight_core.formats.yolo.labels import write_yolo
from cadsight_synthesis.datasets.composed import ComposedImages
from cadsight_synthesis.datasets.rendered import write_set
from cadsight_synthesis.recipes.composed import ComposedRecipe

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def compose(
    labelled: Path, background: Path, count: int, seed: int, out: Path, progress: Progress | None = None
) -> None:
    """Write ``count`` images of one to four labelled parts (Comillas, section 3.3.1), going on with those there."""
    recipe = ComposedRecipe("composed", seed, "train", "composed", labelled.resolve(), background.resolve())
    write_set(ComposedImages(recipe), count, out, progress=progress)


def write_files(
    sessions: dict[str, Path], composed: Path, yolo: Path, regression: Path, coco: Path, square: bool = False
) -> None:
    """Write YOLO's folders, the paper's regression file with its crops and COCO, of labelled sessions by split.

    ``square`` makes YOLO's boxes 1:1 (Comillas, section 3.3). The composed images are training images of the
    detector; the regressor's crops are of single parts alone.
    """
    sets = {split: Dataset.open(folder) for split, folder in sessions.items()}
    extra = Dataset.open(composed)
    classes = extra.classes
    images = {split: [*s.samples(), *(extra.samples() if split == "train" else ())] for split, s in sets.items()}
    write_yolo(images, classes, yolo, square=square)
    write_coco([sample for group in images.values() for sample in group], classes, coco)
    regression.mkdir(parents=True, exist_ok=True)
    for split, dataset in sets.items():
        write_regression(dataset.samples(), regression / split)
