"""Data sets that are learned from together, and which of their images each seed gets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import load_together, split_train_valid
from cadsight_learning.options import DetectorOptions, NormalOptions


@dataclass(frozen=True)
class TrainingSet:
    """Data sets that are learned from together, under one name.

    Attributes:
        counts: images taken of each folder, 0 for all (see :func:`cadsight_learning.data.loading.load_together`).
        detector: how its detector is trained, where that differs from the comparison.
        normals: how its regressor is trained, where that differs.
        has_normals: whether a regressor is trained on it, where the comparison has one.
        after: name of the set whose models, of the same seed, it goes on from.
        facts: kept with its results, such as a position in a grid.
    """

    name: str
    folders: tuple[str, ...]
    counts: tuple[int, ...] = ()
    detector: DetectorOptions | None = None
    normals: NormalOptions | None = None
    has_normals: bool = True
    after: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_sampled(self) -> bool:
        """Whether each seed has its own random sample of the images."""
        return any(self.counts)

    @staticmethod
    def parse(words: str) -> "TrainingSet":
        """``NAME=DIR[:N][,DIR[:N]...]`` of a command line; with N that many images of the folder.

        Raises:
            CadsightError: for words of another form.
        """
        name, _, folders = words.partition("=")
        if not name or Path(name).name != name or name.startswith(".") or not folders:
            raise CadsightError(f"the training set is {words!r}, expected NAME=DIR or NAME=DIR,DIR")
        parts = [re.fullmatch(r"(.+?)(?::(\d+))?", folder) for folder in folders.split(",")]
        if not all(parts):
            raise CadsightError(f"the training set is {words!r}, expected a folder after each comma")
        return TrainingSet(name, tuple(p[1] for p in parts if p), tuple(int(p[2] or 0) for p in parts if p))


def chosen_samples(one: TrainingSet, seed: int) -> tuple[Sequence[Sample], Sequence[Sample], tuple[str, ...]]:
    """Training images of a set for ``seed``, validation images, and their classes.

    Raises:
        CadsightError: as :func:`cadsight_learning.data.loading.load_together` and
            :func:`cadsight_learning.data.loading.split_train_valid`.
    """
    samples, classes = load_together(one.folders, one.counts, seed)
    train, valid, _ = split_train_valid(samples)
    return train, valid, classes
