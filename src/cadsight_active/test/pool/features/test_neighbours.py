"""The nearest of many, beside comparing with all of them."""

import numpy as np
import pytest
from cadsight_active.clustering.distances import unit
from cadsight_active.pool.features import neighbours
from cadsight_active.pool.features.neighbours import NEWEST, Neighbours
from cadsight_active.pool.features.planes import Planes
from hypothesis import given, settings
from hypothesis import strategies as st

NONE = np.zeros((0, 16), np.uint16)


def like_a_network(count, rng, width=64):
    """Features of one sign that vary in a few directions, as those behind a ReLU do: pairs are .2 to .4 apart."""
    mixing = np.random.default_rng(5).standard_normal((16, width))
    return (np.maximum(rng.standard_normal((count, 16)) @ mixing / 4 + 1, 0) + 0.01).astype(np.float32)


def filled(rows, free=()):
    known = Neighbours(rows.shape[1])
    first = 0
    for array in known.fill(len(rows), np.array(free, np.int64), NONE):
        array[:] = rows[first : first + len(array)]
        first += len(array)
    known.sort()
    return known


def near(rows, distance, rng):
    """Each of ``rows`` turned so far that the cosine distance is ``distance``."""
    rows = unit(rows)
    aside = rng.standard_normal(rows.shape)
    aside -= (aside * rows).sum(axis=1, keepdims=True) * rows
    return rows * (1 - distance) + unit(aside) * np.sqrt(1 - (1 - distance) ** 2)


def test_the_nearest_of_three_is_found_with_its_distance():
    known = Neighbours(2)
    known.put(np.array([0, 1, 2]), np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]))
    found = known.nearest(np.array([[1.0, 1.0], [0.0, 0.5], [0.6, -0.8]]))
    assert found.distances == pytest.approx([1 - np.sqrt(0.5), 0.0, 0.4], abs=1e-3)
    assert found.slots[1:].tolist() == [1, 0]


def test_where_nothing_is_known_the_distance_is_infinite():
    known = Neighbours(3)
    found = known.nearest(np.ones((2, 3)))
    assert found.distances.tolist() == [np.inf, np.inf]
    assert found.slots.tolist() == [-1, -1]
    known.put(np.array([0]), np.ones((1, 3)))
    known.forget(np.array([0]))
    assert known.nearest(np.ones((1, 3))).slots.tolist() == [-1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30), st.integers(0, 1000))
def test_few_rows_are_compared_with_all_that_are_there(steps, seed):
    rng = np.random.default_rng(seed)
    known, there = Neighbours(4), {}
    for slot, put in steps:
        if put and slot not in there:
            there[slot] = rng.standard_normal(4).astype(np.float16)
            known.put(np.array([slot]), there[slot][None])
        elif slot in there:
            del there[slot]
            known.forget(np.array([slot]))
    assert len(known) == len(there)
    asked = rng.standard_normal((3, 4))
    found = known.nearest(asked)
    for row, distance, slot in zip(unit(asked), found.distances, found.slots, strict=True):
        if not there:
            assert slot == -1
            continue
        distances = {s: 1 - float(row @ unit(v[None])[0]) for s, v in there.items()}
        assert distance == pytest.approx(min(distances.values()), abs=1e-5)
        assert distances[int(slot)] == pytest.approx(min(distances.values()), abs=1e-5)


# What may be missed: measured here, 1.0 each.
@pytest.mark.parametrize("distance", [0.001, 0.005, 0.02])
def test_of_20000_a_duplicate_is_found_as_comparing_with_all_finds_it(distance):
    rng = np.random.default_rng(3)
    rows = like_a_network(20_000, rng)
    known = filled(rows)
    asked = near(rows[rng.integers(0, len(rows), 500)], distance, rng)
    nearest = 1 - (asked @ unit(rows).T).max(axis=1)
    found = known.nearest(asked)
    assert np.mean(found.distances <= nearest + 1e-3) >= 0.98
    # Never too near.
    assert (found.distances >= nearest - 1e-3).all()


def test_rows_that_come_and_go_one_by_one_are_found_as_those_that_were_read():
    rng = np.random.default_rng(4)
    rows = like_a_network(3 * NEWEST + 100, rng)
    known = Neighbours(rows.shape[1])
    renewed = [known.put(np.array([slot]), row[None]) for slot, row in enumerate(rows)]
    # Planes come with the first 2048 that are sorted, and anew with 8 times as many.
    assert sum(renewed) == 1
    gone = rng.choice(len(rows), 500, replace=False)
    known.forget(gone)
    assert len(known) == len(rows) - 500
    kept = np.setdiff1d(np.arange(len(rows)), gone)
    assert known.nearest(rows[kept[::7]]).distances.max() < 1e-3
    again = filled(rows, gone)
    assert again.nearest(rows[kept[::7]]).distances.max() < 1e-3
    assert not np.isin(known.nearest(rows[gone]).slots, gone).any()
    assert not np.isin(again.nearest(rows[gone]).slots, gone).any()
    # Their slots are taken again by others.
    known.put(gone, -rows[gone])
    assert known.nearest(-rows[gone[:50]]).distances.max() < 1e-3
    np.testing.assert_array_equal(known.vectors(gone), -rows[gone].astype(np.float16))


def test_rows_in_several_blocks_are_found_as_those_in_one(monkeypatch):
    rng = np.random.default_rng(8)
    rows = like_a_network(5000, rng)
    whole = filled(rows).nearest(rows[::13] + 0.1)
    # 512 rows of 64 numbers each.
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", 1 << 16)
    parted = filled(rows)
    found = parted.nearest(rows[::13] + 0.1)
    np.testing.assert_array_equal(found.slots, whole.slots)
    np.testing.assert_array_equal(found.distances, whole.distances)
    parted.put(np.array([5000]), -rows[:1])
    np.testing.assert_array_equal(parted.vectors(np.array([5000, 3])), np.stack([-rows[0], rows[3]]).astype(np.float16))


def test_half_of_all_rows_being_identical_hides_few_others():
    rng = np.random.default_rng(5)
    rows = like_a_network(6000, rng)
    rows[:3000] = rows[0]
    known = filled(rows)
    assert np.mean(known.nearest(rows[3000:]).distances < 1e-3) > 0.97
    assert known.nearest(rows[:1]).distances[0] < 1e-3


def test_planes_halve_the_rows_and_come_out_the_same_by_the_same_seed():
    rows = unit(like_a_network(4000, np.random.default_rng(6)))
    planes = Planes.of(rows, len(rows), 1)
    halves = (rows @ planes.normals > planes.offsets).mean(axis=0)
    assert np.abs(halves - 0.5).max() < 0.01
    np.testing.assert_array_equal(planes.codes(rows), Planes.of(rows, len(rows), 1).codes(rows))
    assert planes.codes(rows).shape == (4000, 16)
    # The first plane is the highest bit.
    first = planes.codes(rows)[:, 0] >= 1 << 15
    np.testing.assert_array_equal(first, rows @ planes.normals[:, 0] > planes.offsets[0])
