import math

import made_figures as made
import pytest
from cadsight_report.run.usefulness import useless


def figures(map50=0.9, recall=0.9, mean=4.0, constant=20.0):
    return made.run(
        detector=made.detector(map50=map50, recall=recall), normals=made.normals(mean, constant_deg=constant)
    )


def test_models_that_find_what_they_were_taught_are_of_use():
    assert useless(figures(map50=0.5, mean=15.0)) == ()


@pytest.mark.parametrize(("recall", "reason"), [(0.0, "finds nothing"), (0.2, "does not find most of the parts")])
def test_a_detector_below_half_is_of_no_use(recall, reason):
    (found,) = useless(figures(map50=0.499, recall=recall))
    assert found.model == "detector"
    assert reason in found.reason


def test_normals_that_are_hardly_better_than_a_constant_are_of_no_use():
    (found,) = useless(figures(mean=15.1))
    assert found.model == "normals"
    assert "off by 15.1 degrees" in found.reason


def test_a_model_that_was_not_evaluated_is_of_no_use():
    assert [found.model for found in useless(made.run())] == ["detector", "normals"]
    assert [found.evaluated for found in useless(figures(map50=math.nan))] == [False]
