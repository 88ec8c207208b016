import cv2
import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.errors import CadsightError
from hypothesis import given
from hypothesis import strategies as st

VGA = ImageSize(640, 480)
D435 = Camera(VGA, 617.3, 616.1, 323.4, 238.7)
BARREL = Camera(VGA, 617.3, 616.1, 323.4, 238.7, (-0.055, 0.064, 0.0006, -0.0004, -0.02))
CAMERAS = pytest.mark.parametrize("camera", [D435, BARREL], ids=["straight", "distorted"])
pixels = st.tuples(st.floats(0, 639), st.floats(0, 479))


def test_a_point_is_projected_by_hand():
    camera = Camera(VGA, 600, 500, 320, 240)
    # u = 600 * 0.1 / 0.5 + 320, v = 500 * -0.05 / 0.5 + 240
    np.testing.assert_allclose(camera.project([[0.1, -0.05, 0.5]]), [[440, 190]])


def test_radial_distortion_is_computed_by_hand():
    camera = Camera(VGA, 100, 100, 0, 0, (0.5, 0, 0, 0))
    # x = 0.2, r^2 = 0.04, x' = 0.2 * (1 + 0.5 * 0.04)
    np.testing.assert_allclose(camera.project([[0.2, 0, 1]]), [[20.4, 0]])


@CAMERAS
def test_projection_is_opencvs(camera):
    points = np.random.default_rng(1).uniform((-0.3, -0.2, 0.4), (0.3, 0.2, 1.0), (50, 3))
    k = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), k, np.array(camera.distortion or [0.0] * 5))
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-9)


@CAMERAS
def test_rays_are_opencvs_undistorted_points(camera):
    image = np.random.default_rng(2).uniform((0, 0), (639, 479), (50, 2))
    k = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    plane = cv2.undistortPoints(image[:, None], k, np.array(camera.distortion or [0.0] * 5))[:, 0]
    rays = camera.rays(image)
    np.testing.assert_allclose(rays[:, :2] / rays[:, 2:], plane, atol=1e-5)  # OpenCV stops after five rounds


@CAMERAS
@given(pixel=pixels, distance=st.floats(0.1, 5))
def test_a_pixels_ray_is_projected_onto_the_pixel(camera, pixel, distance):
    np.testing.assert_allclose(camera.project(camera.rays([pixel]) * distance), [pixel], atol=1e-5)


def test_rays_have_length_one():
    np.testing.assert_allclose(np.linalg.norm(BARREL.rays([[0, 0], [639, 479]]), axis=1), 1)


def test_a_point_behind_the_camera_has_no_pixel_and_the_others_keep_theirs():
    got = D435.project([[0, 0, -1], [0, 0, 0], [0, 0, 1]])
    assert np.isnan(got[:2]).all()
    np.testing.assert_allclose(got[2], [323.4, 238.7])


@pytest.mark.parametrize("size", [ImageSize(1280, 960), ImageSize(320, 240), ImageSize(640, 240)])
def test_a_resized_camera_sees_the_same_point_of_the_image(size):
    # Relative to the image's corner, which lies half a pixel before the first pixel's centre.
    points = np.array([[0.1, -0.05, 0.5], [-0.12, 0.08, 0.7]])
    before = (BARREL.project(points) + 0.5) / (640, 480)
    after = (BARREL.resized(size).project(points) + 0.5) / (size.width, size.height)
    np.testing.assert_allclose(after, before, atol=1e-12)


@CAMERAS
def test_json_holds_the_whole_camera(camera):
    assert Camera.from_json(camera.to_json()) == camera


@CAMERAS
@given(pixel=pixels)
def test_the_viewing_rotation_takes_the_optical_axis_to_the_pixels_ray_and_does_not_roll(camera, pixel):
    rotation = viewing_rotation(camera, pixel)
    np.testing.assert_allclose(rotation @ [0, 0, 1], camera.rays([pixel])[0], atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    # The shortest rotation turns about an axis in the image plane.
    axis, _ = cv2.Rodrigues(rotation)
    assert axis[2, 0] == pytest.approx(0, abs=1e-12)


def test_the_viewing_rotation_at_the_principal_point_is_none():
    np.testing.assert_allclose(viewing_rotation(D435, (323.4, 238.7)), np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ImageSize(0, 480), "0 x 480"),
        (lambda: ImageSize(640, -1), "640 x -1"),
        (lambda: Camera(VGA, 0, 600, 320, 240), "focal lengths"),
        (lambda: Camera(VGA, float("nan"), 600, 320, 240), "focal lengths"),
        (lambda: Camera(VGA, 600, 600, 320, 240, (0.1,)), "1 distortion coefficients, expected 0, 4 or 5"),
    ],
)
def test_impossible_cameras_are_refused_in_a_sentence(make, words):
    with pytest.raises(CadsightError, match=words):
        make()
