import pytest
from cadsight_core.datasets.derived import end_to_end


def test_sequences_end_to_end_are_as_their_sum_in_lists():
    parts = ["ab", "", "cde", "f"]
    joined, whole = end_to_end(*parts), list("abcdef")
    assert list(joined) == whole
    assert [joined[i] for i in range(-6, 6)] == [whole[i] for i in range(-6, 6)]
    assert joined[1:5:2] == whole[1:5:2]
    with pytest.raises(IndexError):
        joined[6]


def test_items_are_taken_out_of_their_sequence_when_they_are_needed():
    taken = []

    class Lazy(list):
        def __getitem__(self, index):
            taken.append(index)
            return super().__getitem__(index)

    joined = end_to_end(Lazy([1, 2]), Lazy([3]))
    assert (len(joined), taken) == (3, [])
    assert joined[2] == 3
    assert taken == [0]
