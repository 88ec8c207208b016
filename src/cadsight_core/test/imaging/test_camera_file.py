import pytest
import yaml
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.camera_file import read_camera_file, write_camera_file

# As camera_calibration's cameracalibrator writes it.
WRITTEN = """\
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [612.1, 0.0, 318.5, 0.0, 611.9, 242.25, 0.0, 0.0, 1.0]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.1, -0.2, 0.001, -0.002, 0.05]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1, 0, 0, 0, 1, 0, 0, 0, 1]
projection_matrix:
  rows: 3
  cols: 4
  data: [612.1, 0.0, 318.5, 0.0, 0.0, 611.9, 242.25, 0.0, 0.0, 0.0, 1.0, 0.0]
"""


def test_what_camera_calibration_writes_is_the_camera(tmp_path):
    file = tmp_path / "ost.yaml"
    file.write_text(WRITTEN)
    camera = read_camera_file(file, "optical")
    assert camera.size == ImageSize(640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (612.1, 611.9, 318.5, 242.25)
    assert camera.distortion == (0.1, -0.2, 0.001, -0.002, 0.05)
    assert camera.frame == "optical"


def test_what_is_written_is_that_of_camera_calibration_and_reads_as_the_same_camera(tmp_path):
    camera = Camera(ImageSize(1280, 720), 1050.0, 1055.0, 636.0, 371.0, (0.05, -0.1, 0.001, -0.0005, 0.02), "optical")
    path = write_camera_file(tmp_path / "camera.yaml", camera, "123")
    data = yaml.safe_load(path.read_text())
    assert (data["image_width"], data["camera_name"], data["distortion_model"]) == (1280, "123", "plumb_bob")
    assert data["camera_matrix"]["data"] == [1050.0, 0.0, 636.0, 0.0, 1055.0, 371.0, 0.0, 0.0, 1.0]
    assert data["projection_matrix"]["cols"] == 4
    assert read_camera_file(path, "optical") == camera


@pytest.mark.parametrize(
    ("data", "model", "expected"),
    [
        ("[0.0, 0.0, 0.0, 0.0, 0.0]", "plumb_bob", ()),
        ("[0.1, 0.2, 0.0, 0.0]", "plumb_bob", (0.1, 0.2, 0.0, 0.0, 0.0)),
        ("[0.1, 0.2, 0.0, 0.0, 0.3, 0, 0, 0]", "rational_polynomial", (0.1, 0.2, 0.0, 0.0, 0.3)),
    ],
)
def test_lenses_that_are_plumb_bob_in_fact_are_read_as_it(tmp_path, data, model, expected):
    file = tmp_path / "ost.yaml"
    file.write_text(WRITTEN.replace("[0.1, -0.2, 0.001, -0.002, 0.05]", data).replace("plumb_bob", model))
    assert read_camera_file(file, "optical").distortion == expected


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("image_width: 640", "image_width: -1", "has the image_width -1, expected a whole number"),
        ("image_width: 640\n", "", "has the image_width None, expected a whole number"),
        ("612.1, 0.0, 318.5, 0.0, 611.9", "612.1, 0.5, 318.5, 0.0, 611.9", "expected positive focal lengths"),
        ("data: [612.1", "data: [-612.1", "expected positive focal lengths"),
        ("612.1, 0.0, 318.5, 0.0, 611.9", "612.1, 0.0, 900.0, 0.0, 611.9", "a centre inside 640 x 480"),
        ("612.1, 0.0, 318.5, 0.0, 611.9", "612.1, 0.0, 318.5, 0.0", "expected data of 9 finite numbers"),
        ("data: [0.1, -0.2", "data: [.nan, -0.2", "expected data of finite numbers"),
        ("distortion_model: plumb_bob", "distortion_model: equidistant", "distortion_model 'equidistant'"),
        ("0.05]", "0.05, 0.1, 0.0, 0.0]", "expected plumb_bob: at most the five coefficients"),
        (WRITTEN, "hello", "holds 'hello', expected what camera_calibration writes"),
    ],
)
def test_what_is_no_usable_calibration_is_refused_by_name(tmp_path, old, new, sentence):
    file = tmp_path / "ost.yaml"
    file.write_text(WRITTEN.replace(old, new, 1))
    with pytest.raises(CadsightError) as refused:
        read_camera_file(file, "optical")
    assert sentence in str(refused.value)
    assert str(file) in str(refused.value)
