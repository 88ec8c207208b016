"""What a generator learns from: a set that stays, and generated images beside it that may become more meanwhile."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading
from torch import Tensor

from cadsight_generation.data.stack import FoundImages, ImageStack, Wanted, find_images, read_stack, same_shape

GENERATED = "generated"


class TrainingImages:
    """Images to learn from, those that are there and generated ones that are added.

    Of the generated ones no more are taken than there are others: they are at most half of the set. They count as
    generated wherever they came from, and never as real.

    Attributes:
        own: the images that stay.
        added: contents of the generated images that were taken, in the order in which they came.
    """

    def __init__(
        self, own: ImageStack, wanted: Wanted, generated: Sequence[str | Path] = (), reading: Reading | None = None
    ) -> None:
        """``generated`` are folders or data sets.

        Raises:
            CadsightError: for generated images among ``own``, and as :meth:`grow`.
        """
        made = own.origins.count(GENERATED)
        if made:
            raise CadsightError(
                f"{made} of the {len(own)} images to learn from are generated, expected them by --add-generated, which "
                "never takes them for real ones"
            )
        self.own = own
        self.added: list[str] = []
        self._pixels = [own.pixels]
        self._wanted = dataclasses.replace(wanted, masks=own.label != "")
        self._generated, self._reading = tuple(generated), reading
        self.grow()

    @property
    def pixels(self) -> Tensor:
        """(N, C, size, size) uint8: those that stay, then the added ones."""
        return torch.cat(self._pixels) if len(self._pixels) > 1 else self._pixels[0]

    def grow(self) -> int:
        """Take the generated images that are new, as many as may be; returns how many these are.

        Raises:
            CadsightError: for a set that cannot be read, or whose images are of another shape.
        """
        if not self._generated:
            return 0
        found = find_images(self._generated, self._reading)
        known = {*self.own.contents, *self.added}
        taken = [c for c in found.samples if c not in known][: len(self.own) - len(self.added)]
        self._add(found, taken)
        return len(taken)

    def restore(self, added: Sequence[str]) -> None:
        """Have those generated images that a training had when it was interrupted, in its order.

        Raises:
            CadsightError: where one is gone.
        """
        self.added, self._pixels = [], [self.own.pixels]
        if not added:
            return
        if not self._generated:
            raise CadsightError(f"the training had {len(added)} generated images, expected --add-generated to go on")
        found = find_images(self._generated, self._reading)
        gone = [c for c in added if c not in found.samples]
        if gone:
            raise CadsightError(
                f"{len(gone)} of {len(added)} generated images that the training had are gone from {found.named}, "
                "expected all of them to go on"
            )
        self._add(found, added)

    def _add(self, found: FoundImages, contents: Sequence[str]) -> None:
        if not contents:
            return
        stack = read_stack(found.only(contents), self._wanted)
        if not same_shape(stack.aspect, self.own.aspect):
            raise CadsightError(
                f"the images of {found.named} are {stack.aspect:.2f} times as wide as high, expected "
                f"{self.own.aspect:.2f} as the others"
            )
        self.added += contents
        self._pixels.append(stack.pixels)
