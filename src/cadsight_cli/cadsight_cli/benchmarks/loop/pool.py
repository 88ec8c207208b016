"""How quickly the pool decides of an image, with few and with many entries, and what a kill costs it.

The entries have features that vary in 32 directions and have one sign, as a network's do, one object each, and no file
of an image but the last, which opening does not ask for. Half of the images that are decided are turned from a kept one
by just less than the distance of a duplicate. Both pools are asked in turns, so that other work slows both.
"""

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_active.clustering.distances import unit
from cadsight_active.pool.features.slots import FeatureKey
from cadsight_active.pool.policy import PoolOptions
from cadsight_active.pool.pool import Pool, opened_pool
from cadsight_active.pool.seen import Seen
from cadsight_active.pool.store import DATABASE
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from numpy.typing import NDArray

from cadsight_cli.benchmarks.loop.pool_kills import survive
from cadsight_cli.progress import counted

Show = Callable[[str, dict[str, Any]], None]
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]

_SHA = "0" * 64
_FEW = 10_000
_DIRECTIONS = 32
_ROWS = 65_536
_NEAR = 0.015


@dataclass(frozen=True)
class PoolBenchmark:
    """Two pools, one of 10000 entries, in a folder of its own that vanishes."""

    entries: int = parameter(1_000_000, "entries of the larger pool", minimum=1, maximum=10_000_000)
    width: int = parameter(256, "numbers of the features of an image, and of an object", minimum=32, maximum=4096)
    objects: int = parameter(3, "detections of an image that is decided", minimum=1, maximum=100)
    decisions: int = parameter(2000, "images that each pool decides of", minimum=2, maximum=1_000_000)
    kills: int = parameter(200, "kills of a process that adds images to another pool", minimum=1, maximum=100_000)
    seed: int = parameter(0, "of everything random", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show, progress: Progress = counted) -> dict[str, dict[str, Any]]:
        """Times, bytes and what was lost."""
        speeds: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory(prefix="cadsight_pool_") as scratch, contextlib.ExitStack() as stack:
            pools: dict[str, Pool] = {}
            for name, entries in (("few", _FEW), ("many", self.entries)):
                folder = Path(scratch, name)
                self._fill(folder, entries, progress)
                first = _opening(folder)
                speeds[name] = {
                    "entries": entries,
                    "first_opening_s": first,
                    "opening_s": _opening(folder),
                    "bytes_an_entry": _bytes(folder) / entries,
                }
                pools[name] = stack.enter_context(opened_pool(folder))
            for name, figures in self._decide(pools, progress).items():
                speeds[name] |= figures
                show(name, speeds[name])
            few, many = speeds["few"], speeds["many"]
            speeds["growth"] = {k: many[k] / few[k] for k in few if k.endswith("_ms")}
            show("growth", speeds["growth"])
            speeds["kills"] = survive(Path(scratch, "killed"), self.kills, self.seed, progress)
            show("kills", speeds["kills"])
        return speeds

    def _fill(self, folder: Path, entries: int, progress: Progress) -> None:
        """What adding so many would leave, in one transaction instead of one each."""
        with opened_pool(folder) as pool:
            first = self._seen(self._features(1, 0)[0], self._features(self.objects, 1)[:1])
            image = pool.offer(np.zeros((48, 64, 3), np.uint8), first)
            for kind, number in (("image", 0), ("object", 1)):
                shards = pool.store.shards_of(FeatureKey(kind, _SHA, self.width))
                blocks = range(0, entries, _ROWS)
                for begin in progress(blocks, len(blocks), f"{kind} features"):
                    rows = self._features(min(_ROWS, entries - begin), number, begin)
                    shards.write(range(begin, begin + len(rows)), rows)
            png = pool.store.image_path(image.number or 0).read_bytes()
            last = pool.store.image_path(entries)
        with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
            names = [name for _, name, *_ in database.execute("PRAGMA table_info(image)")]
            own = {
                "number": "n",
                "sha256": "randomblob(32)",
                "image_slot": "n - 1",
                "object_slots": "slot_blob(n - 1)",
                "value": "1.0 + abs(random() % 1000) / 1000.0",
            }
            database.create_function("slot_blob", 1, lambda n: np.array([n], "<i4").tobytes())
            copied = ", ".join(own.get(name, f"image.{name}") for name in names)
            database.execute("BEGIN")
            database.execute(
                f"WITH RECURSIVE more(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < {entries}) "
                f"INSERT INTO image SELECT {copied} FROM more, image WHERE image.number = 1 AND n <= {entries}"
            )
            database.execute("UPDATE features SET rows = ?", (entries,))
            database.execute("UPDATE total SET images = ?, bytes = bytes * ?", (entries, entries))
            database.execute("COMMIT")
        last.parent.mkdir(parents=True, exist_ok=True)
        last.write_bytes(png)

    def _decide(self, pools: dict[str, Pool], progress: Progress) -> dict[str, dict[str, Any]]:
        rng = np.random.default_rng(self.seed)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in pools}
        found: dict[str, list[bool]] = {name: [] for name in pools}
        fresh = self._features(self.decisions, 2)
        objects = self._features(self.decisions * self.objects, 3).reshape(self.decisions, self.objects, -1)
        kept = {name: self._features(min(pool.store.images, _ROWS), 0) for name, pool in pools.items()}
        for number in progress(range(self.decisions), self.decisions, "decisions"):
            for name, pool in pools.items():
                alike = number % 2 == 0
                row = kept[name][rng.integers(len(kept[name]))]
                seen = self._seen(_turned(row, rng) if alike else fresh[number], objects[number])
                began = time.perf_counter(), time.thread_time()
                decision = pool.decide(seen)
                took[name].append((time.perf_counter() - began[0], time.thread_time() - began[1]))
                if alike:
                    found[name].append(decision.verdict == "duplicate")
        return {
            name: {
                "p50_ms": _percentile(times, 0, 50),
                "p99_ms": _percentile(times, 0, 99),
                # Of the one thread, so without what other programs take of its core.
                "cpu_p50_ms": _percentile(times, 1, 50),
                "cpu_p99_ms": _percentile(times, 1, 99),
                "duplicates_found": float(np.mean(found[name])),
            }
            for name, times in took.items()
        }

    def _features(self, count: int, kind: int, first: int = 0) -> NDArray[np.float32]:
        """(``count``, width): some of one endless list of each ``kind``, from a row on that begins a block."""
        mixing = np.random.default_rng([self.seed, 9]).standard_normal((_DIRECTIONS, self.width), np.float32)
        return np.concatenate([*self._blocks(count, kind, first, mixing)])

    def _blocks(self, count: int, kind: int, first: int, mixing: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        for begin in range(first, first + count, _ROWS):
            rng = np.random.default_rng([self.seed, kind, begin])
            drawn = rng.standard_normal((min(_ROWS, first + count - begin), _DIRECTIONS), np.float32)
            yield np.maximum(drawn @ mixing / np.float32(_DIRECTIONS**0.5) + 1, 0) + np.float32(0.01)

    def _seen(self, features: NDArray[np.float32], objects: NDArray[np.float32]) -> Seen:
        count = len(objects)
        return Seen(0, np.zeros((count, 4)), np.full((count, 2), 0.5), objects, features, _SHA, _SHA)


def _turned(row: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """``row`` (D,) turned by a cosine distance of just less than a duplicate's, in a direction at random."""
    row = unit(row[None])[0]
    aside = rng.standard_normal(len(row), np.float32)
    turned: NDArray[np.float32] = (
        row * (1 - _NEAR) + unit((aside - aside @ row * row)[None])[0] * (1 - (1 - _NEAR) ** 2) ** 0.5
    )
    return turned


def _percentile(times: list[tuple[float, float]], which: int, per_cent: int) -> float:
    return float(np.percentile([one[which] for one in times], per_cent) * 1e3)


def _opening(folder: Path) -> float:
    began = time.perf_counter()
    with opened_pool(folder, PoolOptions()):
        return time.perf_counter() - began


def _bytes(folder: Path) -> int:
    """Of all that is no image."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".png")
    return sum(path.stat().st_size for path in files)
