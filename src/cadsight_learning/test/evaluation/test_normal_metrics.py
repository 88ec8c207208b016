import json
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.evaluation.normal_metrics import NormalMetrics

# What `cadsight evaluate --json` wrote before there were these classes.
STORED = json.loads((Path(__file__).parents[1] / "stored" / "evaluated_normals.json").read_text())


def test_what_was_stored_is_read_and_written_again_key_by_key():
    kept = {key: value for key, value in STORED.items() if key not in ("model", "data")}
    metrics = NormalMetrics.from_json(STORED)
    again = json.loads(json.dumps(metrics.to_json()))
    assert again == kept
    assert list(again) == list(kept)
    assert NormalMetrics.from_json(again) == metrics
    assert metrics.crops == len(metrics.per_image) == 3


def test_figures_of_earlier_versions_have_no_calibration():
    metrics = NormalMetrics.from_json({key: value for key, value in STORED.items() if key != "calibration"})
    assert metrics.calibration is None
    assert "calibration" not in metrics.to_json()


def test_a_figure_that_is_missing_is_named():
    with pytest.raises(CadsightError, match="has no usable 'median_deg', expected what `cadsight evaluate` writes"):
        NormalMetrics.from_json({key: value for key, value in STORED.items() if key != "median_deg"})
