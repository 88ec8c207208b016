"""A data set of composed pictures, continued where it was left."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cadsight_core.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Split

from cadsight_synthesis.composition import CompositionParameters, CutOut, Image, compose_set, cut_out

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


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
