import dataclasses
import json
import math

import pytest
from cadsight_core.errors import CadsightError
from cadsight_experiments.active.results import RESULTS, load_active, save_active
from cadsight_experiments.active.table import TABLE_HEAD, active_table
from made_active import active_comparison, results

FOUND = [*results("random", {25: [0.1, 0.3], 50: [0.4, 0.4]}), *results("entropy", {25: [0.2, 0.4], 50: [0.5, 0.5]})]


@pytest.mark.parametrize("base", [0.25, math.nan])
def test_a_comparison_comes_back_as_it_was_written(tmp_path, base):
    comparison = active_comparison(FOUND, base)
    save_active(tmp_path, comparison)
    again = load_active(tmp_path)
    assert again.base_map50_95 == pytest.approx(base, nan_ok=True)
    assert dataclasses.replace(again, base_map50_95=0.0) == dataclasses.replace(comparison, base_map50_95=0.0)
    assert json.loads((tmp_path / RESULTS).read_text())["format"] == "cadsight-active-comparison-1"


def test_a_file_of_another_form_is_refused_by_its_path(tmp_path):
    save_active(tmp_path, active_comparison(FOUND))
    data = json.loads((tmp_path / RESULTS).read_text())
    data["results"][0]["colour"] = "red"
    (tmp_path / RESULTS).write_text(json.dumps(data))
    with pytest.raises(CadsightError, match=r"active\.json: a comparison of strategies has no usable .*colour"):
        load_active(tmp_path)


def test_the_table_has_the_form_of_the_papers_with_the_difference_to_random():
    lines = active_table(active_comparison(FOUND, base=0.05)).splitlines()
    assert lines[0] == f"{TABLE_HEAD} boxes | seed 0 | seed 1 | mean | beside random |"
    assert lines[2] == "| S | 0 |  | 0.050 |  | 0.050 |  |"
    # Half of the difference of two seeds, 0.1, times 12.706 of one degree of freedom.
    assert lines[3] == "| S+R random | 25 | 75 | 0.100 | 0.300 | 0.200 (-1.071 to 1.471) |  |"
    assert lines[5].endswith("| +0.100 (+0.100 to +0.100) |")
