"""What every way to choose has, and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_active.candidates import Candidates
from cadsight_active.options import SelectionOptions

Need = Literal["detections", "image_features", "object_features", "common_features", "difficulties"]


@dataclass(frozen=True, eq=False)
class Choice:
    """What a strategy chose.

    Attributes:
        images: (k,) numbers of distinct unlabelled images, the first choice first.
        values: (N,) what the strategy thinks of each image, NaN where it thinks nothing.
        clusters: (k,) the group that each stands for; empty where there are none.
        reasons: why each was chosen, a few words.
        notes: what is to be known of the whole choice, a sentence each.
    """

    images: NDArray[np.int64]
    values: Array
    reasons: tuple[str, ...]
    clusters: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Strategy:
    """A way to choose images to label.

    Attributes:
        name: as the command line and files have it.
        summary: a few words for the help of ``--strategy``.
        choose: from candidates of which at least ``options.k`` are unlabelled, to so many of them.
        needs: what of the candidates it reads.
        options: names of the :class:`~cadsight_active.options.SelectionOptions` that it reads besides k and seed.
    """

    name: str
    summary: str
    choose: Callable[[Candidates, SelectionOptions, np.random.Generator], Choice]
    needs: frozenset[Need] = frozenset({"detections"})
    options: frozenset[str] = frozenset()

    @property
    def asks_model(self) -> bool:
        """Whether it reads anything that a model makes of images."""
        return bool(self.needs - {"common_features"})

    @property
    def reads(self) -> frozenset[str]:
        """Names of all options that its choice depends on."""
        return self.options | {"strategy", "k", "seed"}


def most(values: Array, among: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The ``count`` numbers ``among`` (M,) whose ``values`` (N,) are largest; of equal ones those that come first."""
    return among[np.argsort(-values[among], kind="stable")[:count]]
