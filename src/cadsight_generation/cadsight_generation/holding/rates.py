"""How often a check refuses planted changes of labelled crops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.shapes import Mask
from scipy.stats import binomtest

from cadsight_generation.holding.check import LabelCheck
from cadsight_generation.holding.patch import Patch, patch_of
from cadsight_generation.holding.planting import Planted

_PLANTED = 0x401D


@dataclass(frozen=True)
class Rate:
    """How many of the crops with one kind of change were refused.

    Attributes:
        crops: with the change, those where it could not be seen left out.
        interval: 95 % of Clopper and Pearson (1934).
    """

    refused: int
    crops: int
    interval: tuple[float, float]

    @staticmethod
    def of(refused: int, crops: int) -> "Rate":
        if not crops:
            return Rate(0, 0, (0.0, 1.0))
        found = binomtest(refused, crops).proportion_ci(0.95, "exact")
        return Rate(refused, crops, (float(found.low), float(found.high)))

    @property
    def fraction(self) -> float:
        """NaN where no crop has the change."""
        return self.refused / self.crops if self.crops else float("nan")


def labelled_patches(samples: Sequence[Sample], most: int, smallest: float = 40.0) -> list[tuple[Patch, Mask]]:
    """Unchanged patches of at most ``most`` objects with a mask, and the masks at the patches' size.

    Args:
        smallest: longer side of an object in pixels; of smaller ones 2 pixels of a patch are less than one.
    """
    found: list[tuple[Patch, Mask]] = []
    for sample in with_progress(samples, len(samples), "crops"):
        if len(found) >= most:
            break
        labels = [i for i in sample.instances if max(i.box.width, i.box.height) >= smallest]
        image = read_image(sample.image) if labels else None
        for instance in labels:
            assert image is not None
            patch = patch_of(image, image, instance)
            if patch.mask is not None and patch.mask.any() and not patch.mask.all():
                found.append((patch, patch.mask))
    return found[:most]


def refusal_rate(check: LabelCheck, kind: Planted, patches: Sequence[tuple[Patch, Mask]], seed: int) -> Rate:
    """How often ``check`` refuses ``patches`` with that change, which is another one for each of them."""
    refused = crops = 0
    for number, (patch, mask) in enumerate(patches):
        changed = kind.change(patch.before, mask, np.random.default_rng([seed, number, _PLANTED]))
        if changed is None:
            continue
        crops += 1
        refused += not check.of_patch(replace(patch, after=changed)).holds
    return Rate.of(refused, crops)
