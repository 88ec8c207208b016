"""Samples made one by one when they are taken out: the masks of a whole session would fill the memory."""

from collections.abc import Callable, Sequence
from typing import overload

from cadsight_core.sample import Sample


class DerivedSamples(Sequence[Sample]):
    """``make(number)`` for each of ``numbers``; nothing is kept."""

    def __init__(self, make: Callable[[int], Sample], numbers: Sequence[int]) -> None:
        self._make, self._numbers = make, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> "DerivedSamples": ...

    def __getitem__(self, index: int | slice) -> "Sample | DerivedSamples":
        if isinstance(index, slice):
            return DerivedSamples(self._make, self._numbers[index])
        return self._make(self._numbers[index])
