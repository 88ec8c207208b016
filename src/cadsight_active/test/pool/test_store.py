"""The pool's folder: what it holds, what it refuses, and what is left when something goes wrong."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_active.pool.features.slots import FeatureKey
from cadsight_active.pool.seen import Why
from cadsight_active.pool.store import DATABASE, DiskRefusedError, opened_store
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import encode_image
from hypothesis import given, settings
from hypothesis import strategies as st
from limited_files import small_files
from seen_images import FROZEN, MODEL, OTHER, image, seen

MANY = 10**9


def why(value=1.0):
    return Why("a reason", 0.5, 0.25, value)


def png(number):
    return encode_image(image(number))


def add(store, number, value=1.0, max_bytes=MANY, **more):
    return store.add(png(number), seen(number, **more), why(value), max_bytes)


def test_an_image_comes_back_as_it_was_kept_also_when_the_pool_is_opened_again(tmp_path):
    scores = ((0.25, 0.5), (0.125, 0.0625))
    with opened_store(tmp_path / "pool") as store:
        added = add(store, 1, scores=scores, stamp=5)
        assert (added.number, added.image_slot, added.object_slots, added.gone) == (1, 0, (0, 1), ())
    with opened_store(tmp_path / "pool") as store:
        (record,) = store.records()
        assert (record.number, record.stamp_ns, record.state, record.why) == (1, 5, "new", why())
        assert (record.model, record.image_model) == (MODEL, FROZEN)
        assert record.scores.tolist() == [list(row) for row in scores]
        assert record.boxes.tolist() == [[0, 0, 4, 4]] * 2
        assert store.image_path(1).read_bytes() == png(1)
        features, objects = store.features_of(record)
        made = seen(1, scores=scores)
        np.testing.assert_array_equal(features, made.image_features.astype(np.float16))
        np.testing.assert_array_equal(objects, made.object_features.astype(np.float16))
        # 4 bytes of 8 box corners and 4 scores, 2 of 16 + 32 features, 400 of the record.
        assert store.size_bytes == record.bytes == len(png(1)) + 48 + 96 + 400
        assert [(s.key, s.rows, s.free) for s in store.feature_sets()] == [
            (FeatureKey("image", FROZEN, 16), 1, ()),
            (FeatureKey("object", MODEL, 16), 2, ()),
        ]


def test_an_image_without_detections_or_features_is_kept_too(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1, scores=(), objects=np.zeros((0, 16)), features=())
        (record,) = store.records()
        assert (record.image_slot, len(record.object_slots), len(record.boxes)) == (-1, 0, 0)
        features, objects = store.features_of(record)
        assert features.shape == (0,)
        assert objects.shape == (0, 0)
        assert store.feature_sets() == []


def test_features_of_two_models_are_kept_apart(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        add(store, 2, model=OTHER)
        rows = {(s.key.kind, s.key.model): s.rows for s in store.feature_sets()}
        assert rows == {("image", FROZEN): 2, ("object", MODEL): 1, ("object", OTHER): 1}


def test_images_are_numbered_as_they_come_though_the_clock_goes_back(tmp_path):
    with opened_store(tmp_path) as store:
        numbers = [add(store, n, stamp=stamp).number for n, stamp in enumerate((30, 20, 10))]
        assert [r.number for r in store.records()] == numbers == [1, 2, 3]
        assert [r.stamp_ns for r in store.records()] == [30, 20, 10]
        # Of equals the first goes, which has the latest stamp.
        assert add(store, 9, value=2.0, max_bytes=store.size_bytes).gone == (1,)


def test_a_second_pool_on_the_folder_is_refused_in_a_sentence(tmp_path):
    folder = str(tmp_path / "pool")
    program = f"from cadsight_active.pool.store import opened_store; opened_store({folder!r}).__enter__()"
    with opened_store(tmp_path / "pool"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"CadsightError: another process works in {tmp_path / 'pool'}" in done.stderr
    with opened_store(tmp_path / "pool"):
        pass


def test_a_folder_of_other_files_and_a_database_that_is_none_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CadsightError, match=r"holds files and no pool\.sqlite"), opened_store(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / DATABASE).write_text("no database at all, and long enough to have a head" * 20)
    with pytest.raises(CadsightError, match="could not be read: file is not a database"), opened_store(tmp_path):
        pass
    other = tmp_path / "other"
    other.mkdir()
    with contextlib.closing(sqlite3.connect(other / DATABASE)) as database:
        database.execute("CREATE TABLE image(a)")
    with pytest.raises(CadsightError, match="is no pool of version 1"), opened_store(other):
        pass


def test_the_same_file_is_not_kept_twice(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        with pytest.raises(CadsightError, match="the image 1 is the same file"):
            add(store, 1)
        assert store.images == 1


def test_the_least_informative_goes_and_never_one_that_is_in_use(tmp_path):
    with opened_store(tmp_path) as store:
        for number, value in enumerate((3.0, 1.0, 2.0, 1.5, 1.0), 1):
            add(store, number, value)
        store.mark([2], "selected")
        room = store.size_bytes
        assert add(store, 11, 9.0, room).gone == (5,)
        assert add(store, 12, 9.0, room).gone == (4,)
        assert not store.image_path(5).exists()
        assert [r.number for r in store.records()] == [1, 2, 3, 6, 7]
        # One that says less than all that may go does not come.
        assert add(store, 13, 2.0, room) is None
        store.mark([1, 3, 6], "labelled")
        store.mark([7], "audit")
        assert add(store, 14, 99.0, room) is None
        assert store.images == 5


def test_the_slots_of_what_went_are_taken_again_and_the_files_do_not_grow(tmp_path):
    with opened_store(tmp_path) as store:
        for number in range(5):
            add(store, number)
        room = store.size_bytes
        for number in range(5, 30):
            add(store, number, value=number, max_bytes=room)
        assert store.images == 5
        # One more than there are: a row is written before the one that goes is free.
        assert all(s.rows == 6 and len(s.free) == 1 for s in store.feature_sets())
        for record in store.records():
            features, _ = store.features_of(record)
            number = next(n for n in range(30) if png(n) == store.image_path(record.number).read_bytes())
            np.testing.assert_array_equal(features, seen(number).image_features.astype(np.float16))


def test_states_change_together_or_not_at_all_and_an_audit_is_for_ever(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        add(store, 2)
        with pytest.raises(CadsightError, match="the image 7 is not in the pool"):
            store.mark([1, 7], "selected")
        assert [r.state for r in store.records()] == ["new", "new"]
        store.mark([1], "audit")
        store.mark([1], "audit")
        with pytest.raises(CadsightError, match="the image 1 is held out for ever"):
            store.mark([2, 1], "labelled")
        assert [r.number for r in store.records("audit")] == [1]
        with pytest.raises(CadsightError, match="the state is 'done', expected one of new, selected, labelled, audit"):
            store.mark([1], "done")


def test_a_record_that_came_through_without_its_image_vanishes(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        add(store, 2)
        store.image_path(2).unlink()
    with opened_store(tmp_path) as store:
        assert [r.number for r in store.records()] == [1]
        assert store.images == 1
        assert add(store, 3).number == 3


def add_many(store, **more):
    for number in range(2, 1000):
        add(store, number, **more)


# The image is refused; the features; the record, of which SQLite has written some pages by then.
@pytest.mark.parametrize("limit", [50, 600, 33_000])
def test_a_disk_that_refuses_bytes_leaves_the_pool_as_it_was(tmp_path, limit):
    # The image has 218 bytes, and its features twice 400.
    with opened_store(tmp_path) as store:
        add(store, 1, width=400)
        with small_files(limit), pytest.raises(DiskRefusedError, match="could not be extended"):
            add_many(store, width=400)
        kept = [r.number for r in store.records()]
        assert store.images == len(kept)
        files = sorted(path for path in (tmp_path / "images").rglob("*") if path.is_file())
        assert files == sorted(store.image_path(n) for n in kept)
        assert add(store, 900, width=400).number == kept[-1] + 1


def test_a_full_disk_is_one_kind_of_error(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk; another test limits the size of files instead")
    try:
        with opened_store(disk / "pool") as store:
            with pytest.raises(DiskRefusedError, match="could not be extended"):
                add_many(store)
            kept = {r.number: r.sha256 for r in store.records()}
            assert kept
        with opened_store(disk / "pool") as store:
            assert {r.number: r.sha256 for r in store.records()} == kept
            assert store.images == len(kept)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 5), st.sampled_from(["add", "mark", "again"])), max_size=25))
def test_whatever_is_done_the_totals_are_those_of_the_records_and_the_cap_holds(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("pool")
    cap = 4000
    stack = contextlib.ExitStack()
    store = stack.enter_context(opened_store(folder))
    for number, value, step in steps:
        if step == "again":
            stack.close()
            store = stack.enter_context(opened_store(folder))
        elif step == "mark" and store.images:
            last = list(store.records())[-1].number
            store.mark([last], "labelled")
        else:
            with contextlib.suppress(CadsightError):
                add(store, number, value, cap)
        records = list(store.records())
        assert store.images == len(records)
        assert store.size_bytes == sum(r.bytes for r in records) <= cap
        used = [r.image_slot for r in records]
        free = [slot for s in store.feature_sets() if s.key.kind == "image" for slot in s.free]
        rows = sum(s.rows for s in store.feature_sets() if s.key.kind == "image")
        assert sorted(used + free) == list(range(rows))
    stack.close()


def test_a_record_is_text_for_other_programs(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        assert json.dumps(store.record(1).why.__dict__)
        assert store.image_path(1) == Path(tmp_path, "images", "000000", "000000001.png")


def test_what_is_on_its_way_out_goes_when_the_pool_is_opened(tmp_path):
    with opened_store(tmp_path) as store:
        for number in range(3):
            add(store, number)
        left = store.image_path(1).read_bytes()
        add(store, 9, value=2.0, max_bytes=store.size_bytes)
        # As a kill between the record's end and the file's leaves it.
        store.image_path(1).write_bytes(left)
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as database:
        database.execute("INSERT INTO going VALUES(1)")
    half = tmp_path / "images" / "000000" / ".000000005.png.abcd_123"
    half.write_bytes(b"half")
    half.with_name("000000005.png").write_bytes(b"whole, and in no record")
    with opened_store(tmp_path) as store:
        names = sorted(path.name for path in (tmp_path / "images").rglob("*") if path.is_file())
        assert names == ["000000002.png", "000000003.png", "000000004.png"]
        assert add(store, 20).number == 5


def test_images_of_a_state_are_counted_without_their_records(tmp_path):
    with opened_store(tmp_path) as store:
        assert (store.count("new"), store.last("new")) == (0, None)
        numbers = [add(store, number).number for number in range(5)]
        store.mark(numbers[3:], "selected")
        assert (store.count("new"), store.last("new")) == (3, numbers[2])
        assert (store.count("new", numbers[0]), store.count("selected", numbers[3])) == (2, 1)
        assert store.count("new") == len(list(store.records("new")))


def test_a_kept_image_is_known_by_the_features_of_another_network_too_until_it_goes(tmp_path):
    both = ((0.25, 0.5), (0.125, 0.0625))
    again = {n: replace(seen(n, scores=both, model=OTHER), image_model=OTHER) for n in (1, 2, 7)}
    with opened_store(tmp_path) as store:
        for number in (1, 2):
            add(store, number, number)
        before = store.size_bytes
        assert store.know(again) == 2
        # 2 bytes of 16 features of the image and as many of each of its two objects.
        assert store.size_bytes == before + 2 * 2 * 16 * 3 == sum(record.bytes for record in store.records())
        assert store.know(again) == 0
        keys = [FeatureKey(kind, OTHER, 16) for kind in ("image", "object")]
        assert [(s.key, s.rows, s.free) for s in store.feature_sets()][2:] == [(keys[0], 2, ()), (keys[1], 4, ())]
        stored = store.shards_of(keys[0]).rows(np.array([0, 1]))
        np.testing.assert_array_equal(stored, [again[n].image_features.astype(np.float16) for n in (1, 2)])
        added = add(store, 3, value=9.0, max_bytes=store.size_bytes)
        assert added.gone == (1,)
        assert dict(added.freed)[keys[0]] == (0,)
        assert dict(added.freed)[keys[1]] == (0, 1)
    with opened_store(tmp_path) as store:
        assert [s.free for s in store.feature_sets()][2:] == [(0,), (0, 1)]
        assert store.know({3: again[7]}) == 1
        assert [(s.rows, s.free) for s in store.feature_sets()][2:] == [(2, ()), (4, ())]


def test_a_network_that_made_the_features_of_an_image_already_adds_none(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        assert store.know({1: seen(1)}) == 0
        assert store.know({1: seen(1, model=OTHER)}) == 1
        assert [s.rows for s in store.feature_sets()] == [1, 1, 1]


def test_what_the_disk_refuses_of_other_features_leaves_the_pool_as_it_was(tmp_path):
    with opened_store(tmp_path) as store:
        add(store, 1)
        before = [(s.key, s.rows) for s in store.feature_sets()], store.size_bytes
        with small_files(50), pytest.raises(DiskRefusedError):
            store.know({1: seen(1, model=OTHER)})
        assert ([(s.key, s.rows) for s in store.feature_sets()], store.size_bytes) == before
