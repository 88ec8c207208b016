"""The lens bends as OpenCV's model says."""

import cv2
import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.lens import Lens, is_possible

CAMERA = Camera(ImageSize(320, 240), 307.0, 307.0, 161.5, 117.0, (0.06, -0.04, 0.0008, -0.0008, 0.0), "optical")


def dot(shape: tuple[int, int], x: float, y: float) -> np.ndarray:
    v, u = np.mgrid[0 : shape[0], 0 : shape[1]]
    grey = 250 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * 2.0**2))
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(("x", "y"), [(179, 134), (60, 50), (300, 60), (55, 210), (295, 215)])
def test_a_point_of_the_pinhole_image_bends_to_where_opencv_projects_its_ray(x: int, y: int) -> None:
    lens = Lens(CAMERA)
    ray = np.array([(x - (lens.width - 1) / 2) / CAMERA.fx, (y - (lens.height - 1) / 2) / CAMERA.fy, 1.0])
    expected, _ = cv2.projectPoints(ray[None], np.zeros(3), np.zeros(3), CAMERA.matrix, np.array(CAMERA.distortion))
    bent = lens.bend(dot((lens.height, lens.width), x, y))[..., 1].astype(float)
    v, u = np.mgrid[0:240, 0:320]
    centre = (bent * u).sum() / bent.sum(), (bent * v).sum() / bent.sum()
    assert centre == pytest.approx(expected.ravel(), abs=0.1)


def test_the_pinholes_field_of_view_is_that_of_its_height() -> None:
    lens = Lens(CAMERA)
    assert lens.height == 268  # 240 * 1.12, even
    assert lens.fovy_deg == pytest.approx(np.rad2deg(2 * np.arctan(134 / 307)))


def test_whatever_a_strong_lens_sees_is_in_the_pinholes_image() -> None:
    # The corner's radius of 0.65 comes from r (1 - 0.3 r^2) = 0.65: r = 0.86.
    barrel = Camera(ImageSize(320, 240), 307.0, 307.0, 159.5, 119.5, (-0.3, 0.0, 0.0, 0.0))
    lens = Lens(barrel)
    corner = barrel.rays(np.array([[0.0, 0.0]]))[0]
    reach = np.abs(corner[:2] / corner[2]) * 307.0
    assert reach[0] > 0.5 * 320 * 1.12
    assert (lens.width / 2, lens.height / 2) >= tuple(reach)
    ramp = np.tile(np.arange(lens.width, dtype=np.float32), (lens.height, 1))
    assert lens.bend(ramp)[0, 0] == pytest.approx((lens.width - 1) / 2 - reach[0], abs=0.05)


def test_a_lens_whose_corners_have_no_ray_is_known() -> None:
    # r (1 - 0.097 r^2 - 0.046 r^4) is 0.917 at most. The corners of 160 x 120 at f = 109 are at 0.91, and at 0.94 when
    # the axis is 3 pixels aside.
    bend = (-0.0967, -0.0464, 0.0, 0.0, 0.0)
    assert is_possible(Camera(ImageSize(160, 120), 109.0, 109.0, 79.5, 59.5, bend))
    assert not is_possible(Camera(ImageSize(160, 120), 109.0, 109.0, 76.5, 56.5, bend))


def test_an_impossible_lens_is_refused() -> None:
    with pytest.raises(CadsightError, match="sends two rays to one pixel"):
        Lens(Camera(ImageSize(320, 240), 100.0, 100.0, 159.5, 119.5, (-0.9, 0.0, 0.0, 0.0)))


def test_each_pixel_is_taken_from_where_its_own_ray_meets_the_pinholes_image() -> None:
    lens = Lens(CAMERA, 3)
    ramp = np.tile(np.arange(lens.width, dtype=np.float32), (lens.height, 1))
    x = lens.bend(ramp)
    for u, v in [(0, 0), (319, 0), (161, 117), (37, 201), (250, 239)]:
        ray = CAMERA.rays(np.array([[u, v]], float))[0]
        # Places in the fixed map are whole 1/32 pixels.
        assert x[v, u] == pytest.approx(ray[0] / ray[2] * 3 * 307.0 + (lens.width - 1) / 2, abs=1 / 32)
