from dataclasses import replace
from pathlib import Path

import pytest
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_generation.sorting.options import SortingOptions
from cadsight_generation.sorting.verdict import Measured, sorted_image

SAMPLE = Sample("made", Path("made.png"), ImageSize(64, 64))
USUAL = Measured(SAMPLE, SAMPLE, 0.5, 0.6, 0.0, 0.6, 2, 0)


@pytest.mark.parametrize(
    ("changes", "colour", "recombined"),
    [
        ({}, "green", False),
        ({"copied_objects": 2}, "green", True),
        ({"quality_p": 0.1}, "yellow", False),
        ({"quality_p": 0.05}, "white", False),
        ({"objects": 0}, "white", False),
        ({"copy_p": 0.05, "quality_p": 0.05}, "red", False),
    ],
)
def test_a_copy_comes_before_quality_and_quality_before_green(changes, colour, recombined):
    found = sorted_image(replace(USUAL, **changes), SortingOptions(), nothing_is_poor=True)
    assert (found.colour, found.recombined) == (colour, recombined)


def test_nothing_detected_is_no_fault_where_real_images_are_empty_too():
    assert sorted_image(replace(USUAL, objects=0), SortingOptions(), nothing_is_poor=False).colour == "green"


def test_yellow_below_white_is_refused():
    with pytest.raises(CadsightError, match="expected yellow at no less"):
        SortingOptions(white=0.1, yellow=0.05)
