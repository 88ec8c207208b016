import copy
import json
import math
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.metrics.results import DetectionMetrics

# What `cadsight evaluate --json` wrote before there were these classes.
STORED = json.loads((Path(__file__).parents[1] / "stored" / "evaluated_detector.json").read_text())
OF_THE_COMMAND = ("model", "data")


def test_what_was_stored_is_read_and_written_again_key_by_key():
    kept = {key: value for key, value in STORED.items() if key not in OF_THE_COMMAND}
    metrics = DetectionMetrics.from_json(STORED)
    again = json.loads(json.dumps(metrics.to_json()))
    assert again == kept
    assert list(again) == list(kept)
    assert metrics.figures.items() >= {"map50": STORED["map50"], "object_loss": STORED["object_loss"]}.items()
    assert metrics.matches.images == metrics.images == len(metrics.per_image) == 3


def test_figures_of_masks_are_kept_where_there_are_some():
    assert DetectionMetrics.from_json(STORED).masks is None
    masks = {"mask_map50": 0.5, "mask_map50_95": 0.25}
    metrics = DetectionMetrics.from_json({**STORED, **masks})
    assert metrics.figures.items() >= masks.items()
    assert metrics.to_json().items() >= masks.items()


def test_a_null_is_a_figure_that_is_no_number():
    assert math.isnan(DetectionMetrics.from_json({**STORED, "map50": None}).map50)


@pytest.mark.parametrize("key", ["map50", "confusion", "matches", "per_image"])
def test_a_figure_that_is_missing_is_named(key):
    data = copy.deepcopy(STORED)
    del data[key]
    with pytest.raises(CadsightError, match=f"has no usable '{key}', expected what `cadsight evaluate` writes"):
        DetectionMetrics.from_json(data)
