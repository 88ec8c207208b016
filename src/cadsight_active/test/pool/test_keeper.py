"""Images and results that come in any order and at any time, and a disk that is full."""

import threading

import numpy as np
import pytest
from cadsight_active.pool.keeper import Keeper, KeeperOptions
from cadsight_active.pool.policy import PoolOptions
from cadsight_active.pool.pool import opened_pool
from cadsight_core.errors import CadsightError
from hypothesis import given, settings
from hypothesis import strategies as st
from limited_files import small_files
from seen_images import image, seen


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def pool(tmp_path):
    with opened_pool(tmp_path / "pool") as pool:
        yield pool


def keeper_of(pool, clock, max_hz=1.0):
    return Keeper(pool, KeeperOptions(max_hz=max_hz), image, clock)


def counted(keeper):
    return {name: count for name, count in keeper.status().counts.items() if count}


def test_an_image_is_offered_when_its_result_comes(pool):
    keeper = keeper_of(pool, Clock())
    keeper.image(10, 1)
    keeper.image(20, 2)
    assert pool.store.images == 0
    assert keeper.seen(seen(1, stamp=10))[1].number == 1
    assert pool.store.record(1).stamp_ns == 10
    assert counted(keeper) == {"kept": 1}
    # Each image once, and none without one.
    assert keeper.seen(seen(1, stamp=10)) is None
    assert counted(keeper) == {"kept": 1}


def test_a_result_that_comes_before_its_image_waits_for_it(pool):
    keeper = keeper_of(pool, Clock())
    assert keeper.seen(seen(3, stamp=30)) is None
    of, decision = keeper.image(30, 3)
    assert (of.stamp_ns, decision.number) == (30, 1)
    for number in range(17):
        keeper.seen(seen(number, stamp=1000 + number))
    assert counted(keeper) == {"kept": 1, "unmatched": 1}


def test_no_more_images_are_decided_a_second_than_asked_for(pool):
    clock = Clock()
    keeper = keeper_of(pool, clock, max_hz=2.0)
    for number, now in enumerate((100.0, 100.25, 100.5, 100.75, 101.5)):
        clock.now = now
        keeper.image(number, number)
        keeper.seen(seen(number, stamp=number))
    assert counted(keeper) == {"kept": 3, "too_soon": 2}


def test_stamps_that_go_back_are_as_good_as_others(pool):
    clock = Clock()
    keeper = keeper_of(pool, clock)
    for number, stamp in enumerate((5_000, 4_000, 5_000, 1)):
        clock.now += 1
        keeper.image(stamp, number)
        assert keeper.seen(seen(number, stamp=stamp))[1].verdict == "kept"
    assert [record.stamp_ns for record in pool.store.records()] == [5_000, 4_000, 5_000, 1]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=80))
def test_images_whose_results_never_come_do_not_pile_up(tmp_path_factory, events):
    with opened_pool(tmp_path_factory.mktemp("pool")) as pool:
        keeper = keeper_of(pool, Clock())
        for is_image, stamp in events:
            if is_image:
                keeper.image(stamp, stamp)
            else:
                keeper.seen(seen(stamp, stamp=stamp))
        assert len(keeper._waiting) <= 16
        assert pool.store.images == keeper.status().counts["kept"]


def test_a_full_disk_is_told_and_forgotten_when_an_image_is_kept_again(pool):
    clock = Clock()
    keeper = keeper_of(pool, clock)
    for number in range(3):
        clock.now += 1
        keeper.image(number, number)
        if number == 1:
            with small_files(50):
                assert keeper.seen(seen(number, stamp=number))[1].verdict == "refused"
            assert "could not be extended" in keeper.status().trouble
        else:
            assert keeper.seen(seen(number, stamp=number))[1].verdict == "kept"
            assert keeper.status().trouble == ""
    assert counted(keeper) == {"kept": 2, "refused": 1}


def test_a_pool_that_is_full_is_told(tmp_path):
    clock = Clock()
    noise = np.random.default_rng(0).integers(0, 256, (2, 500, 500, 3), np.uint8)
    with opened_pool(tmp_path / "pool", PoolOptions(max_bytes=1_000_000)) as pool:
        keeper = Keeper(pool, KeeperOptions(max_hz=1.0), lambda number: noise[number], clock)
        keeper.image(0, 0)
        keeper.seen(seen(0, stamp=0))
        clock.now += 1
        keeper.image(1, 1)
        # 750 kB each, and the second is no more informative than the first.
        assert keeper.seen(seen(1, stamp=1))[1].verdict == "full"
        assert keeper.status().trouble.startswith("the pool is full: its 75")
        assert keeper.status().trouble.endswith("max_bytes is 1000000, expected labels for them or a larger one")


def test_an_image_that_is_none_costs_itself_alone(pool):
    def refuse(_):
        raise CadsightError("an image message has no pixels, expected some")

    keeper = Keeper(pool, KeeperOptions(), refuse, Clock())
    keeper.image(1, "message")
    assert keeper.seen(seen(1, stamp=1))[1].verdict == "refused"
    assert keeper.status().trouble == "an image message has no pixels, expected some"


def test_images_come_from_one_thread_while_results_come_from_another(pool):
    clock = Clock()
    keeper = keeper_of(pool, clock, max_hz=1000.0)
    came = threading.Semaphore(0)

    def bring():
        for stamp in range(12):
            keeper.image(stamp, stamp)
            came.release()

    thread = threading.Thread(target=bring)
    thread.start()
    for stamp in range(12):
        came.acquire()
        clock.now += 1
        assert keeper.seen(seen(stamp, stamp=stamp))[1].number == stamp + 1
    thread.join()
    assert counted(keeper) == {"kept": 12}
    assert np.array_equal([r.stamp_ns for r in pool.store.records()], range(12))
