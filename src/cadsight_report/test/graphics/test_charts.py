import re

import numpy as np
import pytest
from cadsight_report.graphics import charts

CHARTS = {
    "scatter": lambda: charts.scatter([0.1, 0.2], [3.0, 4.0], "x", "error", {"mean": 3.5}),
    "curves": lambda: charts.curves([("box loss", {"train": [3.0, 2.0], "valid": [3.5, 2.5]})]),
    "one epoch": lambda: charts.curves([("box loss", {"train": [3.0]})]),
    "histograms": lambda: charts.histograms([("IoU", {"colour": [0.9, 0.95], "kinematic": [0.99]})]),
    "overlaid": lambda: charts.overlaid([("loss", {"a": [[3.0, 2.0]], "b": [[1.0], [2.0]]})], ["b", "a"]),
    "with intervals": lambda: charts.with_intervals(
        [("mAP50", {"a": (0.5, 0.4, 0.6), "b": (0.1, np.nan, np.nan)})], "ab"
    ),
    "by vertical": lambda: charts.by_vertical({"a": ([0.9, 0.95, 1.0], [3.0, 2.0, 1.0])}, ["a"]),
    "calibrations": lambda: charts.calibrations({"a": ([0.1, 0.9], [0.2, 0.8])}, ["a"]),
    "gap": lambda: charts.gap({"mixed": [(20.0, 0.6, 0.5, 0.7)]}, {"synthetic": (0.4, 0.3, 0.5)}, "mAP50:95"),
    "by images": lambda: charts.by_images({"a": [(10.0, 0.5, 0.4, 0.6), (0.0, 0.1, np.nan, np.nan)]}, "ab", "x", "y"),
    "densities": lambda: charts.densities([("red", {"train": [0.5, 0.5], "test": [1.0, 0.0]})]),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_one_svg_that_refers_to_nothing_outside(name):
    svg = CHARTS[name]()
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert "http" not in svg
    assert "currentColor" in svg


@pytest.mark.parametrize("name", CHARTS)
def test_what_a_chart_refers_to_is_in_it(name):
    svg = CHARTS[name]()
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    assert used
    assert used <= set(re.findall(r'id="([^"]+)"', svg))


def test_the_curves_of_several_seeds_are_thin_lines_of_one_colour_and_one_word_below():
    svg = charts.overlaid([("loss", {"a": [[3.0, 2.0]], "b": [[4.0, 3.0], [4.1, 3.1], [4.2, 3.2]]})], ["a", "b"])
    lines = re.findall(
        r'<path d="[^"]*" clip-path="[^"]*" style="fill: none; stroke: ([^;"]*); stroke-width: (\d.\d)', svg
    )
    assert [line for line in lines if line[0] in (charts.BLUE, charts.ORANGE)] == [
        (charts.BLUE, "1.4"), *[(charts.ORANGE, "0.7")] * 3,
    ]  # fmt: skip
    assert re.findall(r"<text[^>]*>([ab])</text>", svg) == ["a", "b"]


@pytest.mark.parametrize(("epochs", "ticks"), [(1, ["1"]), (3, ["1", "2", "3"])])
def test_epochs_are_whole_numbers_however_few(epochs, ticks):
    for svg in (
        charts.overlaid([("loss", {"a": [[0.5] * epochs]})], ["a"]),
        charts.curves([("loss", {"a": [0.5] * epochs})]),
    ):
        assert re.findall(r"<text[^>]*>(\d(?:\.\d+)?)</text>", svg)[: len(ticks)] == ticks


def test_text_in_a_chart_is_escaped():
    svg = charts.curves([("<b>&", {"a": [1.0, 2.0]})])
    assert "<b>" not in svg
    assert "&lt;b&gt;&amp;" in svg
