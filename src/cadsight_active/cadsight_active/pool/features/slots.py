"""Where the features of each network are: which slots of its shards are in use, in the pool's database."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.storage.files import make_folder
from numpy.typing import NDArray

from cadsight_active.pool.features.shards import Shards, sync_folder

SLOTS_SCHEMA = """
CREATE TABLE IF NOT EXISTS features(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, model BLOB NOT NULL, width INTEGER NOT NULL, rows INTEGER NOT NULL,
    UNIQUE(kind, model, width)
);
CREATE TABLE IF NOT EXISTS free(features INTEGER, slot INTEGER, PRIMARY KEY(features, slot)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class FeatureKey:
    """What features have in common that are compared with each other.

    Attributes:
        kind: "image" or "object".
        model: SHA-256 of the network.
        width: numbers of a row.
    """

    kind: str
    model: str
    width: int


@dataclass(frozen=True)
class FeatureSet:
    """Where the features of one network are.

    Attributes:
        rows: slots that are in use or free again.
        free: slots below ``rows`` that hold nothing.
    """

    number: int
    key: FeatureKey
    rows: int
    free: tuple[int, ...]
    shards: Shards


class FeatureSlots:
    """The feature sets of the pool in ``folder``. What changes its database is called in a transaction."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self._folder, self._database = folder, database
        self._shards: dict[int, Shards] = {}

    def sets(self) -> list[FeatureSet]:
        """All sets, the first that was made first."""
        rows = self._database.execute("SELECT id, rows FROM features ORDER BY id").fetchall()
        return [FeatureSet(n, self.key(n), count, self._free(n), self.shards(n)) for n, count in rows]

    def number_of(self, key: FeatureKey) -> int | None:
        """The set with this key; None where there is none."""
        row = self._database.execute(
            "SELECT id FROM features WHERE kind = ? AND model = ? AND width = ?", _columns(key)
        ).fetchone()
        return None if row is None else int(row[0])

    def key(self, number: int) -> FeatureKey:
        """What the set ``number`` holds."""
        kind, model, width = self._database.execute(
            "SELECT kind, model, width FROM features WHERE id = ?", (number,)
        ).fetchone()
        return FeatureKey(kind, model.hex(), width)

    def write(self, kind: str, model: str, vectors: NDArray[np.floating]) -> tuple[int | None, list[int]]:
        """Write ``vectors`` (K, D) into free slots: (the number of their set, the slots), no set where K or D is 0.

        Raises:
            OSError: when the disk refuses them.
        """
        count, width = vectors.shape
        if not count or not width:
            return None, []
        database, key = self._database, FeatureKey(kind, model, width)
        database.execute("INSERT OR IGNORE INTO features(kind, model, width, rows) VALUES(?, ?, ?, 0)", _columns(key))
        number = self.number_of(key)
        assert number is not None
        (rows,) = database.execute("SELECT rows FROM features WHERE id = ?", (number,)).fetchone()
        found = database.execute("SELECT slot FROM free WHERE features = ? ORDER BY slot LIMIT ?", (number, count))
        slots = [int(slot) for (slot,) in found]
        database.executemany("DELETE FROM free WHERE features = ? AND slot = ?", [(number, slot) for slot in slots])
        more = count - len(slots)
        database.execute("UPDATE features SET rows = rows + ? WHERE id = ?", (more, number))
        slots += range(rows, rows + more)
        self.shards(number).write(slots, vectors)
        return number, slots

    def let_go(self, slots: Mapping[int, Iterable[int]]) -> None:
        """Free slots, by the number of their set."""
        rows = [(number, slot) for number, some in slots.items() for slot in some]
        self._database.executemany("INSERT INTO free VALUES(?, ?)", rows)

    def shards(self, number: int) -> Shards:
        """The files of the set ``number``."""
        if number not in self._shards:
            key = self.key(number)
            folder = self._folder / "features" / f"{key.kind}-{key.model}-{key.width}"
            make_folder(folder)
            for one in (folder.parent, self._folder):
                sync_folder(one)
            self._shards[number] = Shards(folder, key.width)
        return self._shards[number]

    def forget(self) -> None:
        """A transaction was rolled back: the numbers of sets that were made in it may be given to others."""
        self._shards.clear()

    def _free(self, number: int) -> tuple[int, ...]:
        rows = self._database.execute("SELECT slot FROM free WHERE features = ? ORDER BY slot", (number,)).fetchall()
        return tuple(slot for (slot,) in rows)


def _columns(key: FeatureKey) -> tuple[str, bytes, int]:
    return key.kind, bytes.fromhex(key.model), key.width
