"""The nearest of a million features in a time that does not grow with them.

The newest rows are all compared. Of the others, each of 16 tables sorts the rows by a code of 16 bits (which side of
random planes they lie on; an LSH forest, Bawa, Condie and Ganesan 2005), and only the 32 rows around the place of the
asked one in each table are compared: 512 at most, however many there are.

What may be missed: a row is found where at least one table sorts it beside the asked one, which is the likelier the
nearer it is. So the distance that it gives is never too small, but may be too large: an image may be kept beside one
that is alike, and none is left out for a likeness that there is not. `cadsight benchmark pool` measures how many are
missed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_active.clustering.distances import unit
from cadsight_active.pool.features.planes import CODES, TABLES, Planes

Floats = NDArray[np.floating]
Slots = NDArray[np.int64]

# The newest rows, which are all compared; sorted into the tables when there are so many.
NEWEST = 2048
# Rows of each table that are compared.
WINDOW = 32
# Planes are made anew when there are so many times as many rows, up to a number of which more change little.
_ANEW, _ENOUGH = 8, 100_000
_SAMPLE = 16_384
# Rows lie in blocks of at most half a gigabyte, which the system gives page by page as they are written.
_BLOCK_BYTES = 1 << 29
# A row of zeros is as far from everything as one at a right angle.
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest known row of each of K asked ones.

    Attributes:
        distances: (K,) cosine distances, 0 to 2; infinite where nothing is known.
        slots: (K,) where it is; -1 where nothing is known.
    """

    distances: Array
    slots: Slots


