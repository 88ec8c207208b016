"""Intrinsics from boards whose camera is known, and the file that camera nodes load."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_calibration.boards.found import Found
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


def test_projection_is_that_of_opencv():
    points = np.random.default_rng(0).uniform((-0.3, -0.2, 0.5), (0.3, 0.2, 1.0), (50, 3))
    np.testing.assert_allclose(project(points, numbers_of(CAMERA)), CAMERA.project(points), atol=1e-9)
