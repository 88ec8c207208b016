import copy
import json
import math
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.json_text import without_nan
from cadsight_report.figures import read_figures

# What `cadsight report` wrote of a small run before there were these classes.
PATH = Path(__file__).parent / "stored" / "report.json"
STORED = json.loads(PATH.read_text())


def read(data, folder):
    (folder / "report.json").write_text(json.dumps(data))
    return read_figures(folder / "report.json")


def test_what_was_stored_is_read_and_written_again_byte_by_byte():
    assert json.dumps(without_nan(read_figures(PATH).to_json())) == json.dumps(STORED)


def test_what_is_read_has_names():
    figures = read_figures(PATH)
    assert figures.detector.metrics.map50 == STORED["detector"]["map50"]
    assert figures.normals.metrics.crops == STORED["normals"]["images"] == 3
    assert figures.normals.constant_deg == STORED["normals"]["constant_deg"]
    assert (figures.live.figures.frames, figures.live.detected) == (50, 5)
    assert figures.replay.equal is True
    assert figures.labels.sessions["test"].images == 3
    assert figures.labels.wrong_kept is None
    assert [verdict.key for verdict in figures.targets] == [one["key"] for one in STORED["targets"]]


def test_a_null_is_a_figure_that_is_no_number_and_stays_one(tmp_path):
    data = copy.deepcopy(STORED)
    data["detector"]["box_loss"] = None
    figures = read(data, tmp_path)
    assert math.isnan(figures.detector.metrics.losses["box_loss"])
    assert without_nan(figures.to_json())["detector"]["box_loss"] is None


def test_a_report_of_an_earlier_version_had_no_counts_beside_its_targets_and_other_sections(tmp_path):
    data = copy.deepcopy(STORED)
    for one in data["targets"]:
        del one["of"]
    for section in ("live", "replay", "detector", "normals", "labels", "distances", "detector_on_labels"):
        data[section] = None
    figures = read(data, tmp_path)
    assert {verdict.of for verdict in figures.targets} == {""}
    assert (figures.live, figures.replay, figures.detector, figures.labels) == (None,) * 4


@pytest.mark.parametrize(("section", "key"), [("detector", "map50"), ("normals", "median_deg"), ("live", "frames")])
def test_what_is_missing_is_named(tmp_path, section, key):
    data = copy.deepcopy(STORED)
    del data[section][key]
    with pytest.raises(CadsightError, match=f"has no usable '{key}', expected what"):
        read(data, tmp_path)
