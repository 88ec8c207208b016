"""What is faulty, learned from the real images of a sorting, and how faulty images are."""

from collections.abc import Sequence

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.sample import Sample
from torch import Tensor

from cadsight_generation.sorting.measures.faults import with_fault
from cadsight_generation.sorting.measures.quality import FOLDS, FaultModels, PatchBank
from cadsight_generation.sorting.sets import Seeing

# Images with faults that are drawn in all, at least one of each real image, and at most so many of each.
_FAULTY, _OF_EACH = 300, 6


def learned_faults(seeing: Seeing, bank: PatchBank, real: Sequence[Sample], rng: np.random.Generator) -> FaultModels:
    """What tells faults that are drawn on ``real`` images from these; image ``n`` is of the fold ``n % FOLDS``."""
    models = FaultModels(seeing.patch_size)
    each = min(max(_FAULTY // len(real), 1), _OF_EACH)
    number, before = 0, None
    for squares, patches in seeing.again(real, "faults learned"):
        for square, one in zip(squares, bank.normed(patches), strict=True):
            models.add(one, number % FOLDS)
            # Faults take the image before as the other one: any will do, and it is at hand.
            other = before if before is not None else square[:, ::-1]
            faulty, masks = zip(*(with_fault(square, other, rng) for _ in range(each)), strict=True)
            for each_one, mask in zip(bank.normed(seeing.patches(faulty)), masks, strict=True):
                models.add(each_one, number % FOLDS, mask)
            number, before = number + 1, square
    models.fit()
    return models


def quality_scores(
    bank: PatchBank, models: FaultModels, patches: Tensor, numbers: Sequence[int] | None = None
) -> Array:
    """Scores (N, 3) of images by their patches; ``numbers`` are those of real ones, which do not count themselves."""
    normed = bank.normed(patches)
    folds = None if numbers is None else [number % FOLDS for number in numbers]
    return np.column_stack([bank.distances(normed, numbers), models.scores(normed, folds)])


def usual_scores(seeing: Seeing, bank: PatchBank, models: FaultModels, held_out: Sequence[Sample], first: int) -> Array:
    """Scores (n, 3) of held-out images, whose first is the real image number ``first``."""
    rows: list[Array] = []
    for _, patches in seeing.again(held_out, "held-out images compared"):
        start = first + sum(map(len, rows))
        rows.append(quality_scores(bank, models, patches, range(start, start + len(patches))))
    return np.concatenate(rows)
