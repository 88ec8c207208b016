import copy
import json
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_experiments.comparison import load_comparison
from cadsight_experiments.results import Comparison

# What `cadsight experiment` wrote before there were these classes, of two seeds of one set.
FOLDER = Path(__file__).parent / "stored"
STORED = json.loads((FOLDER / "comparison.json").read_text())


def test_what_was_stored_is_read_and_written_again_byte_by_byte():
    again = load_comparison(FOLDER).to_json()
    assert json.dumps({"format": "cadsight-comparison-1", **again}) == json.dumps(STORED)


def test_what_is_read_has_names():
    comparison = load_comparison(FOLDER)
    (one,) = comparison.sets
    assert (one.name, one.origins, comparison.named("twin")) == ("twin", {"synthetic": 4}, one)
    assert [trial.seed for trial in one.trials] == [0, 1]
    for trial, stored in zip(one.trials, STORED["sets"][0]["trials"], strict=True):
        assert trial.has_normals
        assert trial.figures == stored["figures"]
        assert trial.calibration.error == stored["calibration"]["error"]
        assert trial.objects[0].angle_deg == stored["objects"][0]["angle_deg"]
        assert len(trial.objects) == len(comparison.objects) == comparison.test_images == 3


def test_what_earlier_versions_left_out_is_read_as_nothing():
    old = copy.deepcopy(STORED)
    del old["symmetry"]
    for one in old["sets"]:
        del one["after"], one["facts"]
        for trial in one["trials"]:
            del trial["stopped"], trial["calibration"]
    comparison = Comparison.from_json(old)
    assert comparison.symmetry == ()
    assert (comparison.sets[0].after, comparison.sets[0].facts) == ("", {})
    assert (comparison.sets[0].trials[0].stopped, comparison.sets[0].trials[0].calibration) == ({}, None)


def test_a_set_without_a_regressor_has_no_angles_not_even_in_the_file():
    bare = copy.deepcopy(STORED)
    for trial in bare["sets"][0]["trials"]:
        trial["figures"] = {name: value for name, value in trial["figures"].items() if "deg" not in name}
        del trial["calibration"]
        for one in trial["objects"]:
            del one["angle_deg"]
    comparison = Comparison.from_json(bare)
    assert not comparison.sets[0].trials[0].has_normals
    assert json.dumps({"format": bare["format"], **comparison.to_json()}) == json.dumps(bare)


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (lambda data: data.pop("objects"), "a comparison has no usable 'objects'"),
        (lambda data: data["sets"][0].pop("mean"), "a set has no usable 'mean'"),
        (lambda data: data["sets"][0]["trials"][1].pop("confusion"), "a trial has no usable 'confusion'"),
    ],
)
def test_what_is_missing_is_named_with_its_file(tmp_path, take, words):
    data = copy.deepcopy(STORED)
    take(data)
    (tmp_path / "comparison.json").write_text(json.dumps(data))
    with pytest.raises(CadsightError, match=rf"comparison\.json: {words}"):
        load_comparison(tmp_path)
