"""Records tell the hand-eye file that they were taken with."""

import hashlib

import numpy as np
import pytest
from cadsight_calibration.hand_eye.hand_eye_file import HandEye, write_hand_eye
from cadsight_capture.hand_eye.provenance import provenance
from cadsight_capture.session import Control
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from drawn_cell import DrawnCell, session


def _file(folder):
    camera, here = Camera(ImageSize(640, 480), 600.0, 600.0, 320.0, 240.0), Pose.identity()
    hand_eye = HandEye("eye_to_hand", "base", here, camera, "", here, np.eye(12), 1.0, 15, {}, ())
    return write_hand_eye(folder / "hand-eye.json", hand_eye)


def test_every_record_of_a_session_has_the_hash_of_the_file(tmp_path):
    path = _file(tmp_path)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    session(tmp_path / "s", 2, DrawnCell(Control()), provenance=provenance(str(path))).run()
    records = [sample.record for sample in Dataset.open(tmp_path / "s" / "raw")]
    assert [record["hand_eye_sha256"] for record in records] == [expected] * 3  # the background too


@pytest.mark.parametrize("name", ["", "none"])
def test_no_file_leaves_nothing_in_the_records(name):
    assert provenance(name) == {}


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(CadsightError, match="expected 'cadsight-hand-eye-1'"):
        provenance(str(tmp_path / "a.json"))
