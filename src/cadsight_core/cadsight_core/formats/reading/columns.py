"""The labels of a whole set as columns, for who looks at a million of them at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import given_polygons, is_crowd

Row = tuple[float, float, float, float]


@dataclass(frozen=True)
class Columns:
    """One row a label, in the order of the samples and of the labels in each.

    Attributes:
        heads: the samples, their labels left out where that is quicker.
        counts: (S,) labels of each sample.
        classes: (L,) class of each label.
        boxes: (L, 4) x0, y0, x1, y1 in pixels.
        reaches: (L, 4) the box around the polygons that a label came with; its box where it has none.
        normals: (L,) whether it has a normal.
        crowds: (L,) whether it is a region of many objects.
        instance: makes a label, by the numbers of its sample and of it in there.
    """

    heads: Sequence[Sample]
    counts: NDArray[np.intp]
    classes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    reaches: NDArray[np.float64]
    normals: NDArray[np.bool_]
    crowds: NDArray[np.bool_]
    instance: Callable[[int, int], Instance]

    @staticmethod
    def of(samples: Sequence[Sample]) -> "Columns":
        """The columns of samples that are all in memory."""
        labels = [i for s in samples for i in s.instances]
        boxes = [i.box.as_tuple() for i in labels]
        return Columns(
            samples,
            np.array([len(s.instances) for s in samples], np.intp),
            np.array([i.class_id for i in labels], np.int64),
            rows(boxes),
            rows([reach(i) or box for i, box in zip(labels, boxes, strict=True)]),
            np.array([i.normal is not None for i in labels], bool),
            np.array([is_crowd(i) for i in labels], bool),
            lambda sample, number: samples[sample].instances[number],
        )

    @property
    def starts(self) -> NDArray[np.intp]:
        """(S,) row of the first label of each sample."""
        return np.cumsum(self.counts) - self.counts

    def indices(self, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """The numbers of sample and label of the rows that are ``chosen`` (L,)."""
        labels = np.flatnonzero(chosen)
        samples = np.repeat(np.arange(len(self.counts)), self.counts)[labels]
        yield from zip(samples.tolist(), (labels - self.starts[samples]).tolist(), strict=True)


def rows(boxes: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Boxes as an array (L, 4)."""
    return np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes)).reshape(-1, 4)


def reach(instance: Instance) -> Row | None:
    """The box around the polygons that the instance came with, None where it has none."""
    polygons = given_polygons(instance)
    if not any(map(len, polygons)):
        return None
    corners = np.concatenate(polygons)
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return x0, y0, x1, y1
