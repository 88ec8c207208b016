import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.regression import (
    format_line,
    normal_from_file,
    normal_to_file,
    read_regression,
    write_regression,
)
from cadsight_core.geometry import unit
from cadsight_core.imaging.crops import crop
from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Instance, Sample
from core_strategies import directions
from hypothesis import given
from hypothesis import strategies as st

# Comillas, figure 6.
PAPER = """\
Name, width, height, u, v, w
000000.png 0.585378 0.629539 -0.150000 0.010000 0.990000
000001.png 0.589303 0.627821 -0.160000 0.000000 0.990000
000002.png 0.594057 0.626719 -0.160000 0.000000 0.990000
000003.png 0.597741 0.625246 -0.160000 -0.000000 0.990000
"""


@pytest.fixture
def paper(tmp_path, image_file):
    for index in range(4):
        image_file(f"{index:06d}.png", width=224, height=224, seed=index)
    (tmp_path / "labels.txt").write_text(PAPER)
    return tmp_path


def test_the_papers_file_is_read(paper):
    samples, classes = read_regression(paper)
    assert classes == ("part",)
    assert [s.name for s in samples] == ["000000", "000001", "000002", "000003"]
    instance = samples[0].instances[0]
    # u to the right, v up, w towards the camera: x right, y down, z away
    np.testing.assert_allclose(instance.normal, [-0.15, -0.01, -0.99])
    np.testing.assert_allclose(instance.point, [0.585378 * 224 - 0.5, 0.629539 * 224 - 0.5])
    assert instance.box == Box(0, 0, 224, 224)


def test_the_papers_file_is_written_byte_by_byte(paper, tmp_path):
    written = write_regression(read_regression(paper)[0], tmp_path / "again")
    assert written.read_text() == PAPER
    for index in range(4):
        name = f"{index:06d}.png"
        np.testing.assert_array_equal(read_image(written.parent / name), read_image(paper / name))


def test_a_part_that_faces_the_camera_has_w_one():
    assert normal_to_file([0, 0, -1]).tolist() == [0, 0, 1]
    assert normal_to_file([0, -1, 0]).tolist() == [0, 1, 0]  # upwards in the image
    assert normal_to_file([1, 0, 0]).tolist() == [1, 0, 0]


@given(directions)
def test_axes_there_and_back_are_the_same(direction):
    np.testing.assert_array_equal(normal_from_file(normal_to_file(direction)), direction)


@given(directions, st.floats(0, 1), st.floats(0, 1))
def test_a_line_holds_six_decimals(direction, x, y):
    name, *numbers = format_line("a.png", (x, y), unit(direction)).split(" ")
    assert name == "a.png"
    assert all(len(n.partition(".")[2]) == 6 for n in numbers)
    np.testing.assert_allclose([float(n) for n in numbers[:2]], [x, y], atol=5e-7)
    np.testing.assert_allclose(normal_from_file([float(n) for n in numbers[2:]]), unit(direction), atol=5e-7)


def test_a_sample_becomes_its_crop_and_the_point_relative_to_it(tmp_path, image_file):
    image = image_file("photo.png", width=640, height=480)
    camera = Camera(ImageSize(640, 480), 600, 600, 320, 240)
    # The box of 100 x 60 becomes the square (200, 80) to (300, 180); the point lies at its (40, 25) from the corner.
    instance = Instance(
        0, Box(200, 100, 300, 160), normal=np.array([0.6, 0, -0.8]), point=np.array([239.5, 104.5]), source="kinematic"
    )
    other = Instance(0, Box(0, 0, 10, 10), source="human")  # no normal, no line
    sample = Sample("a", image, ImageSize(640, 480), camera, (instance, other))
    file = write_regression([sample], tmp_path / "set")
    assert file.read_text() == "Name, width, height, u, v, w\na.png 0.400000 0.250000 0.600000 -0.000000 0.800000\n"
    np.testing.assert_array_equal(read_image(file.parent / "a.png"), crop(read_image(image), instance.box))


def test_several_parts_of_an_image_are_numbered_and_a_box_stands_for_an_unknown_point(tmp_path, image_file):
    image = image_file("photo.png", width=640, height=480)
    normal = np.array([0.0, 0.0, -1.0])
    instances = tuple(Instance(0, Box(x, 100, x + 50, 150), normal=normal, source="human") for x in (0, 300))
    file = write_regression([Sample("a", image, ImageSize(640, 480), instances=instances)], tmp_path / "set")
    lines = file.read_text().splitlines()[1:]
    assert lines == [f"a_{i}.png 0.500000 0.500000 0.000000 -0.000000 1.000000" for i in range(2)]


def test_without_square_the_box_itself_is_stretched(tmp_path, image_file):
    image = image_file("photo.png", width=640, height=480)
    instance = Instance(
        0, Box(200, 100, 300, 160), normal=np.array([0, 0, -1.0]), point=np.array([249.5, 114.5]), source="human"
    )
    sample = Sample("a", image, ImageSize(640, 480), instances=(instance,))
    file = write_regression([sample], tmp_path / "set", size=64, square=False)
    assert file.read_text().splitlines()[1].startswith("a.png 0.500000 0.250000")
    assert read_image(file.parent / "a.png").shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("000000.png 0.5 0.5 0 0", "'0.5 0.5 0 0' follows the name, expected five finite numbers"),
        ("000000.png 0.5 0.5 0 0 x", "could not convert string to float: 'x'"),
        ("000000.png 0.5 0.5 0 0 nan", "expected five finite"),
        ("../../a.png 0.5 0.5 0 0 1", "leads out of the folder"),
        ("none.png 0.5 0.5 0 0 1", "none.png does not exist"),
        ("000001.png 0.5 0.5 0 0 1", "'000001.png' is there a second time"),
    ],
)
def test_a_bad_line_is_refused_in_a_sentence_with_file_and_line(paper, line, words):
    text = PAPER.splitlines()
    (paper / "labels.txt").write_text("\n".join([text[0], text[2], line]) + "\n")
    with pytest.raises(CadsightError) as caught:
        read_regression(paper)
    assert words in str(caught.value)
    assert "labels.txt, line 3: " in str(caught.value)
    notes = Notes()
    assert len(read_regression(paper, notes)[0]) == 1
    assert len(notes.problems) == 1


@pytest.mark.parametrize("text", ["", "name x y\n", "000000.png 0.5 0.5 0 0 1\n"])
def test_another_header_is_refused(paper, text):
    (paper / "labels.txt").write_text(text)
    with pytest.raises(CadsightError, match="expected the header 'Name, width, height, u, v, w'"):
        read_regression(paper)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"labels\.txt could not be read"):
        read_regression(tmp_path)


def test_a_name_with_blanks_is_understood(tmp_path, image_file):
    image_file("my part 1.png", width=224, height=224)
    (tmp_path / "labels.txt").write_text("Name, width, height, u, v, w\nmy part 1.png 0.5 0.5 0 0 1\n")
    assert read_regression(tmp_path)[0][0].name == "my part 1"
