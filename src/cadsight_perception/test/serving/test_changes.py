"""What is served over changes, ways back and starts."""

import json
import os
import shutil
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.serving.changes import FORMAT, Serving


@pytest.fixture
def registry(models, tmp_path) -> Path:
    return shutil.copytree(models, tmp_path / "models")


def given(registry: Path, **changes) -> PerceptionParameters:
    file = str(registry.parent / "served.jsonl")
    return PerceptionParameters(
        models_folder=str(registry), served_file=file, warm_up_width=64, warm_up_height=48, **changes
    )


def serving(registry: Path, **changes) -> Serving:
    return Serving(given(registry, **changes), lambda sentence: None)


def names(one: Serving) -> tuple[int, str, str]:
    return one.current.generation, one.current.detector.name, one.current.regressor.name


def test_a_start_goes_on_with_what_was_served_last_and_generations_grow(registry):
    first = serving(registry)
    assert names(first) == (1, "detector", "normals")
    assert first.change("other", "")
    assert names(first) == (2, "other", "normals")
    again = serving(registry)
    assert names(again) == (3, "other", "normals")
    again.roll_back()  # what was before is loaded anew
    assert names(again) == (4, "detector", "normals")
    entries = [json.loads(line) for line in (registry.parent / "served.jsonl").read_text().splitlines()]
    assert entries[0] == {"format": FORMAT}
    assert [(e["generation"], e["why"]) for e in entries[1:]] == [
        (1, "start"), (2, "change"), (3, "start"), (4, "rollback"),
    ]  # fmt: skip


def test_where_the_newest_model_is_damaged_the_one_before_serves_and_it_is_told(registry):
    serving(registry).change("other", "other_normals")
    weights = registry / "other" / "weights.pt"
    shutil.rmtree(registry / "other" / "exports")
    os.truncate(weights, 1000)
    again = serving(registry)
    assert names(again) == (3, "detector", "normals")
    (sentence,) = again.left_out
    assert sentence.startswith("other and other_normals of generation 2: ")


def test_a_model_that_was_replaced_under_its_name_is_not_taken_for_the_one_that_was_served(registry):
    serving(registry).change("other", "")
    shutil.copyfile(registry / "detector" / "weights.pt", registry / "other" / "weights.pt")
    again = serving(registry)
    assert names(again)[1] == "detector"
    sentence = "other and normals are not those of generation 2 any more, expected the same files"
    assert again.left_out == (sentence,)


def test_the_way_back_after_a_start_refuses_a_model_that_was_replaced_under_its_name(registry):
    serving(registry).change("other", "")
    again = serving(registry)
    shutil.copyfile(registry / "other" / "weights.pt", registry / "detector" / "weights.pt")
    with pytest.raises(CadsightError, match="detector and normals are not those of generation 1 any more"):
        again.roll_back()
    assert names(again) == (3, "other", "normals")


def test_what_was_served_before_is_not_loaded_again(registry):
    one = serving(registry)
    before = one.current
    one.change("other", "other_normals")
    after = one.current
    one.roll_back()
    assert one.current.pipeline is before.pipeline
    assert one.change("other", "other_normals")
    assert one.current.detector is after.detector


def test_a_damaged_model_is_found_by_another_process_and_the_old_one_goes_on(registry):
    one = serving(registry)
    shutil.rmtree(registry / "other" / "exports")
    os.truncate(registry / "other" / "weights.pt", 1000)
    with pytest.raises(CadsightError, match=r"other"):
        one.change("other", "")
    assert names(one) == (1, "detector", "normals")


def test_a_record_of_others_is_refused(registry):
    (registry.parent / "served.jsonl").write_text("something else\n")
    with pytest.raises(CadsightError, match="expected a file of the format cadsight-served-1"):
        serving(registry)
