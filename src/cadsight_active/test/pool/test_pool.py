"""Which images are kept, and that the answer is the same after the pool is opened again."""

import numpy as np
import pytest
from cadsight_active.pool.features.neighbours import NEWEST
from cadsight_active.pool.features.slots import FeatureKey
from cadsight_active.pool.policy import PoolOptions, why_kept
from cadsight_active.pool.pool import opened_pool
from cadsight_active.pool.seen import Seen
from cadsight_core.errors import CadsightError
from seen_images import MODEL, OTHER, image, seen

SURE = ((0.99, 0.01),)


def axis(number, width=16):
    row = np.zeros(width)
    row[number] = 1
    return row


def test_an_empty_pool_keeps_the_first_image_it_sees(tmp_path):
    with opened_pool(tmp_path / "pool") as pool:
        assert pool.store.images == 0
        assert list(pool.store.records()) == []
        decision = pool.offer(image(1), seen(1))
        assert (decision.verdict, decision.number) == ("kept", 1)
        assert decision.why.reason == "the model is unsure: 1.000 of 1, at least 0.5 is asked for"


def test_near_duplicates_are_left_out(tmp_path):
    with opened_pool(tmp_path) as pool:
        pool.offer(image(1), seen(1, features=axis(0)))
        alike = pool.offer(image(2), seen(2, features=axis(0) + 0.1 * axis(1)))
        # 1 - 1 / sqrt(1.01)
        assert (alike.verdict, alike.duplicate_distance) == ("duplicate", pytest.approx(0.00496, abs=1e-4))
        # 1 - 1 / sqrt(1.09)
        other = pool.offer(image(3), seen(3, features=axis(0) + 0.3 * axis(1)))
        assert (other.verdict, other.duplicate_distance) == ("kept", pytest.approx(0.0422, abs=1e-4))
        # Whatever its features are, the same file is the same image.
        assert pool.offer(image(3), seen(9)).verdict == "duplicate"


def test_an_image_of_what_the_model_knows_is_left_out_and_one_with_a_strange_object_kept(tmp_path):
    with opened_pool(tmp_path) as pool:
        first = pool.offer(image(1), seen(1, scores=SURE, objects=axis(0)))
        assert first.why.reason == "an object is 1.000 from every known one, at least 0.2 is asked for"
        assert pool.offer(image(2), seen(2, scores=SURE, objects=axis(0))).verdict == "known"
        two = np.stack([axis(0), axis(0) + axis(1)])
        kept = pool.offer(image(3), seen(3, scores=SURE * 2, objects=two))
        assert kept.verdict == "kept"
        # 1 - 1 / sqrt(2), over 0.2
        assert kept.why.novelty == pytest.approx(0.2929, abs=1e-3)
        assert kept.why.value == pytest.approx(1.464, abs=1e-2)
        assert pool.offer(image(4), seen(4, scores=SURE, objects=axis(0) + axis(1))).verdict == "known"


def test_a_model_that_gives_no_features_keeps_what_it_is_unsure_of(tmp_path):
    nothing = {"features": (), "objects": np.zeros((1, 0))}
    with opened_pool(tmp_path) as pool:
        assert pool.offer(image(1), seen(1, **nothing)).verdict == "kept"
        assert pool.offer(image(2), seen(2, scores=SURE, **nothing)).verdict == "known"
        assert pool.offer(image(3), seen(3, scores=(), objects=np.zeros((0, 0)), features=())).verdict == "known"


def test_to_a_new_model_every_object_is_new_and_duplicates_stay_duplicates(tmp_path):
    with opened_pool(tmp_path) as pool:
        pool.offer(image(1), seen(1, scores=SURE, objects=axis(0)))
        assert pool.offer(image(2), seen(2, scores=SURE, objects=axis(0), model=OTHER)).verdict == "kept"
        assert pool.offer(image(3), seen(2, scores=SURE, objects=axis(5), model=OTHER)).verdict == "duplicate"
        # And what the first one knew is known when it comes back.
        assert pool.offer(image(4), seen(4, scores=SURE, objects=axis(0))).verdict == "known"


def test_the_answers_are_the_same_when_the_pool_is_opened_again(tmp_path):
    with opened_pool(tmp_path) as pool:
        for number in range(60):
            pool.offer(image(number), seen(number, scores=SURE))
        before = [pool.decide(seen(number, scores=SURE)) for number in range(80)]
    with opened_pool(tmp_path) as pool:
        assert [pool.decide(seen(number, scores=SURE)) for number in range(80)] == before
        assert {d.verdict for d in before[:60]} == {"duplicate"}


