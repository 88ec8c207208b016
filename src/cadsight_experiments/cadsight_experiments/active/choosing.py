"""Chooses batches of a pool as a model sees it; what was chosen is kept, so that it is the same after a kill.

FOLDER/KEY.json    the names of a batch; KEY is of the pool, the model, what is labelled and the options
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from cadsight_active.candidates import Candidates
from cadsight_active.options import SelectionOptions
from cadsight_active.pool_set import PoolSet, candidates_of
from cadsight_active.selection import select
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_core.sample import Sample
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import json_with, refuse_foreign_file
from cadsight_learning.evaluation.evaluate import in_classes_of
from cadsight_learning.registry.provenance import content

from cadsight_experiments.active.start import Model
from cadsight_experiments.active.training import digest

FORMAT = "cadsight-chosen-1"
_is_chosen = json_with("images", "strategy", form=FORMAT)


class Choosing:
    """Chooses of one pool.

    Args:
        folder: where batches are kept.
        pool: with its labels, which are looked at of images that are labelled already alone.
        classes: of these labels.
    """

    def __init__(self, folder: Path, pool: Sequence[Sample], classes: Sequence[str]) -> None:
        self._folder, self._classes = folder, classes
        self._pool = {s.name: s for s in pool}
        self._data = digest(sorted((s.name, content(s)) for s in pool))
        # What the last two models, one with the features that no training changes, make of the pool.
        self._seen: dict[str, Candidates] = {}

    def names(self, model: Model, labelled: Sequence[str], options: SelectionOptions) -> tuple[str, ...]:
        """The names of the batch that a strategy chooses beside what is ``labelled``, the first choice first.

        Raises:
            CadsightError: as :func:`cadsight_active.selection.select`, and for a file of others where it is kept.
        """
        strategy = STRATEGIES.named(options.strategy)
        asked = {name: value for name, value in dataclasses.asdict(options).items() if name in strategy.reads}
        key = digest(self._data, model.sha256 if strategy.asks_model else "", sorted(labelled), asked)
        path = refuse_foreign_file(self._folder / f"{key}.json", _is_chosen)
        if path.exists():
            with taken_from(f"the batch {path}", "the names of images"):
                return tuple(map(str, read_document(path, FORMAT, "batch")["images"]))
        candidates = self._candidates(model, labelled, strategy.asks_model, "common_features" in strategy.needs)
        choice = select(candidates, options)
        names = tuple(candidates.ids[i] for i in choice.images)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_text({"format": FORMAT, **asked, "images": names}) + "\n")
        return names

    def _candidates(self, model: Model, labelled: Sequence[str], asks_model: bool, common: bool) -> Candidates:
        key = digest(model.sha256 if asks_model else "", sorted(labelled), common)
        if key not in self._seen:
            known = set(labelled)
            left = [dataclasses.replace(s, instances=()) for name, s in self._pool.items() if name not in known]
            there = [self._pool[name] for name in labelled]
            detector = model.detector if asks_model else None
            if detector is not None and there:
                there = in_classes_of(there, self._classes, detector.classes)
            found, _ = candidates_of(PoolSet(left, there), detector, common).finite()
            self._seen = {**dict(list(self._seen.items())[-2:]), key: found}
        return self._seen[key]


def refuse_foreign_choices(folder: Path) -> None:
    """Refuse a folder in which batches would lie among files of others.

    Raises:
        CadsightError: naming the file.
    """
    for path in folder.glob("*.json"):
        refuse_foreign_file(path, _is_chosen)
