"""Intrinsics from boards whose camera is known, and the file that camera nodes load."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from cadsight_calibration.boards.found import Found
from cadsight_calibration.camera.camera_info import CameraInfo, read_camera_info, write_camera_info
from cadsight_calibration.camera.intrinsics import IntrinsicsParameters, calibrate_intrinsics
from cadsight_calibration.camera.projection import numbers_of, project
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from planted import BOARD, CAMERA, SIZE

PLAIN = IntrinsicsParameters()


def _boards(count=20, seed=0, noise=0.1, tilt=0.5):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:7, :9]
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3) * BOARD.square_mm / 1e3
    found = []
    while len(found) < count:
        turn, place = tilt * rng.normal(size=3), (*rng.uniform((-0.35, -0.2), (0.2, 0.1)), rng.uniform(0.35, 0.6))
        pixels = CAMERA.project(Pose.from_rotvec(turn, place).apply(points))
        if np.isfinite(pixels).all() and (pixels > 0).all() and (pixels < (SIZE.width, SIZE.height)).all():
            found.append(Found(pixels + rng.normal(0, noise, pixels.shape), points[None]))
    return [f"{i}.png" for i in range(count)], found


def test_a_known_camera_is_found_within_its_own_deviations():
    found = calibrate_intrinsics(*_boards(), SIZE, "optical", PLAIN)
    off = abs(numbers_of(found.camera) - numbers_of(CAMERA))
    assert (off < 4 * found.deviations + 1e-9).all(), (off, found.deviations)
    assert off[:4].max() < 3.0
    assert found.faults == ()
    assert abs(found.left_out_px - 0.1 * np.sqrt(2)) < 0.03  # the noise that was put in
    assert found.camera.frame == "optical"


def test_an_image_that_fits_no_camera_is_named_and_left_out():
    names, boards = _boards()
    wrong = boards[3].pixels.copy()
    wrong[:9] += 4.0
    boards[3] = replace(boards[3], pixels=wrong)
    found = calibrate_intrinsics(names, boards, SIZE, "optical", PLAIN)
    assert [fault.images for fault in found.faults] == [("3.png",)]
    assert len(found.used) == 19


def test_boards_that_all_face_the_camera_are_said_to_determine_it_badly():
    found = calibrate_intrinsics(*_boards(tilt=0.02), SIZE, "optical", PLAIN)
    assert any(
        "take images with the board tilted by 30 degrees, in several directions" in fault.sentence
        for fault in found.faults
    )


def test_fewer_than_five_images_are_refused():
    names, boards = _boards(4)
    with pytest.raises(CadsightError, match="4 images show the board, expected at least 5"):
        calibrate_intrinsics(names, boards, SIZE, "optical", PLAIN)


def test_the_file_is_that_of_camera_calibration_and_reads_as_the_same_camera(tmp_path):
    path = write_camera_info(tmp_path / "camera.yaml", CameraInfo("123", CAMERA))
    data = yaml.safe_load(path.read_text())
    assert (data["image_width"], data["camera_name"], data["distortion_model"]) == (1280, "123", "plumb_bob")
    assert data["camera_matrix"]["data"] == [1050.0, 0.0, 636.0, 0.0, 1055.0, 371.0, 0.0, 0.0, 1.0]
    assert data["projection_matrix"]["cols"] == 4
    again = read_camera_info(path)
    assert again.name == "123"
    np.testing.assert_array_equal(numbers_of(again.camera), numbers_of(CAMERA))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("plumb_bob", "equidistant"), "have the lens 'equidistant', expected plumb_bob"),
        (("image_width", "width"), "have no usable 'image_width'"),
        (("1050.0", "-1050.0"), "the focal lengths of camera_color_optical_frame are -1050.0"),
    ],
)
def test_a_file_that_is_no_camera_is_refused(change, words, tmp_path):
    path = write_camera_info(tmp_path / "camera.yaml", CameraInfo("123", CAMERA))
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(CadsightError, match=words):
        read_camera_info(path)


def test_projection_is_that_of_opencv():
    points = np.random.default_rng(0).uniform((-0.3, -0.2, 0.5), (0.3, 0.2, 1.0), (50, 3))
    np.testing.assert_allclose(project(points, numbers_of(CAMERA)), CAMERA.project(points), atol=1e-9)
