import numpy as np
import pytest
from cadsight_learning.metrics import Boxes, angle_figures, average_precision, iou, matches, squared_distance, summed


def boxes(*rows: tuple[float, ...], scores: tuple[float, ...] = (), classes: tuple[int, ...] = ()) -> Boxes:
    found = np.array(rows, float).reshape(-1, 4)
    return Boxes(found, np.array(classes or [0] * len(found), int), np.array(scores, float))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (0, 0, 10, 8), 0.8),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),
    ],
)
def test_overlap_is_common_area_over_joint_area(a, b, expected):
    assert iou(np.array([a], float), np.array([b], float))[0, 0] == pytest.approx(expected)


def test_average_precision_of_three_boxes_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    # Surest: right. Second: nothing there. Third: covers the second box to 0.8.
    found = boxes((0, 0, 10, 10), (70, 0, 80, 10), (20, 0, 30, 8), scores=(0.9, 0.8, 0.7))
    figures = average_precision([truth], [found], 1)
    # Recall up to 1/3 at precision 1 (34 of COCO's 101 points), up to 2/3 at 2/3 (33 points), none above.
    at50 = (34 * 1 + 33 * 2 / 3) / 101
    # From IoU 0.85 on only the first is right: 34 points at precision 1.
    assert figures.map50 == pytest.approx(at50, abs=1e-9)
    assert figures.map50_95 == pytest.approx((7 * at50 + 3 * 34 / 101) / 10, abs=1e-9)


def test_average_precision_is_the_mean_over_the_classes_that_occur():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), classes=(0, 2))
    found = boxes((0, 0, 10, 10), scores=(0.9,), classes=(0,))
    figures = average_precision([truth], [found], 3)
    assert figures.per_class.keys() == {0, 2}
    assert (figures.map50, figures.map50_95) == pytest.approx((0.5, 0.5))


def test_a_set_with_nothing_found_scores_zero():
    figures = average_precision([boxes((0, 0, 10, 10))], [boxes()], 1)
    assert (figures.map50, figures.map50_95, figures.per_class) == (0.0, 0.0, {0: (0.0, 0.0)})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (boxes((0, 0, 10, 10), (20, 0, 30, 10), scores=(0.9, 0.8)), (2, 2, 2)),
        # A double of what is found already is wrong.
        (boxes((0, 0, 10, 10), (0, 0, 10, 9), scores=(0.9, 0.8)), (1, 2, 2)),
        # The surer one takes the box, whatever the order.
        (boxes((0, 0, 10, 6), (0, 0, 10, 10), scores=(0.6, 0.9)), (1, 2, 2)),
        (boxes((0, 0, 10, 10), scores=(0.9,), classes=(1,)), (0, 1, 2)),
        (boxes(), (0, 0, 2)),
    ],
)
def test_each_true_box_is_found_once_and_by_its_own_class(found, expected):
    pairs = matches(boxes((0, 0, 10, 10), (20, 0, 30, 10)), found)
    assert (pairs.true_positives, pairs.found, pairs.true) == expected


def test_precision_recall_and_f1_of_a_whole_set():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    pairs = summed(
        [
            matches(truth, boxes((0, 0, 10, 10), scores=(0.9,))),
            matches(truth, boxes((0, 0, 10, 10), (50, 0, 60, 10), scores=(0.9, 0.8))),
        ]
    )
    assert (pairs.precision, pairs.recall, pairs.f1) == pytest.approx((2 / 3, 2 / 4, 4 / 7))


def test_what_lies_on_an_ignored_region_counts_neither_way():
    truth = Boxes(np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float), np.zeros(2, int), ignored=np.array([False, True]))
    pairs = matches(truth, boxes((0, 0, 10, 10), (20, 0, 30, 10), scores=(0.9, 0.8)))
    assert (pairs.true_positives, pairs.found, pairs.true) == (1, 1, 1)


def test_equation_one_by_hand():
    predicted, true = [[0, 0, -1], [1, 0, 0]], [[0, 0, -1], [0, 1, 0]]
    assert squared_distance(predicted, true) == pytest.approx((0 + 2) / 2)


def test_angles_between_known_normals():
    tilted = [[np.sin(a), 0, -np.cos(a)] for a in np.radians([0, 10, 20])]
    figures = angle_figures(tilted, [[0, 0, -1]] * 3)
    assert figures == pytest.approx({"mean_deg": 10, "median_deg": 10, "p90_deg": 18})