class Neighbours:
    """Features in memory, each in a slot, by which the nearest one is found.

    Args:
        width: numbers of a row.
        seed: of the planes.
        planes: those that ``codes`` were made by.
    """

    def __init__(self, width: int, seed: int = 0, planes: Planes | None = None) -> None:
        self.width, self.planes = width, planes
        self._seed = seed
        self._bits = (_BLOCK_BYTES // (2 * width)).bit_length() - 1
        self._block = 1 << self._bits
        self._blocks: list[NDArray[np.float16]] = []
        self._rows = 0
        self._there = np.zeros(0, bool)
        self._codes: NDArray[np.uint16] = np.zeros((0, TABLES), np.uint16)
        self._order = np.zeros((TABLES, 0), np.uint32)
        self._starts = np.zeros((TABLES, CODES + 1), np.int64)
        self._newest = np.zeros((NEWEST, width), np.float32)
        self._newest_slots = np.zeros(NEWEST, np.int64)
        self._new = 0

    def __len__(self) -> int:
        return int(self._there[: self._rows].sum())

    @property
    def rows(self) -> int:
        """Slots in use or free again."""
        return self._rows

    def fill(self, rows: int, free: Slots, known: NDArray[np.uint16]) -> list[NDArray[np.float16]]:
        """Make room for ``rows`` stored rows of which the slots ``free`` hold none.

        Args:
            known: (n, 16) codes of the first slots by the planes.

        Returns:
            Arrays (n, D) to put the rows into, in order, before :meth:`sort`.
        """
        self._grow(rows)
        self._rows = rows
        self._there[:rows] = True
        self._there[free] = False
        self._codes[: min(len(known), rows)] = known[:rows]
        blocks = enumerate(self._blocks)
        return [b[: max(0, min(self._block, rows - n * self._block))] for n, b in blocks]

    def sort(self, first: int = 0) -> bool:
        """Sort all rows into the tables; those from the slot ``first`` on get their codes before.

        Returns:
            Whether the planes were made anew, and with them all codes.
        """
        there = np.flatnonzero(self._there[: self._rows])
        anew = self._needs_planes(len(there))
        if anew:
            rng = np.random.default_rng(self._seed)
            some = there if len(there) <= _SAMPLE else np.sort(rng.choice(there, _SAMPLE, replace=False))
            self.planes = Planes.of(unit(self._taken(some, np.float32)), len(there), self._seed)
            first = 0
        if self.planes is None:
            self._renew(there)
            return False
        for begin in range(first, self._rows, 65_536):
            some = np.arange(begin, min(begin + 65_536, self._rows))
            self._codes[some] = self.planes.codes(unit(self._taken(some, np.float32)))
        order = np.empty((TABLES, len(there)), np.uint32)
        for table in range(TABLES):
            codes = self._codes[there, table]
            order[table] = there[np.argsort(codes, kind="stable")]
            self._starts[table, 1:] = np.cumsum(np.bincount(codes, minlength=CODES))
        self._order, self._new = order, 0
        return anew

    def put(self, slots: Slots, vectors: Floats) -> bool:
        """Know ``vectors`` (K, D) too, in ``slots`` (K,), which are free or the next ones.

        Returns:
            As :meth:`sort`, which this does once in 2048 rows: 0.3 s with a million.
        """
        anew = False
        self._grow(int(slots.max(initial=-1)) + 1)
        for slot, vector in zip(slots.tolist(), np.asarray(vectors, np.float16), strict=True):
            if self._new == NEWEST:
                anew |= self.sort(self._rows)
            self._blocks[slot >> self._bits][slot & (self._block - 1)] = vector
            self._rows = max(self._rows, slot + 1)
            self._there[slot] = True
            row = unit(vector[None].astype(np.float32))
            if self.planes is not None:
                self._codes[slot] = self.planes.codes(row)[0]
            # Taken again, the slot has another row than it had before.
            self._newest_slots[: self._new][self._newest_slots[: self._new] == slot] = -1
            self._newest[self._new], self._newest_slots[self._new] = row[0], slot
            self._new += 1
        return anew

    def forget(self, slots: Slots) -> None:
        """Free ``slots``."""
        self._there[slots] = False

    def codes(self, slots: Slots) -> NDArray[np.uint16]:
        """(K, 16) of ``slots`` by the planes."""
        return self._codes[slots]

    def vectors(self, slots: Slots) -> NDArray[np.float16]:
        """(K, D) in ``slots``."""
        return self._taken(slots, np.float16)

    def nearest(self, vectors: Floats) -> Found:
        """The nearest that is found of each of ``vectors`` (K, D)."""
        asked = unit(np.asarray(vectors, np.float32))
        slots, similar = self._among_newest(asked)
        if self._order.shape[1]:
            candidates = self._candidates(asked)
            near = self._taken(candidates.ravel(), np.float32).reshape(*candidates.shape, self.width)
            found = np.einsum("kcd,kd->kc", near, asked)
            found /= np.maximum(np.sqrt(np.einsum("kcd,kcd->kc", near, near)), _LEAST)
            found[~self._there[candidates]] = -np.inf
            best = found.argmax(axis=1)
            value = found[np.arange(len(asked)), best]
            nearer = value > similar
            similar = np.where(nearer, value, similar)
            slots = np.where(nearer, candidates[np.arange(len(asked)), best], slots)
        nothing = ~np.isfinite(similar)
        return Found(np.where(nothing, np.inf, np.maximum(1.0 - similar, 0.0)), np.where(nothing, -1, slots))

    def _taken(self, slots: Slots, kind: type) -> NDArray[Any]:
        if len(self._blocks) == 1:
            return self._blocks[0].take(slots, axis=0, mode="clip").astype(kind, copy=False)
        out: NDArray[Any] = np.empty((len(slots), self.width), kind)
        blocks = slots >> self._bits
        for number, block in enumerate(self._blocks):
            mine = np.flatnonzero(blocks == number)
            out[mine] = block.take(slots[mine] & (self._block - 1), axis=0, mode="clip")
        return out

    def _among_newest(self, asked: NDArray[np.float32]) -> tuple[Slots, Array]:
        if not self._new:
            return np.full(len(asked), -1), np.full(len(asked), -np.inf)
        slots = self._newest_slots[: self._new]
        # Not by BLAS, as nowhere in a decision: its threads wait for each other, long where other work has the cores.
        found = np.einsum("kd,nd->kn", asked, self._newest[: self._new])
        found[:, (slots < 0) | ~self._there[slots]] = -np.inf
        best = found.argmax(axis=1)
        return slots[best], found[np.arange(len(asked)), best].astype(float)

    def _candidates(self, asked: NDArray[np.float32]) -> Slots:
        """(K, 16 windows) slots beside the place of each asked row (K, D) in each table."""
        assert self.planes is not None
        codes = self.planes.codes(asked).astype(np.int64)
        tables = np.arange(TABLES)
        count = self._order.shape[1]
        window = min(WINDOW, count)
        low, high = self._starts[tables, codes], self._starts[tables, codes + 1]
        # Of more rows with the same code the last; of fewer also those on both sides, whose codes begin alike.
        first = np.where(high - low >= window, high - window, low - (window - (high - low)) // 2)
        first = np.clip(first, 0, count - window)
        places = first[:, :, None] + np.arange(window)
        return self._order[tables[None, :, None], places].reshape(len(asked), -1).astype(np.int64)

    def _needs_planes(self, there: int) -> bool:
        if there < NEWEST:
            return False
        return self.planes is None or (self.planes.made_for < _ENOUGH and there >= _ANEW * self.planes.made_for)

    def _renew(self, there: Slots) -> None:
        """Before there are planes: all rows are the newest."""
        self._new = len(there)
        self._newest_slots[: self._new] = there
        self._newest[: self._new] = unit(self._taken(there, np.float32))

    def _grow(self, rows: int) -> None:
        while len(self._blocks) * self._block < rows:
            self._blocks.append(np.empty((self._block, self.width), np.float16))
        if len(self._there) < rows:
            room = max(rows, 2 * len(self._there), 1024)
            self._there = np.concatenate([self._there, np.zeros(room - len(self._there), bool)])
            self._codes = np.concatenate([self._codes, np.zeros((room - len(self._codes), TABLES), np.uint16)])
