"""The pool as a cycle uses it, by the names of its images."""

from collections.abc import Mapping, Sequence

import numpy as np
from cadsight_core.box import Box
from cadsight_core.imaging.images import image_size
from cadsight_core.sample import Sample
from cadsight_learning.options import CONFIDENCE

from cadsight_active.pool.policy import PoolOptions, asked
from cadsight_active.pool.seen import Record, Seen, State
from cadsight_active.pool.store import Store

_IOU = 0.5


def name_of(number: int) -> str:
    """The name of an image of the pool."""
    return f"{number:09d}"


class PoolImages:
    """The images of a store."""

    def __init__(self, store: Store, options: PoolOptions | None = None) -> None:
        self._store, self._options = store, options or PoolOptions()

    def new(self, after: str = "") -> list[Sample]:
        first = int(after) if after else -1
        return [self._sample(r.number) for r in self._store.records("new") if r.number > first]

    def count_new(self, after: str = "") -> int:
        return self._store.count("new", int(after) if after else -1)

    def last_new(self) -> str:
        number = self._store.last("new")
        return "" if number is None else name_of(number)

    def named(self, names: Sequence[str]) -> list[Sample]:
        return [self._sample(int(name)) for name in names]

    def newest(self, count: int) -> list[Sample]:
        return [self._sample(number) for number in self._store.newest(count)]

    def know(self, described: Mapping[str, Seen]) -> int:
        return self._store.know({int(name): asked(seen, self._options) for name, seen in described.items()})

    def mark(self, names: Sequence[str], state: State) -> None:
        self._store.mark([int(name) for name in names], state)

    def score(self, labelled: Sample) -> float:
        return score_of(self._store.record(int(labelled.name)), labelled)

    def _sample(self, number: int) -> Sample:
        path = self._store.image_path(number)
        return Sample(name_of(number), path, image_size(path))


def score_of(record: Record, labelled: Sample) -> float:
    """How well the model did on an image when it saw it: twice the detections that hit a label of their class, with an
    IoU of 0.5, over all detections and labels (F1); 1 where there is neither."""
    best = record.scores.max(axis=1, initial=0.0) if record.scores.size else np.zeros(0)
    rows = [row for row in np.argsort(-best, kind="stable") if best[row] >= CONFIDENCE]
    return f1([(int(record.scores[row].argmax()), Box(*map(float, record.boxes[row]))) for row in rows], labelled)


def f1(found: Sequence[tuple[int, Box]], labelled: Sample) -> float:
    """F1 of boxes with their classes, the surest first, beside the labels of an image."""
    left = list(labelled.instances)
    hits = 0
    for class_id, box in found:
        alike = [i for i in left if i.class_id == class_id and i.box.iou(box) >= _IOU]
        if alike:
            left.remove(max(alike, key=lambda i: i.box.iou(box)))
            hits += 1
    total = len(found) + len(labelled.instances)
    return 2 * hits / total if total else 1.0
