"""What is served, and what is not, on detections made with a known precision."""

import json
import re

import numpy as np
import pytest
from cadsight_active.gate import gate
from cadsight_active.gate_options import GateOptions
from cadsight_core.errors import CadsightError
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.matching import MatchTable

NAMES = ("bolt", "nut")


def truth(images):
    boxes = np.array([[0.0, 0, 20, 20], [40, 0, 60, 20]])
    return [Boxes(boxes, np.array([0, 1])) for _ in range(images)]


def found(labels, rng, offset=1.0, missed=(0.1, 0.1)):
    """Each label is missed with a chance, and else found with so much noise of its corners."""
    each = []
    for one in labels:
        kept = rng.random(len(one.boxes)) >= np.array(missed)[one.classes]
        boxes = one.boxes[kept] + rng.normal(0, offset, one.boxes[kept].shape)
        each.append(Boxes(boxes, one.classes[kept], rng.uniform(0.5, 1, kept.sum())))
    return each


def table(images, seed, **how):
    labels = truth(images)
    return MatchTable.of(labels, found(labels, np.random.default_rng(seed), **how), 2)


def test_a_model_that_is_surely_better_is_served():
    verdict = gate(table(150, 0, offset=2.0), table(150, 1, offset=1.0), NAMES)
    assert verdict.answer == "accept"
    assert verdict.overall.low > 0
    assert [name for name, _ in verdict.classes] == ["bolt", "nut"]
    assert json.loads(json.dumps(verdict.to_json()))["classes"]["nut"]["low"] == verdict.classes[1][1].low


def test_the_same_model_is_not_served_again():
    one = table(120, 0)
    verdict = gate(one, one, NAMES)
    assert (verdict.answer, verdict.overall.value, verdict.overall.low) == ("keep", 0, 0)


def test_a_model_that_is_better_but_for_one_class_is_not_served():
    old, new = table(300, 0, missed=(0.5, 0.0)), table(300, 1, missed=(0.0, 0.15))
    verdict = gate(old, new, NAMES)
    assert verdict.answer == "keep"
    assert verdict.overall.low > 0
    assert "nut (at worst -" in verdict.reason


@pytest.mark.parametrize(
    ("images", "options", "words"),
    [
        (99, GateOptions(), "99 images are held out, expected at least 100"),
        (100, GateOptions(least_labels=101), r"too few labels are held out \(bolt with 100, nut with 100\)"),
    ],
)
def test_with_too_little_held_out_nothing_can_be_told(images, options, words):
    verdict = gate(table(images, 0, offset=3.0), table(images, 1, offset=0.1), NAMES, options)
    assert verdict.answer == "cannot tell"
    assert verdict.overall is None
    assert re.match(words, verdict.reason)


def test_models_of_other_images_are_refused():
    with pytest.raises(CadsightError, match="evaluated on other images or labels"):
        gate(table(100, 0), table(101, 0), NAMES)


@pytest.mark.parametrize(("offset", "most"), [(1.0, 0.05), (1.25, 0.01)])
def test_models_that_are_no_better_are_served_no_more_often_than_stated(offset, most):
    # 200 trials of 10 000 resamples take minutes: docs/active-learning.md has what they gave.
    options = GateOptions(resamples=1000)
    served = [
        gate(table(120, 2 * n), table(120, 2 * n + 1, offset=offset), NAMES, options).answer == "accept"
        for n in range(40)
    ]
    assert np.mean(served) <= most
