import numpy as np
import pytest
from cadsight_learning.metrics.angles import angle_figures, angle_intervals, squared_distance
from cadsight_learning.metrics.average_precision import average_precision
from cadsight_learning.metrics.boxes import Boxes, iou


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
    # Most confident: right. Second: nothing there. Third: covers the second box to 0.8.
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


def test_equation_one_by_hand():
    predicted, true = [[0, 0, -1], [1, 0, 0]], [[0, 0, -1], [0, 1, 0]]
    assert squared_distance(predicted, true) == pytest.approx((0 + 2) / 2)


def test_angles_between_known_normals():
    tilted = [[np.sin(a), 0, -np.cos(a)] for a in np.radians([0, 9, 21])]
    figures = angle_figures(tilted, [[0, 0, -1]] * 3)
    expected = {"mean_deg": 10, "median_deg": 9, "p90_deg": 18.6, "under_5_deg": 1 / 3, "under_10_deg": 2 / 3}
    assert {name: figures[name] for name in expected} == pytest.approx(expected)


def test_the_interval_of_angles_holds_together_what_is_of_one_image():
    rng = np.random.default_rng(0)
    angles, names = rng.exponential(4, 400), [f"p{i}" for i in range(400)]
    alone = angle_intervals(angles, names)
    # The standard error of the mean is known: the interval is about 1.96 of it on either side.
    error = angles.std() / np.sqrt(400)
    assert alone["mean_deg"] == pytest.approx([angles.mean() - 1.96 * error, angles.mean() + 1.96 * error], abs=0.06)
    assert alone["under_5_deg"][0] < np.mean(angles < 5) < alone["under_5_deg"][1]
    # Four crops of an image that are all alike tell as much as one of them: twice as wide as 400 different ones.
    crowded = angle_intervals(np.repeat(angles[:100], 4), np.repeat(names[:100], 4).tolist())
    one_each = angle_intervals(angles[:100], names[:100])
    assert crowded["mean_deg"] == pytest.approx(one_each["mean_deg"])
    assert np.ptp(crowded["median_deg"]) > 1.3 * np.ptp(alone["median_deg"])
