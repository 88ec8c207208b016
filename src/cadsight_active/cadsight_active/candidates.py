"""What a strategy knows of the images that it may choose from, and of those that are labelled."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_learning.detection.evidence import Evidence
from numpy.typing import NDArray

Floats = NDArray[np.floating]

# Detections below this are not kept; strategies take a higher floor, and the order at this one is compared with theirs.
LOWEST_FLOOR = 0.03


@dataclass(frozen=True, eq=False)
class Candidates:
    """N images, those to choose from and those that are labelled, in columns.

    Attributes:
        ids: a name of each image, none twice.
        labelled: (N,) whether it is labelled, so that it is not chosen.
        counts: (N,) detections of each image; the rows of the three arrays below come image by image.
        scores: (T, C) of each detection and class.
        boxes: (T, 4) corners in the image's pixels.
        object_features: (T, E) of each detection; empty (T, 0) of a model that has none.
        image_features: (N, D) of the model; None of one that has none.
        common_features: (N, F) of a network that no training changes; None where nothing asks for them.
        difficulties: (C,) of each class for the model, 0 to 1; None where no labelled image tells.
    """

    ids: tuple[str, ...]
    labelled: NDArray[np.bool_]
    counts: NDArray[np.int64]
    scores: Floats
    boxes: Floats
    object_features: Floats
    image_features: Floats | None = None
    common_features: Floats | None = None
    difficulties: Array | None = field(default=None)

    def __post_init__(self) -> None:
        if len(set(self.ids)) < len(self.ids):
            twice = next(name for name in self.ids if self.ids.count(name) > 1)
            raise CadsightError(f"the image {twice!r} comes twice, expected each name once")

    @staticmethod
    def of(
        ids: Sequence[str],
        labelled: Sequence[bool],
        evidence: Iterable[Evidence],
        classes: int,
        image_features: Floats | None = None,
        common_features: Floats | None = None,
        difficulties: Array | None = None,
    ) -> "Candidates":
        """The columns of what a detector makes of each image."""
        each = list(evidence)
        width = max((e.features.shape[1] for e in each if len(e.features)), default=0)
        return Candidates(
            tuple(ids),
            np.array(labelled, bool),
            np.array([len(e.boxes) for e in each], np.int64),
            np.concatenate([np.zeros((0, classes), np.float32), *(e.scores for e in each)]),
            np.concatenate([np.zeros((0, 4)), *(e.boxes for e in each)]),
            np.concatenate([np.zeros((0, width), np.float32), *(e.features for e in each if len(e.features))]),
            image_features,
            common_features,
            difficulties,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """(T,) the number of each detection's image."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(N + 1,) where the rows of each image begin, and where the last end."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def unlabelled(self) -> NDArray[np.int64]:
        """The numbers of the images that can be chosen."""
        return np.flatnonzero(~self.labelled)

    def rows_of(self, image: int) -> slice:
        """The rows of an image's detections."""
        return slice(int(self.starts[image]), int(self.starts[image + 1]))

    def above(self, floor: float, at_most: int) -> "Candidates":
        """With the detections only that score more than ``floor``, at most so many an image, the best first."""
        best = self.scores.max(axis=1, initial=0.0)
        order = np.lexsort((-best, self.owners))
        ranks = np.arange(len(order)) - self.starts[self.owners[order]]
        kept = np.zeros(len(best), bool)
        kept[order[ranks < at_most]] = True
        return self._with_rows(kept & (best > floor))

    def finite(self) -> tuple["Candidates", tuple[str, ...]]:
        """The images of which every number is one, and the names of the others."""
        rows = np.isfinite(self.scores).all(axis=1) & np.isfinite(self.object_features).all(axis=1)
        bad = np.bincount(self.owners, ~rows, len(self)) > 0
        for features in (self.image_features, self.common_features):
            if features is not None:
                bad |= ~np.isfinite(features).all(axis=1)
        if not bad.any():
            return self, ()
        return self.taken(np.flatnonzero(~bad)), tuple(self.ids[i] for i in np.flatnonzero(bad))

    def taken(self, numbers: NDArray[np.int64]) -> "Candidates":
        """The images of these numbers, which grow."""
        there = np.zeros(len(self), bool)
        there[numbers] = True
        of_rows = self._with_rows(there[self.owners])
        return replace(
            of_rows,
            ids=tuple(self.ids[i] for i in numbers),
            labelled=self.labelled[numbers],
            counts=of_rows.counts[numbers],
            image_features=None if self.image_features is None else self.image_features[numbers],
            common_features=None if self.common_features is None else self.common_features[numbers],
        )

    def per_image(self, values: Floats, how: Callable[[Floats, NDArray[np.int64], int], Array]) -> Array:
        """(N,) of ``values`` (T,) of the detections."""
        return how(values, self.owners, len(self))

    def _with_rows(self, kept: NDArray[np.bool_]) -> "Candidates":
        if kept.all():  # a copy of all features would be a second pool in memory
            return self
        return replace(
            self,
            counts=np.bincount(self.owners[kept], minlength=len(self)).astype(np.int64),
            scores=self.scores[kept],
            boxes=self.boxes[kept],
            object_features=self.object_features[kept],
        )
