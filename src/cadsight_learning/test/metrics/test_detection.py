import json

import numpy as np
import pytest
from cadsight_learning.metrics.bootstrap import resampled
from cadsight_learning.metrics.box_metrics import METRICS
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.detection import detection_figures, resampled_figures
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.results import Confusion


def boxes(*rows, scores=(), classes=()) -> Boxes:
    found = np.array(rows, float).reshape(-1, 4)
    return Boxes(found, np.array(classes or [0] * len(found), int), np.array(scores, float))


LABELS = boxes((0, 0, 10, 10), (20, 0, 30, 10))


def test_accuracy_is_right_over_right_wrong_and_missed():
    found = [
        boxes((0, 0, 10, 10), (70, 0, 80, 10), scores=(0.9, 0.8)),
        boxes((0, 0, 10, 10), (20, 0, 30, 10), scores=(0.9, 0.8)),
    ]
    figures = detection_figures([LABELS, LABELS], found, ["block"], 10)
    # 3 right, 1 wrong, 1 missed.
    assert (figures.precision, figures.recall, figures.f1) == pytest.approx((3 / 4, 3 / 4, 3 / 4))
    assert figures.accuracy == pytest.approx(3 / 5)
    # Of the two images one has everything found and nothing wrong.
    assert figures.images_right == 0.5
    assert figures.confusion == Confusion(("block", "background"), ((3, 1), (1, 0)))
    json.dumps(figures.to_json(), allow_nan=False)


def random_boxes(images: int, fraction: float, seed: int = 0):
    """Images with one label, which is found with a probability of ``fraction``."""
    seen = np.random.default_rng(seed).random(images) < fraction
    one = boxes((0, 0, 10, 10))
    return [one] * images, [Boxes(one.boxes, one.classes, np.ones(1)) if s else boxes() for s in seen]


@pytest.mark.parametrize(("images", "fraction"), [(400, 0.8), (100, 0.5)])
def test_the_interval_of_a_recall_is_that_of_its_binomial(images, fraction):
    figures = detection_figures(*random_boxes(images, fraction), ["block"], 10)
    low, high = figures.intervals["recall"]
    error = np.sqrt(figures.recall * (1 - figures.recall) / images)
    assert (low, high) == pytest.approx((figures.recall - 1.96 * error, figures.recall + 1.96 * error), abs=0.015)
    # One class, one IoU, nothing wrong: precision is certain, and mAP is the recall but for COCO's 101 points.
    assert figures.intervals["map50"] == pytest.approx([low, high], abs=0.02)


def test_fifteen_of_fifteen_do_not_pretend():
    figures = detection_figures(*random_boxes(15, 1.0), ["block"], 10)
    assert figures.map50 == 1.0
    for name in METRICS:
        assert figures.intervals[name] == pytest.approx([0.782, 1.0], abs=1e-3)


def test_every_figure_lies_in_its_interval_and_each_class_has_its_own():
    rng = np.random.default_rng(1)
    truth, found = [], []
    for _ in range(60):
        there = boxes((0, 0, 10, 10), (20, 0, 30, 10), classes=(0, 1))
        seen = there.boxes + np.array([0, 0, 0, 1]) * rng.uniform(-3, 3, (2, 1))
        kept = rng.random(2) < (0.9, 0.4)
        truth.append(there)
        found.append(Boxes(seen[kept], there.classes[kept], rng.random(kept.sum())))
    figures = detection_figures(truth, found, ["good", "bad"], 10)
    for one, values in ((figures, figures.figures), *((c, c.scores) for c in figures.per_class.values())):
        for name, (low, high) in one.intervals.items():
            assert low <= values[name] <= high, name
    good, bad = (figures.per_class[name].intervals["recall"] for name in ("good", "bad"))
    assert good[0] > bad[1]
    again = resampled_figures(MatchTable.from_json(figures.matches.to_json()), resampled(60))
    assert np.percentile(again["map50_95"], [2.5, 97.5]).tolist() == pytest.approx(figures.intervals["map50_95"])
    whole = resampled_figures(figures.matches, np.ones((1, 60), int))
    assert [whole[name][0] for name in METRICS] == pytest.approx(list(figures.scores.values()))


def test_images_of_nothing_have_no_figure_to_pretend():
    figures = detection_figures([boxes(), boxes()], [boxes(), boxes((0, 0, 5, 5), scores=(0.9,))], ["block"], 10)
    assert (figures.precision, figures.recall, figures.map50, figures.images_right) == (0, 0, 0, 0.5)
    assert set(figures.intervals) == {"pictures_right"}
