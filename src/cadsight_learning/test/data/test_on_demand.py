import numpy as np
from cadsight_learning.data.on_demand import OnDemand, training_bytes


def made_of_hundred_bytes(counts: list[int]):
    def make(number: int) -> np.ndarray:
        counts[number] += 1
        return np.full(100, number, np.uint8)

    return make


def test_items_are_made_when_they_are_taken_out_and_kept_as_far_as_they_fit():
    counts = [0] * 5
    items = OnDemand(5, made_of_hundred_bytes(counts), keep=250)
    assert (len(items), counts) == (5, [0] * 5)
    for order in ([3, 0, 1, 2, 4], [4, 3, 2, 1, 0], [0, 1, 2, 3, 4]):
        assert [int(items[number][0]) for number in order] == order
    # Two of the first fit, and stay.
    assert counts == [1, 3, 3, 1, 3]


def test_what_fits_is_made_once():
    counts = [0] * 4
    items = OnDemand(4, made_of_hundred_bytes(counts), keep=400)
    for _ in range(3):
        assert [int(one[0]) for one in items] == [0, 1, 2, 3]
    assert counts == [1] * 4


def test_indices_are_counted_as_in_a_list():
    items = OnDemand(4, made_of_hundred_bytes([0] * 4), keep=0)
    assert int(items[-1][0]) == 3
    assert [int(one[0]) for one in items[1:3]] == [1, 2]


def test_a_training_keeps_no_more_than_two_gibibytes():
    assert 0 < training_bytes() <= 2 * 2**30
