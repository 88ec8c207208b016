"""Which steps of a run are done again, on real run folders whose steps are said to be done."""

import json
from pathlib import Path

import pytest
import yaml
from cadsight_cli.demo.pipeline import Pipeline
from cadsight_cli.demo.resuming.anew import beside
from cadsight_cli.demo.resuming.inputs import NEEDS
from cadsight_cli.demo.settings import QUICK, DemoSettings, is_quick, settings_of
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def config(tmp_path):
    """A parameter file with a part of its own beside it, whose files a test may edit."""
    parts = ROOT / "config" / "parts"
    part = yaml.safe_load((parts / "bracket.yaml").read_text())
    mesh = tmp_path / Path(part["mesh"]).name
    mesh.write_bytes((parts / part["mesh"]).read_bytes())
    (tmp_path / "part.yaml").write_text(yaml.safe_dump(part | {"mesh": mesh.name}))
    data = yaml.safe_load((ROOT / "config" / "workcell.yaml").read_text())
    for node in (data["simulated_cell"], *data["cadsight"].values()):
        if "part" in node["ros__parameters"]:
            node["ros__parameters"]["part"] = str(tmp_path / "part.yaml")
    path = tmp_path / "workcell.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.fixture
def folder(tmp_path, config):
    """A run whose steps are all done."""
    folder = tmp_path / "run"
    pipeline = Pipeline(folder, DemoSettings(), config, False, print)
    for name in NEEDS:
        pipeline.journal.run(name, lambda anew: None, pipeline.inputs[name])
    for split in ("train", "valid", "test"):
        raw = RunFolder(folder).session(split).raw
        raw.mkdir(parents=True)
        (raw / "manifest.jsonl").write_text("{}\n")
    return folder


def opened(folder, config, recapture=False, **given):
    output = []
    pipeline = Pipeline(folder, settings_of(given, folder / "demo.json"), config, recapture, output.append)
    left = {name for name in NEEDS if not pipeline.journal.steps[name].done}
    return left, output


def test_what_did_not_change_is_not_done_again(folder, config):
    assert opened(folder, config) == (set(), [])


def test_a_longer_training_does_its_step_again_and_what_reads_it_and_says_why(folder, config):
    left, output = opened(folder, config, detector_epochs=77)
    assert left == {"train_detector", "live", "replay"}
    before = DemoSettings().detector_epochs
    assert output == [
        f"train_detector: done again, since detector_epochs was {before} and is now 77",
        "live: done again, since train_detector is",
        "replay: done again, since live is",
    ]
    assert opened(folder, config) == (left, [])
    assert json.loads((folder / "demo.json").read_text())["detector_epochs"] == 77


def test_parameters_of_a_node_concern_the_steps_that_run_it(folder, config):
    data = yaml.safe_load(config.read_text())
    data["cadsight"]["perception"]["ros__parameters"]["confidence"] = 0.25
    config.write_text(yaml.safe_dump(data))
    left, output = opened(folder, config)
    assert left == {"live", "replay"}
    assert output[0] == "live: done again, since the parameters of cadsight/perception changed"


@pytest.mark.parametrize("what", ["part.yaml", "mesh"])
def test_sessions_of_a_part_that_was_edited_are_refused_until_they_may_be_captured_again(folder, config, what):
    path = config.parent / what
    if what == "mesh":
        path = config.parent / yaml.safe_load((config.parent / "part.yaml").read_text())["mesh"]
    path.write_bytes(path.read_bytes() + b"\n")
    before = (folder / "steps.json").read_text()
    with pytest.raises(CadsightError, match=r"the part of simulated_cell changed.*another --out, or --recapture"):
        opened(folder, config)
    assert (folder / "steps.json").read_text() == before
    left, _ = opened(folder, config, recapture=True)
    assert left == set(NEEDS)
    assert (folder / "sessions" / "train" / "raw" / "manifest.jsonl").exists()


def test_another_seed_asks_before_it_captures_again(folder, config):
    with pytest.raises(CadsightError, match=r"capture_train: seed was 0 and is now 5"):
        opened(folder, config, seed=5)


def test_more_images_are_added_to_those_that_are_there(folder, config):
    left, output = opened(folder, config, train=400)
    assert left == {"capture_train", "label", "data", "train_detector", "train_normals", "live", "replay"}
    assert output[0] == "capture_train: gone on with, since train was 200 and is now 400"
    assert not json.loads((folder / "steps.json").read_text())["steps"]["capture_train"]["anew"]


def test_a_run_of_an_earlier_version_is_gone_on_with_as_it_was_begun(folder, config):
    steps = json.loads((folder / "steps.json").read_text())["steps"]
    old = {name: {"done": step["done"], "seconds": 9.0} for name, step in steps.items()}
    (folder / "steps.json").write_text(json.dumps({"steps": old}))
    settings = json.loads((folder / "demo.json").read_text()) | {"detector_seconds": 120.0, "detector_epochs": 40}
    (folder / "demo.json").write_text(json.dumps(settings))
    assert opened(folder, config) == (set(), [])
    left, output = opened(folder, config, detector_seconds=200.0)
    assert left == {"train_detector", "live", "replay"}
    assert output[0].endswith("since detector_seconds was 120.0 and is now 200.0")


def test_what_was_begun_beside_for_an_earlier_change_is_begun_anew(folder, config):
    opened(folder, config, detector_epochs=77)
    begun = beside(RunFolder(folder)).detector
    begun.mkdir(parents=True)
    opened(folder, config, detector_epochs=78)
    assert not begun.exists()


@pytest.mark.parametrize("name", ["notes.txt", "demo.json", "steps.json", "report.html", "sessions/train/a.png"])
def test_a_folder_of_others_is_refused_before_anything_is_written(tmp_path, config, name):
    theirs = tmp_path / "theirs" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(CadsightError, match=r"is no run of cadsight demo and holds .*, expected a new"):
        Pipeline(tmp_path / "theirs", DemoSettings(), config, False, print)
    assert [path for path in (tmp_path / "theirs").rglob("*") if path.is_file()] == [theirs]
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("name", ["steps.json", "report.html", "report.json"])
def test_a_file_of_others_under_a_name_of_a_run_is_refused_before_it_goes_on(folder, config, name):
    (folder / name).write_text("mine")
    with pytest.raises(CadsightError, match=rf"{name} is no earlier output of ours"):
        opened(folder, config)
    assert (folder / name).read_text() == "mine"


def test_what_a_kill_left_of_the_first_file_of_a_run_is_no_file_of_others(tmp_path, config):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".demo.json.ab12_cd3").write_text("{")
    Pipeline(tmp_path / "run", DemoSettings(), config, False, print)


def test_a_run_as_small_as_a_quick_one_is_told_from_others():
    assert is_quick(DemoSettings(**QUICK))
    assert not is_quick(DemoSettings(**QUICK | {"detector_epochs": 9}))
