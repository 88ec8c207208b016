from collections import Counter
from pathlib import Path

import pytest
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.splits import divide
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from hypothesis import given
from hypothesis import strategies as st


def samples(count):
    return [Sample(str(i), Path(f"{i}.png"), ImageSize(4, 3)) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "fractions", "expected"),
    [
        (10, {"train": 0.7, "valid": 0.1, "test": 0.2}, (7, 1, 2)),
        (82, {"train": 58, "valid": 6, "test": 18}, (58, 6, 18)),
        (7, {"train": 1, "valid": 1, "test": 1}, (3, 2, 2)),
        (3, {"train": 98, "valid": 1, "test": 1}, (1, 1, 1)),  # none stays empty that has a fraction
        (5, {"train": 1, "test": 1}, (3, 0, 2)),
        (4, {"test": 3}, (0, 0, 4)),
    ],
)
def test_fractions_become_numbers_of_images(count, fractions, expected):
    counts = Counter(s.split for s in divide(samples(count), fractions))
    assert tuple(counts[name] for name in ("train", "valid", "test")) == expected


def test_blocks_keep_neighbours_together():
    splits = [s.split for s in divide(samples(6), {"train": 3, "valid": 1, "test": 2}, order="blocks")]
    assert splits == ["train", "train", "train", "valid", "test", "test"]


def test_the_random_order_depends_on_the_seed_alone():
    def dealt(seed):
        return [s.split for s in divide(samples(30), {"train": 2, "test": 1}, seed=seed)]

    assert dealt(1) == dealt(1)
    assert dealt(1) != dealt(2)
    assert dealt(1) != sorted(dealt(1))


@given(st.integers(3, 200), st.tuples(*[st.floats(0.01, 100)] * 3))
def test_every_sample_keeps_its_place_and_no_split_is_more_than_one_off(count, fractions):
    dealt = divide(samples(count), dict(zip(("train", "valid", "test"), fractions, strict=True)))
    assert [s.name for s in dealt] == [str(i) for i in range(count)]
    counts = Counter(s.split for s in dealt)
    assert sum(counts.values()) == count
    for name, fraction in zip(("train", "valid", "test"), fractions, strict=True):
        exact = fraction / sum(fractions) * count
        assert counts[name] >= 1
        # A split that would get none takes its image from the largest.
        assert abs(counts[name] - exact) <= 3


@pytest.mark.parametrize(
    ("count", "fractions", "words"),
    [
        (5, {"train": -1, "test": 2}, "expected numbers for train, valid and test"),
        (5, {}, "expected numbers"),
        (5, {"train": 0}, "expected numbers"),
        (5, {"train": float("nan")}, "expected numbers"),
        (5, {"exam": 1}, "expected numbers"),
        (2, {"train": 1, "valid": 1, "test": 1}, "2 samples cannot be divided into 3 splits"),
    ],
)
def test_fractions_that_make_no_sense_are_refused(count, fractions, words):
    with pytest.raises(CadsightError, match=words):
        divide(samples(count), fractions)
