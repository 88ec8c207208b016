"""What a kind of translator brings to its training."""

from collections.abc import Sequence
from typing import Protocol

from cadsight_learning.training.phases import Callback, Phase
from torch import nn

from cadsight_generation.translation.networks.generator import Generator


class Objective(Protocol):
    """Networks, and what their optimisers descend.

    Attributes:
        generator: from synthetic images to real ones; what is kept.
        callbacks: with what the training must keep besides.
    """

    generator: Generator
    callbacks: Sequence[Callback]

    def modules(self) -> list[nn.Module]:
        """All networks."""

    def phases(self) -> list[Phase]:
        """Their phases, in the order of a step; batches are those of
        :class:`cadsight_generation.translation.domains.batches.CropPairs`."""
