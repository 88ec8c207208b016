import json
import sys
from pathlib import Path

import numpy as np
import pytest
from cadsight_learning.metrics.box_metrics import GROUP, METRICS, Matched
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.detection import detection_figures
from cadsight_learning.metrics.results import DetectionMetrics
from installed_package import install

STORED = json.loads((Path(__file__).parents[1] / "stored" / "evaluated_detector.json").read_text())
THEIRS = """
from cadsight_learning.metrics.box_metrics import BoxMetric

F2 = BoxMetric("f2", "F2", lambda m: m.over(5 * m.right, m.found + 4 * m.labelled))
"""


def test_the_figures_of_three_right_ones_of_four_that_were_found_where_six_are_labelled():
    matched = Matched(np.array([3.0]), np.array([4.0]), np.array([6.0]), np.array([[0.8, 0.4]]))
    found = {metric.name: metric.of(matched).tolist() for metric in METRICS.ours}
    assert found == {
        "precision": [3 / 4],
        "recall": [3 / 6],
        "f1": [6 / 10],
        "accuracy": [3 / 7],
        "map50": [0.8],
        "map50_95": [pytest.approx(0.6)],
    }


def test_where_nothing_is_labelled_a_fraction_is_no_number():
    assert np.isnan(Matched(*np.zeros((3, 1)), np.full((1, 10), np.nan)).over(np.ones(1), np.ones(1))).all()


@pytest.fixture
def f2(tmp_path, monkeypatch):
    """A figure of another package, installed."""
    install(tmp_path, "f2", GROUP, "f2 = f2_figure:F2", {"f2_figure": THEIRS})
    monkeypatch.syspath_prepend(tmp_path)
    METRICS.__dict__.pop("_theirs", None)  # what was found before
    yield
    METRICS.__dict__.pop("_theirs", None)
    sys.modules.pop("f2_figure", None)


def test_another_packages_figure_is_computed_with_its_interval_and_kept(f2):
    there = Boxes(np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]]), np.zeros(2, int))
    seen = Boxes(there.boxes[:1], np.zeros(1, int), np.ones(1))
    metrics = detection_figures([there] * 8, [seen] * 8, ["block"], 10)
    # 5 * 8 right over 8 found and 4 * 16 labelled.
    assert metrics.scores["f2"] == metrics.per_class["block"].scores["f2"] == pytest.approx(40 / 72)
    assert metrics.intervals["f2"] == pytest.approx((40 / 72, 40 / 72))
    kept = json.loads(json.dumps(metrics.to_json()))
    assert kept["f2"] == DetectionMetrics.from_json(kept).figures["f2"] == pytest.approx(40 / 72)


def test_a_file_of_before_a_figure_was_added_is_read_without_it(f2):
    metrics = DetectionMetrics.from_json(STORED)
    assert "f2" not in metrics.figures
    assert metrics.precision == STORED["precision"]
