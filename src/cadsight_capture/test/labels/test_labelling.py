import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_capture.labels.labelling import LabellingParameters, label_session
from cadsight_core.box import Box
from cadsight_core.config.parameters import from_mapping
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from drawn import MOUNT, session

ERROR = Pose.from_rotvec(np.radians([0.2, -0.15, 0.1]), (1e-3, -0.5e-3, 0.8e-3))


@pytest.fixture(scope="module")
def captured(tmp_path_factory, part, mesh, camera) -> Path:
    return session(tmp_path_factory.mktemp("captured"), part, mesh, camera, 20, ERROR).folder


@pytest.fixture
def raw(tmp_path, captured) -> Dataset:
    return Dataset.open(shutil.copytree(captured, tmp_path / "raw"))


def test_a_session_becomes_a_labelled_data_set(raw: Dataset, part):
    report = label_session(raw, part, MOUNT)
    labelled, rejected = Dataset.open(report.labelled), Dataset.open(report.rejected)
    assert report.images == 20
    assert report.accepted == len(labelled) >= 17
    assert len(labelled) + len(rejected) == 20
    assert report.correction["applied"]
    assert report.statistics["box_iou"]["mean"] > 0.98 > report.statistics["box_iou_before_correction"]["mean"]
    for sample in labelled:
        (instance,) = sample.instances
        assert instance.source == "kinematic"
        assert instance.mask is not None
        assert Box.from_mask(instance.mask) == instance.box
        assert np.linalg.norm(instance.normal) == pytest.approx(1.0)
        assert sample.record["joints"] == raw[sample.name].record["joints"]
        assert Box(*sample.record["colour_box"]).iou(instance.box) > 0.92
    for sample in rejected:
        assert sample.record["rejected"]["kind"] in report.reasons
        assert sample.record["rejected"]["reason"]


def test_labelling_again_changes_nothing_until_an_input_changes(raw: Dataset, part):
    first = label_session(raw, part, MOUNT)
    stamp = (first.labelled / "manifest.jsonl").stat().st_ino
    assert label_session(raw.folder, part, MOUNT) == first
    assert (first.labelled / "manifest.jsonl").stat().st_ino == stamp
    shifted = Pose.from_rotvec(MOUNT.rotvec, np.add(MOUNT.translation, (0.02, 0.0, 0.0)))
    assert label_session(raw, part, shifted).accepted < first.accepted


def test_labels_cut_off_before_their_report_are_made_again(raw: Dataset, part):
    first = label_session(raw, part, MOUNT)
    (first.labelled.parent / "labels.json").unlink()
    (first.labelled / "manifest.jsonl").write_text("")
    assert label_session(raw, part, MOUNT).accepted == first.accepted
    assert len(Dataset.open(first.labelled)) == first.accepted


def test_a_record_without_a_tool_pose_and_a_torn_image_cost_one_image_each(raw: Dataset, part, camera):
    image = np.full((480, 640, 3), 255, np.uint8)
    good = raw["000000"]
    raw.append(replace(good, name="no-pose", record={}), image)
    half = good.record | {"base_from_tool": {"translation_m": [0, 0, 0]}}
    raw.append(replace(good, name="half-a-pose", record=half), image)
    torn = raw.append(replace(good, name="torn"), image)
    Path(torn.image).write_bytes(Path(torn.image).read_bytes()[:200])
    report = label_session(raw, part, MOUNT)
    assert report.reasons["no_pose"] == 2
    assert report.unreadable == ("torn",)


def test_the_background_image_is_no_image_of_a_part(raw: Dataset, part):
    image = np.full((480, 640, 3), 255, np.uint8)
    raw.append(replace(raw["000000"], name="background", record={"background": True}), image)
    assert label_session(raw, part, MOUNT).images == 20


def test_a_folder_that_is_no_data_set_is_not_replaced(raw: Dataset, part):
    mine = raw.folder.parent / "labelled"
    mine.mkdir()
    (mine / "notes.txt").write_text("keep")
    with pytest.raises(CadsightError, match="labelled"):
        label_session(raw, part, MOUNT)
    assert (mine / "notes.txt").read_text() == "keep"


def test_a_session_of_another_part_is_refused(raw: Dataset, part):
    with pytest.raises(CadsightError, match="expected bolt"):
        label_session(raw, replace(part, name="bolt"), MOUNT)


def test_an_empty_session_is_refused(tmp_path, part):
    with pytest.raises(CadsightError, match="no image"):
        label_session(Dataset.create(tmp_path / "raw", ("plate",)), part, MOUNT)


def test_the_report_file_says_what_the_report_says(raw: Dataset, part):
    report = label_session(raw, part, MOUNT)
    data = json.loads((report.labelled.parent / "labels.json").read_text())
    assert data["accepted"] == report.accepted
    assert data["rejected_images"] == report.images - report.accepted
    assert data["images_per_second"] > 0


def test_parameters_come_from_sections_and_refuse_what_they_do_not_know():
    parameters = from_mapping(LabellingParameters, {"agreement": {"min_box_iou": 0.5}, "workers": 1}, "file")
    assert parameters.agreement.min_box_iou == 0.5
    with pytest.raises(CadsightError, match=r"file: colour.*'blurr'"):
        from_mapping(LabellingParameters, {"colour": {"blurr": 1}}, "file")


def test_a_part_without_a_colour_is_refused_before_an_image_is_looked_at(part, tmp_path):
    with pytest.raises(CadsightError, match="the part plate has no colour"):
        label_session(tmp_path / "nothing", replace(part, colour=()), Pose.identity())
