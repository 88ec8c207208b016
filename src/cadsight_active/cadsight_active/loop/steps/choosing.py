"""The batch of a cycle: some images at random to be held out, the others by a strategy."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text
from cadsight_learning.models import load_detector

from cadsight_active.batch import load_selection, save_selection
from cadsight_active.loop.history import BatchChosen
from cadsight_active.loop.options import LoopOptions
from cadsight_active.options import SelectionOptions
from cadsight_active.pool_set import PoolSet, select_from
from cadsight_active.selection import select

# Beside batch.json: what was chosen at random, and from which images.
AUDIT, _FORMAT = "audit.json", "cadsight-audit-1"


@dataclass(frozen=True)
class Drawn:
    """The images at random of a batch.

    Attributes:
        pool: names of all images that could be chosen, in their order.
        seed: of the choice.
        names: that were chosen.
    """

    pool: tuple[str, ...]
    seed: tuple[int, int]
    names: tuple[str, ...]


def choose(
    pool: Sequence[Sample],
    learned: Sequence[Sample],
    model: Path,
    options: LoopOptions,
    cycle: int,
    folder: Path,
    named: str,
) -> BatchChosen:
    """Choose the batch of a cycle and keep it in ``folder``.

    Args:
        pool: images without labels, in an order that stays.
        learned: labelled ones that were learned from, in the class ids of the model.
        model: folder of the detector that is served.
        named: how the folder is called in the history.

    Raises:
        CadsightError: for an empty pool, and as :func:`cadsight_active.pool_set.select_from`.
    """
    if len(pool) < 2:
        raise CadsightError(f"the pool has {len(pool)} new images, expected at least two to choose from")
    k = min(options.k, len(pool))
    audits = min(options.audits, k - 1)
    names = tuple(sample.name for sample in pool)
    drawn = Drawn(names, (options.seed, cycle), _at_random(names, audits, (options.seed, cycle)))
    left = [sample for sample in pool if sample.name not in set(drawn.names)]
    selection = select_from(
        PoolSet.of(left, learned),
        SelectionOptions(strategy=options.strategy, k=k - audits, seed=options.seed + cycle),
        load_detector(model, device="cpu"),
        model,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / AUDIT, json_text({"format": _FORMAT, **asdict(drawn)}))
    save_selection(folder, selection)
    notes = selection.batch.notes
    if k < options.k:
        notes += (f"the pool has {len(pool)} new images, so that {k} were chosen and not {options.k}",)
    return BatchChosen(named, tuple(one.name for one in selection.batch.images), drawn.names, notes)


def load_drawn(folder: str | Path) -> Drawn:
    """The images at random of the batch in ``folder``.

    Raises:
        CadsightError: when they cannot be read.
    """
    data = read_document(Path(folder) / AUDIT, _FORMAT, "audit")
    with taken_from("an audit", "what a loop writes"):
        first, second = data["seed"]
        return Drawn(tuple(data["pool"]), (int(first), int(second)), tuple(data["names"]))


def chosen_again(folder: str | Path) -> BatchChosen:
    """The batch in ``folder``, chosen anew from all that it was chosen from.

    Raises:
        CadsightError: when that cannot be read.
    """
    drawn, selection = load_drawn(folder), load_selection(folder)
    options = SelectionOptions(**selection.batch.options)
    choice = select(selection.candidates, options)
    names = tuple(selection.candidates.ids[i] for i in choice.images)
    return BatchChosen(str(folder), names, _at_random(drawn.pool, len(drawn.names), drawn.seed))


def _at_random(names: Sequence[str], count: int, seed: tuple[int, int]) -> tuple[str, ...]:
    chosen = np.random.default_rng(seed).choice(len(names), count, replace=False)
    return tuple(names[i] for i in sorted(chosen.tolist()))
