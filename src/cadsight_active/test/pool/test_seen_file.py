from dataclasses import fields

import numpy as np
from cadsight_active.pool.seen import Seen
from cadsight_active.pool.seen_file import load_seen, save_seen
from seen_images import seen


def test_what_was_seen_comes_back_as_it_was_written_without_its_stamp(tmp_path):
    nothing = seen(2, scores=(), objects=np.zeros((0, 16)))
    kept = [seen(1, scores=((0.25, 0.5), (0.125, 0.0625))), nothing, seen(3)]
    save_seen(tmp_path / "seen.npz", kept)
    back = load_seen(tmp_path / "seen.npz")
    assert len(back) == 3
    for one, other in zip(back, kept, strict=True):
        for field in fields(Seen):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_nothing_that_was_seen_comes_back_as_nothing(tmp_path):
    save_seen(tmp_path / "seen.npz", [])
    assert load_seen(tmp_path / "seen.npz") == []
