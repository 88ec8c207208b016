import numpy as np
import pytest
from cadsight_camera.lens import assumed_camera, camera_for
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError

SIZE = ImageSize(640, 480)


def test_the_assumed_lens_is_as_wide_as_it_is_told():
    camera = assumed_camera(SIZE, 60.0, "optical")
    # 320 px at 30 degrees: 320 / tan 30 = 554.256.
    assert (camera.fx, camera.fy) == pytest.approx((554.2563, 554.2563))
    assert (camera.cx, camera.cy, camera.distortion, camera.frame) == (319.5, 239.5, (), "optical")
    left, right = camera.rays([[-0.5, 239.5], [639.5, 239.5]])
    assert np.degrees(np.arccos(left @ right)) == pytest.approx(60.0)


def test_a_calibration_goes_before_what_is_assumed_and_must_fit_the_images():
    calibrated = Camera(SIZE, 500.0, 501.0, 320.0, 240.0, (), "optical")
    assert camera_for(SIZE, calibrated, 60.0, "optical") is calibrated
    with pytest.raises(CadsightError, match="is for 640 x 480 pixels, expected the images' 1280 x 720"):
        camera_for(ImageSize(1280, 720), calibrated, 60.0, "optical")


def test_nothing_is_assumed_where_that_is_switched_off():
    assert camera_for(SIZE, None, 0.0, "optical") is None
