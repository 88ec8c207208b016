"""Samples made one by one when they are taken out: the masks of a whole session would fill the memory."""

from abc import ABC, abstractmethod
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
    """The items of all ``sequences``, taken out of them when they are needed."""
    return _EndToEnd(sequences)


class OneByOne(Sequence[T], ABC):
    """A sequence whose items are made, or looked for, when they are taken out; a slice is a list."""

    @abstractmethod
    def item(self, number: int) -> T:
        """The item at ``number``, from 0 to the length."""

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        numbers = range(len(self))[index]
        return self.item(numbers) if isinstance(numbers, int) else [self.item(number) for number in numbers]


class _EndToEnd(OneByOne[T]):
    def __init__(self, sequences: Sequence[Sequence[T]]) -> None:
        self._sequences = sequences
        self._starts = np.cumsum([0, *map(len, sequences)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def item(self, number: int) -> T:
        which = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._sequences[which][number - int(self._starts[which])]
