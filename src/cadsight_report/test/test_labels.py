import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Pose
from cadsight_core.sample import Instance, Sample
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_report.labels import label_error, label_figures


@dataclass(frozen=True)
class Frame:
    box: Box | None
    normal: np.ndarray
    mask: np.ndarray = field(default_factory=lambda: np.zeros((40, 60), bool))
    camera_from_part: Pose = field(default_factory=Pose.identity)


TRUE = Frame(Box(10, 10, 20, 20), np.array([0.0, 0.0, -1.0]))


def sample(name="a", colour=None, kinematic=None, normal=None):
    instances = ()
    if normal is not None:
        instances = (Instance(0, Box(*kinematic), normal=np.array(normal), source="kinematic"),)
    record = {}
    if colour is not None:
        record["colour_box"] = colour
    if kinematic is not None:
        record["kinematic_box"] = kinematic
    return Sample(name, Path("a.png"), ImageSize(60, 40), instances=instances, record=record)


@pytest.mark.parametrize(
    ("given", "colour", "kinematic", "degrees", "wrong"),
    [
        # 10 x 10 against 10 x 9: 90 of 100 pixels; sin 1 degree off.
        ({"colour": [10, 10, 20, 19], "kinematic": [10, 10, 20, 20], "normal": [0.0174524064, 0, -0.9998476952]},
         0.9, 1.0, 1.0, False),
        # 5 of 15 columns in common.
        ({"colour": [10, 10, 20, 20], "kinematic": [15, 10, 25, 20], "normal": [0, 0, -1]}, 1.0, 1 / 3, 0.0, True),
        ({"colour": [10, 10, 20, 20], "kinematic": [10, 10, 20, 20], "normal": [1, 0, -1]}, 1.0, 1.0, 45.0, True),
        # Rejected: far off, but not kept, so no wrong label.
        ({"colour": [30, 30, 40, 40], "kinematic": [10, 10, 20, 20]}, 0.0, 1.0, None, False),
        ({}, None, None, None, False),
    ],
)  # fmt: skip
def test_labels_are_compared_with_the_truth(given, colour, kinematic, degrees, wrong):
    error = label_error(sample(**given), TRUE)
    assert error.colour_iou == (None if colour is None else pytest.approx(colour))
    assert error.kinematic_iou == (None if kinematic is None else pytest.approx(kinematic))
    assert error.normal_deg == (None if degrees is None else pytest.approx(degrees, abs=1e-6))
    assert error.wrong is wrong


def test_a_label_where_there_is_nothing_to_see_overlaps_by_zero():
    nothing = Frame(None, TRUE.normal)
    error = label_error(sample(colour=[0, 0, 5, 5], kinematic=[0, 0, 5, 5], normal=[0, 0, -1]), nothing)
    assert error.kinematic_iou == 0.0
    assert error.wrong


LABELS = {
    "images": 4, "accepted": 2, "reasons": {"colour_nothing": 1}, "unreadable": ["x"], "seconds": 1.5,
    "correction": {"nominal_from_corrected": {}, "applied": True, "size_mm": 1.0},
    "statistics": {"box_iou": {"mean": 0.97}, "box_iou_before_correction": {"mean": 0.91}},
}  # fmt: skip


def labelled_run(tmp_path, splits):
    for split in splits:
        folder = tmp_path / "sessions" / split
        folder.mkdir(parents=True)
        (folder / "labels.json").write_text(json.dumps(LABELS))
    return RunFolder(tmp_path)


def test_counts_are_over_all_sessions_and_errors_are_those_of_the_test_session(tmp_path):
    run = labelled_run(tmp_path, ("train", "test"))
    good = label_error(sample(colour=[10, 10, 20, 19], kinematic=[10, 10, 20, 20], normal=[0, 0, -1]), TRUE)
    bad = label_error(sample(colour=[10, 10, 20, 20], kinematic=[15, 10, 25, 20], normal=[0, 0, -1]), TRUE)
    figures = label_figures(run, {"train": [bad], "test": [good]})
    assert (figures.images, figures.accepted, figures.rejected) == (8, 4, 4)
    assert figures.rejected_by_reason == {"colour_nothing": 2, "unreadable": 2}
    assert figures.iou_colour_vs_truth == pytest.approx(0.9)
    assert figures.iou_kinematic_vs_truth == pytest.approx(1.0)
    assert figures.normal_error_deg == pytest.approx(0.0)
    assert figures.wrong_kept == 1
    assert figures.sessions["train"].iou_kinematic_vs_truth == pytest.approx(1 / 3)
    assert figures.sessions["train"].hand_eye == {"applied": True, "size_mm": 1.0}


def test_without_truth_there_is_agreement_and_no_error(tmp_path):
    figures = label_figures(labelled_run(tmp_path, ("train",)), {})
    assert figures.sessions["train"].iou_colour_vs_kinematic == 0.97
    assert (figures.wrong_kept, figures.iou_kinematic_vs_truth) == (None, None)
    for written in (figures.to_json(), figures.to_json()["sessions"]["train"]):
        assert "wrong_kept" not in written
        assert "iou_kinematic_vs_truth" not in written


def test_without_a_labelled_session_there_are_no_figures(tmp_path):
    assert label_figures(RunFolder(tmp_path), {}) is None
