"""A set of a real UR3 that others took: its faults are found without help, and both cameras are placed."""

from pathlib import Path

import pytest
from cadsight_calibration.calibrating import CalibrationParameters, calibrate_camera_of
from cadsight_calibration.data.description import load_description
from cadsight_calibration.data.loading import load_poses

SET = next(
    (p / "shared/data/handeye_ur3" for p in Path(__file__).resolve().parents if (p / "shared/data").is_dir()), None
)
DESCRIPTION = Path(__file__).with_name("handeye_ur3.yaml")


@pytest.mark.skipif(SET is None, reason="the real photographs (shared/data) are not here")
@pytest.mark.parametrize(("number", "most_px"), [(0, 2.2), (1, 2.9)])
def test_a_real_set_is_solved_and_its_faults_are_named(number, most_px):
    description = load_description(DESCRIPTION)
    poses = load_poses(description, SET)
    found = calibrate_camera_of(description.cameras[number], description, poses, SET, CalibrationParameters())
    faults = {fault.kind: fault for fault in found.solved.faults}
    assert set(faults) == {"image_size", "exchanged"}
    assert [Path(name).stem for name in faults["exchanged"].images] == ["pose_25", "pose_26"]
    assert found.kept == 38
    assert found.evaluation.fitted_px.value < most_px
    assert found.evaluation.left_out_px.value < 1.3 * found.evaluation.fitted_px.value
