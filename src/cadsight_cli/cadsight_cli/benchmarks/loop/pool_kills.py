"""What a pool keeps when the process that adds images is killed again and again."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_active.pool.pool import opened_pool
from cadsight_active.pool.seen import Seen, sha256_of

_SHA = "0" * 64
_WIDTH = 256
# Seconds after an image was acknowledged: as long as a few more take.
_LONGEST_S = 0.05


def survive(
    folder: Path, kills: int, seed: int, progress: Callable[[Iterable[Any], int, str], Iterable[Any]]
) -> dict[str, Any]:
    """Kill a process that adds images so many times; what was acknowledged, and how much of it is whole at the end."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    rng, known, opening = random.Random(seed), [], 0.0
    for number in progress(range(kills), kills, "kills"):
        reads, writes = context.Pipe(duplex=False)
        child = context.Process(target=_add, args=(str(folder), seed + number, writes), daemon=True)
        child.start()
        writes.close()
        told = [reads.recv()]
        time.sleep(rng.uniform(0.0, _LONGEST_S))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        told += _rest(reads)
        known += told
        began = time.perf_counter()
        with opened_pool(folder):
            opening = max(opening, time.perf_counter() - began)
    with opened_pool(folder) as pool:
        lost = sum(not _whole(pool.store.image_path(image), sha256) for image, sha256 in known)
        left = pool.store.images - len(known)
    return {"kills": kills, "acknowledged": len(known), "lost": lost, "kept_beside": left, "longest_opening_s": opening}


def _add(folder: str, seed: int, writes: Connection) -> None:
    rng = np.random.default_rng(seed)
    with opened_pool(folder) as pool:
        while True:
            features, objects = rng.standard_normal(_WIDTH), rng.standard_normal((3, _WIDTH))
            seen = Seen(0, np.zeros((3, 4)), np.full((3, 2), 0.5), objects, features, _SHA, _SHA)
            decision = pool.offer(rng.integers(0, 256, (48, 64, 3), np.uint8), seen)
            if decision.number is not None:
                writes.send((decision.number, pool.store.record(decision.number).sha256))


def _rest(reads: Connection) -> list[tuple[int, str]]:
    found = []
    try:
        while True:
            found.append(reads.recv())
    except (EOFError, OSError):  # the last one was half told
        return found


def _whole(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path.read_bytes()) == sha256
