"""What is acknowledged is whole after a kill at any moment, and nothing is left of what is not."""

import os
import random
import signal
import time
from multiprocessing import get_context

import numpy as np
import pytest
from adding_child import CAP, add_through, add_to_a_full_one_through
from cadsight_active.pool.pool import opened_pool
from cadsight_active.pool.seen import sha256_of
from cadsight_active.pool.store import opened_store
from cadsight_core.imaging.images import read_image
from seen_images import image, seen


@pytest.fixture(scope="module")
def processes():
    context = get_context("forkserver")
    context.set_forkserver_preload(["adding_child"])
    return context


def killed(processes, target, folder, first, rng):
    """(number, sha256, which) of the images that a process acknowledged before it was killed."""
    reads, writes = processes.Pipe(duplex=False)
    child = processes.Process(target=target, args=(str(folder), first, writes), daemon=True)
    child.start()
    writes.close()
    with os.fdopen(os.dup(reads.fileno()), "rb") as lines:
        acknowledged = [lines.readline() for _ in range(rng.randint(1, 3))]
        # Anywhere in the writing of the next ones.
        time.sleep(rng.uniform(0.0, 0.03))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        acknowledged += [line for line in lines if line.endswith(b"\n")]
    reads.close()
    return [
        (int(number), sha256, int(which)) for number, sha256, which in (line.decode().split() for line in acknowledged)
    ]


def check_whole(store, number, sha256, which):
    record = store.record(number)
    assert record.sha256 == sha256 == sha256_of(store.image_path(number).read_bytes())
    features, objects = store.features_of(record)
    made = seen(which)
    np.testing.assert_array_equal(features, made.image_features.astype(np.float16))
    np.testing.assert_array_equal(objects, made.object_features.astype(np.float16))
    np.testing.assert_array_equal(read_image(store.image_path(number)), image(which))


def check_nothing_left(store):
    files = [path for path in (store.folder / "images").rglob("*") if path.is_file()]
    assert sorted(files) == sorted(store.image_path(record.number) for record in store.records())
    assert store.images == len(files)
    used = sorted(record.image_slot for record in store.records())
    (images,) = (s for s in store.feature_sets() if s.key.kind == "image")
    assert sorted([*used, *images.free]) == list(range(images.rows))


def test_twenty_kills_at_random_moments_lose_no_acknowledged_image(tmp_path, processes):
    rng, known = random.Random(14), []
    for _ in range(20):
        known += killed(processes, add_through, tmp_path / "pool", first=len(known) * 2, rng=rng)
        with opened_pool(tmp_path / "pool") as pool:
            for number, sha256, which in known:
                check_whole(pool.store, number, sha256, which)
            check_nothing_left(pool.store)
            # One image a kill may be kept and not acknowledged.
            assert len(known) <= pool.store.images <= len(known) + 20


def test_six_kills_while_others_have_to_go_leave_whole_images_and_no_more_than_the_cap(tmp_path, processes):
    rng, known = random.Random(15), []
    for _ in range(6):
        known += killed(processes, add_to_a_full_one_through, tmp_path / "pool", first=len(known) * 2, rng=rng)
        with opened_store(tmp_path / "pool") as store:
            there = {record.number for record in store.records()}
            # The newest says most, so it is there, though one that was not acknowledged may have come after it.
            assert known[-1][0] in there
            for number, sha256, which in known:
                if number in there:
                    check_whole(store, number, sha256, which)
            check_nothing_left(store)
            assert store.size_bytes <= CAP
    assert len(there) < len(known)
