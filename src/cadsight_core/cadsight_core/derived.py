"""Samples made one by one when they are taken out: the masks of a whole session would fill the memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

import numpy as np

from cadsight_core.sample import Sample

T = TypeVar("T")


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


def end_to_end(*sequences: Sequence[T]) -> Sequence[T]:
    """The items of all ``sequences``, taken out of them when they are wanted."""
    return _EndToEnd(sequences)


class _EndToEnd(Sequence[T]):
    def __init__(self, sequences: Sequence[Sequence[T]]) -> None:
        self._sequences = sequences
        self._starts = np.cumsum([0, *map(len, sequences)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        which = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._sequences[which][number - int(self._starts[which])]
