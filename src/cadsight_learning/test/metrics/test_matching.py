import time

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.metrics.average_precision import average_precision
from cadsight_learning.metrics.bootstrap import resampled
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.matching import MatchTable


def boxes(*rows, scores=(), classes=(), ignored=()) -> Boxes:
    found = np.array(rows, float).reshape(-1, 4)
    return Boxes(found, np.array(classes or [0] * len(found), int), np.array(scores, float), np.array(ignored, bool))


def random_set(images: int, classes: int, seed: int, ties: bool = True) -> tuple[list[Boxes], list[Boxes]]:
    """Crowded images with regions to ignore, doubles, wrong classes, misses, equal scores and finds of nothing."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(images):
        count = int(rng.integers(0, 7))
        corner = rng.uniform(0, 150, (count, 2))
        there = np.hstack([corner, corner + rng.uniform(15, 60, (count, 2))])
        kinds = rng.integers(0, classes, count)
        truth.append(Boxes(there, kinds, ignored=rng.random(count) < 0.15))
        seen = np.repeat(there, 2, axis=0)[rng.random(2 * count) < 0.7]
        seen = np.sort((seen + rng.normal(0, 5, seen.shape)).reshape(-1, 2, 2), axis=1).reshape(-1, 4)
        names = np.repeat(kinds, 2)[: len(seen)] if rng.random() < 0.5 else rng.integers(0, classes, len(seen))
        found.append(Boxes(seen, names, rng.integers(50, 100, len(seen)) / 100 if ties else rng.random(len(seen))))
    return truth, found


def test_classes_in_another_order_keep_their_figures():
    table = MatchTable.of(*random_set(20, 3, 1), 3)
    other = table.in_order([2, 0, 1])
    np.testing.assert_array_equal(other.labels, table.labels[:, [2, 0, 1]])
    np.testing.assert_array_equal(other.average_precisions()[0], table.average_precisions()[0, [2, 0, 1]])
    order = [2, 0, 1, 3]
    np.testing.assert_array_equal(other.confusion(), table.confusion()[np.ix_(order, order)])


@pytest.mark.parametrize(("images", "classes", "seed"), [(1, 1, 0), (15, 1, 1), (40, 3, 2), (150, 4, 3), (80, 9, 4)])
def test_the_average_precision_of_the_set_as_it_is_is_cocos(images, classes, seed):
    truth, found = random_set(images, classes, seed)
    library = average_precision(truth, found, classes, max_detections=100)
    ours = MatchTable.of(truth, found, classes).average_precisions()[0]
    finite = {c: pair for c, pair in library.per_class.items() if ours.shape and np.isfinite(ours[c]).all()}
    assert {c: (ours[c, 0], ours[c].mean()) for c in finite} == {
        c: pytest.approx(p, abs=1e-9) for c, p in finite.items()
    }
    assert np.isnan(ours[[c for c in range(classes) if c not in finite]]).all()
    assert len(finite) == len(library.per_class)


def test_the_average_precision_of_a_resample_is_cocos_on_the_images_written_out():
    # Equal scores in two images are sorted by image, so what is written out would stand in another order.
    truth, found = random_set(25, 3, 5, ties=False)
    weights = resampled(25, 6)
    ours = MatchTable.of(truth, found, 3).average_precisions(weights)
    for row, counts in enumerate(weights):
        numbers = np.repeat(np.arange(25), counts)
        library = average_precision([truth[i] for i in numbers], [found[i] for i in numbers], 3, max_detections=100)
        assert np.nanmean(ours[row], axis=0)[0] == pytest.approx(library.map50, abs=1e-9)
        assert np.nanmean(ours[row]) == pytest.approx(library.map50_95, abs=1e-9)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (boxes((0, 0, 10, 10), (20, 0, 30, 10), scores=(0.9, 0.8)), (2, 2, 2)),
        # A double of what is found already is wrong.
        (boxes((0, 0, 10, 10), (0, 0, 10, 9), scores=(0.9, 0.8)), (1, 2, 2)),
        # The more confident one takes the box, whatever the order.
        (boxes((0, 0, 10, 6), (0, 0, 10, 10), scores=(0.6, 0.9)), (1, 2, 2)),
        (boxes((0, 0, 10, 10), scores=(0.9,), classes=(1,)), (0, 1, 2)),
        (boxes(), (0, 0, 2)),
    ],
)
def test_each_label_is_found_once_and_by_its_own_class(found, expected):
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    assert tuple(MatchTable.of([truth], [found], 2).counts().sum(axis=(0, 1))) == expected


def test_a_double_may_be_right_where_the_more_confident_one_is_not_good_enough():
    # The more confident covers the label to 0.6, the other to 0.8: from 0.65 on the other is the right one.
    found = boxes((0, 0, 10, 6), (0, 0, 10, 8), scores=(0.9, 0.8))
    table = MatchTable.of([boxes((0, 0, 10, 10))], [found], 1)
    assert ["".join("01"[int(x)] for x in row) for row in table.right] == ["1110000000", "0001111000"]


def test_what_lies_on_an_ignored_region_counts_neither_way():
    truth = boxes((0, 0, 10, 10), (20, 0, 40, 20), ignored=(False, True))
    # The second lies within the region, though it covers little of it.
    found = boxes((0, 0, 10, 10), (20, 0, 25, 5), scores=(0.9, 0.8))
    table = MatchTable.of([truth], [found], 1)
    assert tuple(table.counts()[0, 0]) == (1, 1, 1)
    assert table.confusion().tolist() == [[1, 0], [0, 0]]


def test_a_confusion_matrix_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 70, 10), classes=(0, 0, 1, 1))
    found = boxes(
        (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (90, 0, 99, 10), (0, 0, 10, 9),
        scores=(0.9, 0.8, 0.7, 0.6, 0.5), classes=(0, 1, 1, 0, 1),
    )  # fmt: skip
    # Right: one of each class. One 0 taken for a 1, one 1 missed; one 0 where nothing is, and a 1 on what is found.
    matrix = MatchTable.of([truth], [found], 2).confusion()
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 1], [1, 1, 0]]


def test_the_confusion_matrix_adds_up_to_the_counts():
    table = MatchTable.of(*random_set(100, 3, 6), 3)
    matrix, (right, found, labels) = table.confusion(), table.counts().sum(axis=0).T
    assert np.diagonal(matrix)[:-1].tolist() == right.tolist()
    assert matrix[:, :-1].sum(axis=0).tolist() == found.tolist()
    assert matrix[:-1].sum(axis=1).tolist() == labels.tolist()
    assert matrix.min() >= 0
    assert matrix[0, 1] > 0  # the set has wrong classes


def test_a_table_comes_back_from_json_with_the_same_figures():
    table = MatchTable.of(*random_set(30, 3, 7), 3)
    again = MatchTable.from_json(table.to_json())
    assert (again.counts() == table.counts()).all()
    assert again.average_precisions() == pytest.approx(table.average_precisions(), nan_ok=True)


@pytest.mark.parametrize("wrong", [{}, {"labels": [[1]], "detections": [[3, 0, 0.5, "1" * 10]]}, {"labels": [1]}])
def test_json_of_another_form_is_refused(wrong):
    with pytest.raises(CadsightError, match="expected labels and detections"):
        MatchTable.from_json(wrong)


def test_a_set_where_nothing_is_found_and_one_where_nothing_is():
    nothing_found = MatchTable.of([boxes((0, 0, 9, 9))], [boxes()], 1)
    assert nothing_found.average_precisions(resampled(1, 3)).tolist() == [[[0.0] * 10]] * 3
    nothing_there = MatchTable.of([boxes()], [boxes((0, 0, 9, 9), scores=(0.9,))], 1)
    assert np.isnan(nothing_there.average_precisions()).all()
    assert nothing_there.confusion().tolist() == [[0, 0], [1, 0]]


def test_a_thousand_resamples_take_seconds():
    truth, found = random_set(600, 5, 8)
    began = time.process_time()
    MatchTable.of(truth, found, 5).average_precisions(resampled(600))
    assert time.process_time() - began < 10