def test_codes_are_kept_beside_the_features_and_made_again_where_they_are_damaged(tmp_path):
    with opened_pool(tmp_path) as pool:
        known = pool._neighbours(FeatureKey("image", seen().image_model, 16))
        # Sorted with 2048 rows: fewer images and features by hand, for SQLite takes its time for each.
        for number in range(3):
            pool.offer(image(number), seen(number))
        rows = np.random.default_rng(0).standard_normal((NEWEST, 16))
        known.put(np.arange(3, NEWEST + 3), rows)
        assert known.planes is not None
        pool.store.shards_of(FeatureKey("image", seen().image_model, 16)).save_planes(
            known.planes, iter([known.codes(np.arange(3))])
        )
    (codes,) = (tmp_path / "features").glob("image-*/codes.u16")
    assert codes.stat().st_size == 3 * 32
    for damage in (b"", b"\0" * 31, b"\xff" * 320):
        codes.write_bytes(damage)
        with opened_pool(tmp_path) as pool:
            assert [pool.decide(seen(n)).verdict for n in range(3)] == ["duplicate"] * 3
    for damage in (b"", b"PK\x03\x04 no archive"):
        codes.with_name("planes.npz").write_bytes(damage)
        with opened_pool(tmp_path) as pool:
            assert [pool.decide(seen(n)).verdict for n in range(3)] == ["duplicate"] * 3


def test_a_full_pool_lets_the_least_informative_go_and_then_takes_no_more(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 300, 400, 3), np.uint8)
    with opened_pool(tmp_path, PoolOptions(max_bytes=1_000_000, novel_distance=2.0)) as pool:
        # 360 kB each.
        first = [pool.offer(noise[n], seen(n, scores=((0.6, p),))) for n, p in enumerate((0.2, 0.3))]
        assert [d.number for d in first] == [1, 2]
        third = pool.offer(noise[2], seen(2, scores=((0.6, 0.4),)))
        assert (third.number, third.gone) == (3, (1,))
        assert pool.offer(noise[3], seen(3, scores=((0.6, 0.2),))).verdict == "full"
        # What went is known no more, so it may come again.
        assert pool.decide(seen(0)).verdict == "kept"
        assert pool.decide(seen(1)).verdict == "duplicate"
        pool.store.mark([2, 3], "selected")
        assert pool.offer(noise[4], seen(4)).verdict == "full"


def test_the_reason_and_the_value_are_those_of_the_larger():
    options = PoolOptions(unsure=0.5, novel_distance=0.2)
    both = why_kept(np.array([[0.6, 0.2]]), np.array([0.5]), options)
    assert (both.uncertainty, both.novelty, both.value) == pytest.approx((0.6, 0.5, 2.5))
    assert why_kept(np.array([[0.9, 0.2]]), np.array([0.1]), options) is None
    assert why_kept(np.zeros((0, 2)), np.zeros(0), options) is None
    # One class: 1 - |2 p - 1|.
    assert why_kept(np.array([[0.6]]), np.zeros(0), options).uncertainty == pytest.approx(0.8)


def test_only_the_most_confident_detections_above_the_floor_count(tmp_path):
    with opened_pool(tmp_path, PoolOptions(at_most=2, floor=0.1)) as pool:
        decision = pool.offer(image(1), seen(1, scores=((0.05, 0.04), (0.5, 0.4), (0.9, 0.1), (0.3, 0.2))))
        record = pool.store.record(decision.number)
        np.testing.assert_allclose(record.scores, [[0.9, 0.1], [0.5, 0.4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "detector"}, "the model is 'detector', expected a SHA-256 of 64 digits"),
        ({"model": "../" + "a" * 61}, "expected a SHA-256"),
        ({"boxes": np.zeros((2, 4))}, r"boxes \(2, 4\), scores \(1, 2\)"),
        ({"scores": np.array([[np.nan, 0.5]])}, "the scores of an image hold a number that is none"),
        ({"image_features": np.array([1.0, np.inf])}, "the image_features of an image hold a number that is none"),
        ({"object_features": np.array([[1e6]])}, "the object_features of an image hold a number that is none"),
    ],
)
def test_what_cannot_have_been_seen_is_refused(changes, sentence):
    good = {
        "stamp_ns": 0,
        "boxes": np.zeros((1, 4)),
        "scores": np.full((1, 2), 0.5),
        "object_features": np.ones((1, 3)),
        "image_features": np.ones(4),
        "model": MODEL,
        "image_model": MODEL,
    }
    Seen(**good)
    with pytest.raises(CadsightError, match=sentence):
        Seen(**{**good, **changes})
