"""The pool on the disk: records in SQLite, features in shards beside, images as files.

An image is written first, then its features, then its record in one transaction, each on the disk before the next: what
is acknowledged has all three, and what a kill leaves behind belongs to no record. Leftovers have known names (the next
number's, and those that the table ``going`` lists) and vanish when the pool is opened again.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import alone_in, halves_of, make_folder, writing_atomically
from numpy.typing import NDArray

from cadsight_active.pool.features.shards import Shards, sync_folder
from cadsight_active.pool.features.slots import SLOTS_SCHEMA, FeatureKey, FeatureSet, FeatureSlots
from cadsight_active.pool.seen import STATES, Record, Seen, State, Why, sha256_of

DATABASE = "pool.sqlite"
_APPLICATION, _VERSION = 0x43445350, 1  # "CDSP"
_SCHEMA = f"""
BEGIN;
CREATE TABLE IF NOT EXISTS image(
    number INTEGER PRIMARY KEY AUTOINCREMENT, stamp_ns INTEGER NOT NULL, came_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL UNIQUE, bytes INTEGER NOT NULL, model BLOB NOT NULL, image_model BLOB NOT NULL,
    image_set INTEGER, image_slot INTEGER NOT NULL, object_set INTEGER, object_slots BLOB NOT NULL,
    boxes BLOB NOT NULL, scores BLOB NOT NULL, reason TEXT NOT NULL, uncertainty REAL NOT NULL, novelty REAL NOT NULL,
    value REAL NOT NULL, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS goes_first ON image(value, number) WHERE state = 'new';
CREATE INDEX IF NOT EXISTS by_state ON image(state, number);
{SLOTS_SCHEMA}CREATE TABLE IF NOT EXISTS again(
    number INTEGER, features INTEGER, slot INTEGER, PRIMARY KEY(number, features, slot)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS going(number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS total(id INTEGER PRIMARY KEY CHECK(id = 1), images INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES(1, 0, 0);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS = (
    "number, stamp_ns, came_ns, sha256, bytes, model, image_model, image_slot, object_slots, boxes, scores, reason, "
    "uncertainty, novelty, value, state"
)
_FOLDER_OF = 1000
# A record's own bytes beside image, features and arrays, for the cap.
_RECORD_BYTES = 400


class DiskRefusedError(CadsightError):
    """The disk did not take what was to be kept; what was kept before is whole."""


@dataclass(frozen=True, eq=False)
class Added:
    """What :meth:`Store.add` did.

    Attributes:
        number: of the image.
        image_slot, object_slots: where its features are, -1 and () where it has none.
        gone: the numbers of the images that had to go for it.
        freed: the slots of their features.
    """

    number: int
    image_slot: int
    object_slots: tuple[int, ...]
    gone: tuple[int, ...] = ()
    freed: tuple[tuple[FeatureKey, tuple[int, ...]], ...] = ()


@contextlib.contextmanager
def opened_store(folder: str | Path) -> Iterator["Store"]:
    """The pool in ``folder``, made where it is missing, for this process alone.

    Raises:
        CadsightError: while another process has it open, for a folder with other files, and for a damaged database.
    """
    folder = Path(folder)
    with alone_in(folder):
        if not (folder / DATABASE).exists() and any(folder.iterdir()):
            raise CadsightError(f"{folder} holds files and no {DATABASE}, expected a pool or an empty folder")
        with contextlib.ExitStack() as stack:
            with _sentences(folder):
                database = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
                stack.callback(database.close)
                store = Store(folder, database)
            yield store


class Store:
    """Images with what was seen in them. Made by :func:`opened_store`; safe between threads."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self.folder = folder
        self._database = database
        self._lock = threading.RLock()
        self._slots = FeatureSlots(folder, database)
        self._open()
        self._clean()

    def add(self, png: bytes, seen: Seen, why: Why, max_bytes: int) -> Added | None:
        """Keep an image (the bytes of its file) with what was seen in it; when this returns, it is on the disk.

        Where it makes the pool larger than ``max_bytes``, the least informative of the new images go, of equals the
        oldest, and none that is selected, labelled or audited. None: all that may go are as informative as it is, or
        more, so it is not kept.

        Raises:
            DiskRefusedError: when the disk is full or refuses the bytes; the pool stays as it was.
            CadsightError: when the same file is in the pool.
        """
        with self._lock, self._refused():
            sha256 = sha256_of(png)
            same = self.number_of(sha256)
            if same is not None:
                raise CadsightError(f"the image {same} is the same file, expected another image")
            size = len(png) + 4 * (seen.boxes.size + seen.scores.size) + _RECORD_BYTES
            size += 2 * (seen.image_features.size + seen.object_features.size)
            going = self._goes(self.size_bytes + size - max_bytes, why.value)
            if going is None:
                return None
            number = self._next()
            path = self.image_path(number)
            try:
                added = self._add(number, path, png, bytes.fromhex(sha256), size, seen, why, going)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            # The image is kept: what fails from here on is done again when the pool is opened.
            with contextlib.suppress(OSError, sqlite3.Error):
                self._unlink_going()
            return added

    def know(self, described: Mapping[int, Seen]) -> int:
        """Keep the features that other networks make of kept images, by their numbers, beside those they came with.

        Returns:
            Of how many images there was something to keep: others are not in the pool any more, or had it already.

        Raises:
            DiskRefusedError: when the disk is full or refuses the bytes; the pool stays as it was.
        """
        with self._lock, self._refused(), self._transaction():
            wanted: dict[FeatureKey, dict[int, NDArray[np.floating]]] = {}
            for number, seen in described.items():
                for key, vectors in self._unknown(number, seen):
                    wanted.setdefault(key, {})[number] = vectors
            for key, by_image in wanted.items():
                of, slots = self._slots.write(key.kind, key.model, np.concatenate(list(by_image.values())))
                numbers = [number for number, vectors in by_image.items() for _ in vectors]
                rows = [(number, of, slot) for number, slot in zip(numbers, slots, strict=True)]
                self._database.executemany("INSERT INTO again VALUES(?, ?, ?)", rows)
                sizes = [(2 * vectors.size, number) for number, vectors in by_image.items()]
                self._database.executemany("UPDATE image SET bytes = bytes + ? WHERE number = ?", sizes)
                self._database.execute("UPDATE total SET bytes = bytes + ?", (sum(size for size, _ in sizes),))
            return len({number for by_image in wanted.values() for number in by_image})

    def mark(self, numbers: Iterable[int], state: State) -> None:
        """Give images another state, all or none. Those of the audit stay there for ever.

        Raises:
            CadsightError: for a number that is not in the pool, a state that is none, or an image of the audit.
            DiskRefusedError: when the disk refuses it.
        """
        if state not in STATES:
            raise CadsightError(f"the state is {state!r}, expected one of {', '.join(STATES)}")
        numbers = list(numbers)
        with self._lock, self._refused(), self._transaction():
            for number in numbers:
                if self.record(number).state == "audit" != state:
                    raise CadsightError(f"the image {number} is held out for ever, expected one that is not audited")
                self._database.execute("UPDATE image SET state = ? WHERE number = ?", (state, number))

    def record(self, number: int) -> Record:
        """One image.

        Raises:
            CadsightError: when it is not in the pool.
        """
        with self._lock:
            row = self._database.execute(f"SELECT {_COLUMNS} FROM image WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise CadsightError(f"the image {number} is not in the pool {self.folder}, expected one that is")
        return _record(row)

    def records(self, *states: State) -> Iterator[Record]:
        """All images in the order in which they came; with ``states`` those of these alone."""
        where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        last = -1
        while True:
            clause = f"{where} {'AND' if where else 'WHERE'} number > ?"
            with self._lock:
                rows = self._database.execute(
                    f"SELECT {_COLUMNS} FROM image {clause} ORDER BY number LIMIT 1000", (*states, last)
                ).fetchall()
            if not rows:
                return
            yield from map(_record, rows)
            last = rows[-1][0]

    def count(self, state: State, after: int = -1) -> int:
        """How many images in a state have a number above ``after``; no record is read."""
        with self._lock:
            row = self._database.execute("SELECT COUNT(*) FROM image WHERE state = ? AND number > ?", (state, after))
            return int(row.fetchone()[0])

    def newest(self, count: int) -> list[int]:
        """The numbers of so many images that came last, in the order in which they came."""
        with self._lock:
            rows = self._database.execute("SELECT number FROM image ORDER BY number DESC LIMIT ?", (count,)).fetchall()
        return [number for (number,) in reversed(rows)]

    def last(self, state: State) -> int | None:
        """The number of the newest image in a state; None where there is none."""
        with self._lock:
            row = self._database.execute("SELECT MAX(number) FROM image WHERE state = ?", (state,)).fetchone()
        return None if row[0] is None else int(row[0])

    def number_of(self, sha256: str) -> int | None:
        """The image whose file has this SHA-256; None where none has.

        Raises:
            DiskRefusedError: when the disk cannot be read.
        """
        with self._lock, self._refused():
            row = self._database.execute(
                "SELECT number FROM image WHERE sha256 = ?", (bytes.fromhex(sha256),)
            ).fetchone()
        return None if row is None else int(row[0])

    def image_path(self, number: int) -> Path:
        """The file of an image."""
        return self.folder / "images" / f"{number // _FOLDER_OF:06d}" / f"{number:09d}.png"

    @property
    def images(self) -> int:
        """How many there are."""
        return int(self._total()[0])

    @property
    def size_bytes(self) -> int:
        """Of all images with their features and records."""
        return int(self._total()[1])

    def feature_sets(self) -> list[FeatureSet]:
        """Where the features of each network are."""
        with self._lock:
            return self._slots.sets()

    def feature_sets_of_last(self) -> list[FeatureSet]:
        """Those of them that have the features of the image that came last."""
        with self._lock:
            row = self._database.execute(
                "SELECT image_set, object_set FROM image ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return [one for one in self.feature_sets() if row is not None and one.number in row]

    def features_of(self, record: Record) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Features (D,) of the image and (K, E) of its objects, as they are on the disk; (0,) and (K, 0) of none.

        Raises:
            CadsightError: when they cannot be read.
        """
        with self._lock:
            sets = self._database.execute(
                "SELECT image_set, object_set FROM image WHERE number = ?", (record.number,)
            ).fetchone()
            image, objects = (None if one is None else self._slots.shards(one) for one in sets)
        none = np.zeros((len(record.boxes), 0), np.float16)
        return (
            np.zeros(0, np.float16) if image is None else image.rows(np.array([record.image_slot]))[0],
            none if objects is None else objects.rows(record.object_slots),
        )

    def shards_of(self, key: FeatureKey) -> Shards:
        """The files of features, of which there are some.

        Raises:
            CadsightError: when there are none.
        """
        with self._lock:
            number = self._slots.number_of(key)
            if number is None:
                raise CadsightError(f"the pool {self.folder} has no {key.kind} features of {key.model}, expected some")
            return self._slots.shards(number)

    def _add(
        self,
        number: int,
        path: Path,
        png: bytes,
        sha256: bytes,
        size: int,
        seen: Seen,
        why: Why,
        going: Sequence[Record],
    ) -> Added:
        if not path.parent.exists():
            make_folder(path.parent)
            sync_folder(path.parent.parent)
            sync_folder(self.folder)
        with writing_atomically(path) as file:
            file.write(png)
        sync_folder(path.parent)
        database = self._database
        with self._transaction():
            image_set, image_slots = self._slots.write("image", seen.image_model, seen.image_features[None])
            object_set, object_slots = self._slots.write("object", seen.model, seen.object_features)
            boxes, scores = (np.asarray(a, "<f4").tobytes() for a in (seen.boxes, seen.scores))
            slot = image_slots[0] if image_slots else -1
            values = (
                *(number, seen.stamp_ns, time.time_ns(), sha256, size, bytes.fromhex(seen.model)),
                *(bytes.fromhex(seen.image_model), image_set, slot, object_set),
                *(np.array(object_slots, "<i4").tobytes(), boxes, scores, why.reason, why.uncertainty, why.novelty),
                *(why.value, "new"),
            )
            database.execute(f"INSERT INTO image VALUES({', '.join('?' * len(values))})", values)
            freed: dict[int, list[int]] = {}
            for record in going:
                for of, slots in self._let_go(record).items():
                    freed.setdefault(of, []).extend(slots)
            size -= sum(record.bytes for record in going)
            database.execute("UPDATE total SET images = images + ?, bytes = bytes + ?", (1 - len(going), size))
        keys = tuple((self._slots.key(of), tuple(slots)) for of, slots in freed.items())
        return Added(number, slot, tuple(object_slots), tuple(record.number for record in going), keys)

    def _goes(self, too_many: int, value: float) -> list[Record] | None:
        """Images less informative than ``value`` that go for ``too_many`` bytes; None where all are not enough."""
        if too_many <= 0:
            return []
        found, freed = [], 0
        cursor = self._database.execute(
            "SELECT number, bytes FROM image WHERE state = 'new' AND value < ? ORDER BY value, number", (value,)
        )
        for number, size in cursor:
            found.append(number)
            freed += size
            if freed >= too_many:
                cursor.close()
                return [self.record(number) for number in found]
        return None

    def _unknown(self, number: int, seen: Seen) -> Iterator[tuple[FeatureKey, NDArray[np.floating]]]:
        """Features (K, D) in ``seen`` that the image has none of yet; none where it is not in the pool."""
        row = self._database.execute("SELECT image_model, model FROM image WHERE number = ?", (number,)).fetchone()
        if row is None:
            return
        both = (("image", seen.image_model, seen.image_features[None]), ("object", seen.model, seen.object_features))
        for (kind, model, vectors), own in zip(both, row, strict=True):
            key = FeatureKey(kind, model, vectors.shape[1])
            if not vectors.size or model == own.hex():
                continue
            asked = (number, self._slots.number_of(key))
            if not self._database.execute("SELECT 1 FROM again WHERE number = ? AND features = ?", asked).fetchone():
                yield key, vectors

    def _let_go(self, record: Record) -> dict[int, list[int]]:
        """Delete an image's record; the slots that its features had, by the number of their set."""
        database = self._database
        image_set, object_set = database.execute(
            "SELECT image_set, object_set FROM image WHERE number = ?", (record.number,)
        ).fetchone()
        slots = {} if image_set is None else {int(image_set): [record.image_slot]}
        if object_set is not None:
            slots[int(object_set)] = record.object_slots.tolist()
        for of, slot in database.execute("SELECT features, slot FROM again WHERE number = ?", (record.number,)):
            slots.setdefault(of, []).append(slot)
        database.execute("DELETE FROM again WHERE number = ?", (record.number,))
        self._slots.let_go(slots)
        database.execute("INSERT INTO going VALUES(?)", (record.number,))
        database.execute("DELETE FROM image WHERE number = ?", (record.number,))
        return slots

    def _open(self) -> None:
        database = self._database
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (application, version) != (_APPLICATION, _VERSION):
            raise CadsightError(f"{self.folder / DATABASE} is no pool of version {_VERSION}, expected one")
        if not tables:
            database.executescript(_SCHEMA)

    def _clean(self) -> None:
        self._unlink_going()
        # A commit whose end the disk refused may have come through, when its image was taken back already.
        last = self._database.execute("SELECT max(number) FROM image").fetchone()[0]
        if last is not None and not self.image_path(last).exists():
            record = self.record(last)
            with self._transaction():
                self._let_go(record)
                self._database.execute("UPDATE total SET images = images - 1, bytes = bytes - ?", (record.bytes,))
            self._unlink_going()
        path = self.image_path(self._next())
        for left in (path, *halves_of(path)):
            left.unlink(missing_ok=True)
        for one in self.feature_sets():
            one.shards.clean()

    def _unlink_going(self) -> None:
        numbers = [number for (number,) in self._database.execute("SELECT number FROM going").fetchall()]
        for number in numbers:
            self.image_path(number).unlink(missing_ok=True)
        if numbers:
            self._database.execute("DELETE FROM going")

    def _next(self) -> int:
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'image'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def _total(self) -> tuple[int, int]:
        with self._lock:
            found: tuple[int, int] = self._database.execute("SELECT images, bytes FROM total").fetchone()
        return found

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._slots.forget()
            if self._database.in_transaction:
                self._database.rollback()
            raise

    @contextlib.contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise DiskRefusedError(f"the pool {self.folder} could not be extended: {_words(error)}") from error
        except CadsightError as error:
            if isinstance(error.__cause__, OSError):
                raise DiskRefusedError(f"the pool {self.folder} could not be extended: {error}") from error
            raise


@contextlib.contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise CadsightError(f"the pool {folder} could not be read: {_words(error)}, expected a whole pool") from error


def _words(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _record(row: tuple) -> Record:
    (number, stamp_ns, came_ns, sha256, size, model, image_model, image_slot, object_slots, boxes, scores) = row[:11]
    reason, uncertainty, novelty, value, state = row[11:]
    corners = np.frombuffer(boxes, "<f4").reshape(-1, 4)
    classes = np.frombuffer(scores, "<f4")
    return Record(
        number,
        stamp_ns,
        came_ns,
        sha256.hex(),
        size,
        model.hex(),
        image_model.hex(),
        Why(reason, uncertainty, novelty, value),
        state,
        corners,
        classes.reshape(len(corners), -1) if len(corners) else classes.reshape(0, 0),
        image_slot,
        np.frombuffer(object_slots, "<i4"),
    )
