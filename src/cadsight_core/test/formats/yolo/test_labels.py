import os
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.convert import convert
from cadsight_core.formats.reading.folders import by_split
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.formats.yolo.labels import format_line, label_path, parse_line, write_yolo
from cadsight_core.imaging.images import image_size, read_image
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import fill, instance_mask
from core_strategies import boxes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from set_parts import set_parts
from ultralytics.data.utils import verify_image_label

VGA = ImageSize(640, 480)
# Comillas, figure 3.
PAPER = """\
0 0.5828125 0.3270833333333333 0.5578125 0.74375
0 0.4156252 0.4541666666666666 0.4501010 0.60201
0 0.1609375 0.8041666666666667 0.4703125 0.62708
"""


def labelled(image_file, text, name="a", classes="bracket\nplate\n", **size):
    """A YOLO folder with one image and its labels."""
    image = image_file(f"set/images/{name}.png", **size)
    folder = image.parent.parent
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels" / f"{name}.txt").write_text(text)
    (folder / "classes.txt").write_text(classes)
    return folder


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (641, 479)])
def test_the_papers_labels_are_read_and_written_byte_by_byte(tmp_path, image_file, size):
    samples, classes = set_parts(labelled(image_file, PAPER, width=size[0], height=size[1]))[:2]
    assert classes == ("bracket", "plate")
    written = write_yolo({"": samples}, classes, tmp_path / "again").parent / "labels" / "a.txt"
    assert written.read_text() == PAPER.replace("0.4501010", "0.450101")  # the paper's zero at the end tells nothing


def test_the_papers_first_label_is_of_whole_pixels():
    box = parse_line(PAPER.splitlines()[0], VGA).box
    assert box.centre == pytest.approx((373, 157))
    assert (box.width, box.height) == pytest.approx((357, 357))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 0.1", "4 numbers, expected class xc yc w h"),
        ("0", "1 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.2 0.3 0.4", "8 numbers"),
        ("0 0.5 0.5 0.1 x", "'x' is no number"),
        ("bracket 0.5 0.5 0.1 0.1", "'bracket' is no number"),
        ("0 1.5 0.5 0.1 0.1", "the value 1.5 lies outside 0 to 1"),
        ("0 0.5 -0.1 0.1 0.1", "the value -0.1 lies outside"),
        ("0 0.5 0.5 nan 0.1", "the value nan lies outside"),
        ("0 0.5 0.5 inf 0.1", "the value inf lies outside"),
        ("0 0.1 0.1 0.2 0.1 0.2 1.2", "the value 1.2 lies outside"),
        ("2 0.5 0.5 0.1 0.1", "the class is 2, expected 0 to 1"),
        ("-1 0.5 0.5 0.1 0.1", "the class is -1, expected 0 to 1"),
        ("0.5 0.5 0.5 0.1 0.1", "the class is 0.5, expected a whole number"),
        ("nan 0.5 0.5 0.1 0.1", "the class is nan, expected a whole number"),
    ],
)
def test_a_bad_line_is_refused_in_a_sentence_with_file_and_line(image_file, line, words):
    folder = labelled(image_file, "1 0.5 0.5 0.1 0.1\n" + line + "\n")
    with pytest.raises(CadsightError) as caught:
        set_parts(folder)[:2]
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{folder / 'labels' / 'a.txt'}, line 2: ")
    notes = Notes()
    samples, _ = set_parts(folder, notes)[:2]
    assert len(samples[0].instances) == 1
    assert [(p.kind, p.line) for p in notes.problems] == [("odd label", 2)]


def test_a_class_beyond_an_unknown_list_is_welcome_and_a_score_is_read():
    instance = parse_line("7 0.5 0.5 0.5 0.5 0.875", VGA)
    assert (instance.class_id, instance.score) == (7, 0.875)
    assert instance.box == Box(160, 120, 480, 360)


def test_a_class_that_would_fill_the_memory_is_refused_without_a_list_too(image_file):
    folder = labelled(image_file, "99999999999999999999 0.5 0.5 0.1 0.1\n", classes="")
    with pytest.raises(CadsightError, match="the class is 100000000000000000000, expected 0 to 99999"):
        set_parts(folder)[:2]
    (folder / "data.yaml").write_text("train: images\nnc: 99999999999999\n")
    with pytest.raises(CadsightError, match="has 99999999999999 classes, expected 0 to 100000"):
        set_parts(folder)[:2]


def test_values_a_rounding_above_one_are_welcome():
    assert parse_line("0 0.5 0.5 1.0000001 1", VGA).box.width == pytest.approx(640, abs=1e-3)


def test_an_outline_is_read_in_pixels_with_its_box_and_written_as_it_was():
    line = "1 0.25 0.25 0.5 0.25 0.5 0.75"
    instance = parse_line(line, VGA)
    assert instance.attributes["segmentation"] == [[160, 120, 320, 120, 320, 360]]
    assert instance.box == Box(160, 120, 320, 360)
    assert format_line(instance, VGA) == line
    assert format_line(instance, VGA, shapes="boxes") == "1 0.375 0.5 0.25 0.5"
    assert format_line(instance, VGA, square=True) == "1 0.375 0.5 0.375 0.5"


def test_a_mask_is_written_as_outline_on_request_and_covers_the_same_pixels():
    mask = np.zeros((480, 640), bool)
    mask[10:20, 30:50] = mask[40:44, 30:33] = True
    instance = Instance(0, Box.from_mask(mask), mask=mask, source="human")
    assert len(format_line(instance, VGA).split()) == 5
    back = parse_line(format_line(instance, VGA, shapes="polygons"), VGA)
    np.testing.assert_array_equal(instance_mask(back, VGA), mask)


@given(st.data())
def test_a_box_comes_back_from_its_line(data):
    size = ImageSize(data.draw(st.integers(8, 4000)), data.draw(st.integers(8, 4000)))
    box = data.draw(boxes(size))
    back = parse_line(format_line(Instance(3, box, source="human"), size), size)
    assert back.class_id == 3
    assert back.box.as_tuple() == pytest.approx(box.as_tuple(), abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=9))
def test_an_outline_comes_back_from_its_line(corners):
    pixels = (np.array(corners) * (640, 480)).ravel().tolist()
    instance = Instance(1, Box(0, 0, 1, 1), attributes={"segmentation": [pixels]}, source="human")
    back = parse_line(format_line(instance, VGA), VGA)
    np.testing.assert_allclose(back.attributes["segmentation"], [pixels], atol=1e-9)


def test_a_box_that_cannot_be_written_relative_to_its_image_is_cut_at_the_border():
    assert format_line(Instance(0, Box(-128, 0, 64, 48), source="human"), VGA) == "0 0.05 0.05 0.1 0.1"
    assert format_line(Instance(0, Box(-64, -48, 704, 528), source="human"), VGA) == "0 0.5 0.5 1 1"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_written_folder_reads_back_the_same(tmp_path_factory, image_file, data):
    image = image_file("photo.png")
    size = ImageSize(40, 30)
    splits = data.draw(st.lists(st.sampled_from(["train", "valid", "test", ""]), min_size=1, max_size=6))
    samples = [
        Sample(
            f"s{index}",
            image,
            size,
            instances=tuple(
                Instance(data.draw(st.integers(0, 1)), b, source="human")
                for b in data.draw(st.lists(boxes(size, smallest=0.01), max_size=3))
            ),
            split=split,
        )
        for index, split in enumerate(splits)
    ]
    folder = tmp_path_factory.mktemp("yolo") / "set"
    config = write_yolo(by_split(samples), ("bracket", "plate"), folder)
    for source in (folder, config):
        back, classes = set_parts(source)[:2]
        assert classes == ("bracket", "plate")
        assert {s.name: s.split for s in back} == {s.name: s.split for s in samples}
        for sample in back:
            original = next(s for s in samples if s.name == sample.name)
            assert [i.class_id for i in sample.instances] == [i.class_id for i in original.instances]
            for got, given_ in zip(sample.instances, original.instances, strict=True):
                assert got.box.as_tuple() == pytest.approx(given_.box.as_tuple(), abs=1e-9)


def test_the_written_folder_is_the_one_that_ultralytics_reads(tmp_path, image_file):
    image = image_file("photo.jpg")
    sample = Sample(
        "a", image, ImageSize(40, 30), instances=(Instance(1, Box(10, 0, 20, 30), source="human"),), split="valid"
    )
    config = write_yolo({"train": [], "valid": [sample]}, ["bracket", "plate"], tmp_path / "set")
    data = yaml.safe_load(config.read_text())
    assert data == {"train": "images/train", "val": "images/val", "names": {0: "bracket", 1: "plate"}}
    assert (config.parent / "images" / "val" / "a.jpg").read_bytes() == image.read_bytes()
    assert (config.parent / "labels" / "val" / "a.txt").read_text() == "1 0.375 0.5 0.25 1\n"


@pytest.mark.parametrize(
    "names", [["bracket", "plate"], {0: "bracket", 1: "plate"}, {1: "plate", 0: "bracket"}], ids=["list", "dict", "any"]
)
@pytest.mark.parametrize(
    ("path", "train", "folder"),
    [
        (None, "images/train", "images/train"),
        (".", "images/train", "images/train"),
        ("data", "images", "data/images"),
        (None, "../train/images", "train/images"),  # as Roboflow writes it
        (None, ["images/a", "images/b"], "images/b"),
        ("/somewhere/else", "images/train", "images/train"),  # a set that was moved
        (None, "train.txt", "images"),
    ],
)
def test_a_data_yaml_is_understood_however_it_names_its_folders(tmp_path, image_file, names, path, train, folder):
    image = image_file(f"{folder}/x.png")
    (tmp_path / "images" / "a").mkdir(parents=True, exist_ok=True)
    label = label_path(image)
    label.parent.mkdir(parents=True)
    label.write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "train.txt").write_text("./images/x.png\n\n")
    data = {"train": train, "names": names, **({"path": path} if path else {})}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(data))
    samples, classes = set_parts(tmp_path)[:2]
    assert classes == ("bracket", "plate")
    assert [(s.name, s.split, len(s.instances)) for s in samples] == [("x", "train", 1)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: {0: a, 2: b}", "expected the ids 0 to 1"),
        ("names: {0: a, K: b}", "expected the ids 0 to 1"),
        ("names: 3.5", "expected a list, or a mapping"),
        ("nc: [a]", "expected a list, or a mapping"),
        ("base: &b {names: [a]}\n<<: *b", "expected"),
        ("train: images", "has no key 'names'"),
        ("names: [a", "is not YAML"),
        ("names: [a]\ntrain: missing", "train is 'missing', expected a folder or list of images"),
        (f"names: [a]\ntrain: {'a' * 300}", "expected a folder or list of images"),
        (f"names: [a]\npath: {'a' * 300}\ntrain: missing", "train is 'missing', expected"),
        ("names: [a]\ntrain: ../../etc", "train is '../../etc', expected"),
        ("names: [a]\ntrain: list.txt", "list.txt, line 1: 'none.png' is no image"),
    ],
)
def test_a_data_yaml_that_cannot_be_used_is_refused_in_a_sentence(tmp_path, text, words):
    (tmp_path / "data.yaml").write_text(text)
    (tmp_path / "list.txt").write_text("none.png\n")
    with pytest.raises(CadsightError) as caught:
        set_parts(tmp_path)[:2]
    assert words in str(caught.value)


@pytest.mark.parametrize("file", ["set/classes.txt", "set/labels/classes.txt", "classes.txt"])
def test_the_class_list_may_lie_beside_in_labels_or_one_folder_up(tmp_path, image_file, file):
    folder = labelled(image_file, "1 0.5 0.5 0.5 0.5\n")
    (folder / "classes.txt").rename(tmp_path / file)
    samples, classes = set_parts(folder)[:2]
    assert classes == ("bracket", "plate")
    assert len(samples) == 1


def test_without_a_class_list_a_strict_reader_refuses_and_a_patient_one_counts(image_file):
    folder = labelled(image_file, "3 0.5 0.5 0.5 0.5\n")
    (folder / "classes.txt").unlink()
    with pytest.raises(CadsightError, match=r"expected classes\.txt or data\.yaml"):
        set_parts(folder)[:2]
    assert set_parts(folder, Notes())[1] == ("0", "1", "2", "3")


def test_images_of_the_same_name_in_two_splits_get_two_names(tmp_path, image_file):
    for split in ("train", "val"):
        image_file(f"images/{split}/x.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "classes.txt").write_text("a\n")
    assert [s.name for s in set_parts(tmp_path)[0]] == ["train_x", "valid_x"]


def test_a_truncated_or_empty_image_is_reported_with_its_name(tmp_path, image_file):
    folder = labelled(image_file, "0 0.5 0.5 0.5 0.5\n")
    (folder / "images" / "a.png").write_bytes(b"")
    with pytest.raises(CadsightError, match=r"a\.png is empty"):
        set_parts(folder)[:2]


def test_a_missing_folder_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(CadsightError, match="none does not exist"):
        set_parts(tmp_path / "none")[:2]


def test_an_export_replaces_an_earlier_one_but_never_other_files(tmp_path, image_file):
    image = image_file("photo.png")
    sample = Sample("a", image, ImageSize(40, 30))
    write_yolo({"train": [sample]}, ["x"], tmp_path / "set")
    write_yolo({"train": [Sample("b", image, ImageSize(40, 30))]}, ["x"], tmp_path / "set")
    assert [p.name for p in (tmp_path / "set" / "images" / "train").iterdir()] == ["b.png"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(CadsightError, match=r"holds files that are no earlier result of ours, such as thesis\.txt"):
        write_yolo({"train": [sample]}, ["x"], tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize("name", ["../a", "/tmp/a"])
def test_an_export_that_fails_leaves_the_earlier_one(tmp_path, image_file, name):
    image = image_file("photo.png")
    size = ImageSize(40, 30)
    write_yolo({"train": [Sample("a", image, size)]}, ["x"], tmp_path / "set")
    with pytest.raises(CadsightError, match="leads out of the folder"):
        write_yolo({"train": [Sample("b", image, size), Sample(name, image, size)]}, ["x"], tmp_path / "set")
    with pytest.raises(CadsightError, match="two samples are called 'b'"):
        write_yolo({"train": [Sample("b", image, size)] * 2}, ["x"], tmp_path / "set")
    with pytest.raises(CadsightError, match=r"none\.png could not be copied"):
        write_yolo({"train": [Sample("b", tmp_path / "none.png", size)]}, ["x"], tmp_path / "set")
    assert [p.name for p in (tmp_path / "set" / "images" / "train").iterdir()] == ["a.png"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photo.png", "set"]


def test_a_thousand_label_files_are_read_quickly_and_no_image_is_decoded(tmp_path, image_file):
    image = image_file("set/images/0.png", width=640, height=480).read_bytes()
    (tmp_path / "set" / "labels").mkdir()
    (tmp_path / "set" / "classes.txt").write_text("bracket\n")
    for index in range(1000):
        (tmp_path / "set" / "images" / f"{index}.png").write_bytes(image[:2000])  # cut short: decoding would fail
        (tmp_path / "set" / "labels" / f"{index}.txt").write_text("0 0.5 0.5 0.1 0.1\n" * 5)
    start = time.process_time()
    samples, _ = set_parts(tmp_path / "set")[:2]
    seconds = time.process_time() - start
    assert sum(len(s.instances) for s in samples) == 5000
    assert seconds < 10.0  # 0.3 s of one core in quiet


def test_outlines_of_several_parts_become_one_line_that_covers_both():
    polygons = [[100, 100, 120, 100, 120, 120, 100, 120], [200, 100, 220, 100, 220, 120, 200, 120]]
    instance = Instance(0, Box(100, 100, 220, 120), attributes={"segmentation": polygons}, source="human")
    back = parse_line(format_line(instance, VGA), VGA)
    assert instance_mask(back, VGA).sum() == fill(polygons, VGA).sum() == 800


def test_a_mask_comes_back_from_a_line_of_polygons_with_its_hole_and_pieces():
    mask = np.zeros((VGA.height, VGA.width), bool)
    mask[2:12, 3:14] = True
    mask[5:8, 6:9] = mask[6, 10] = False
    mask[20:22, 20:25] = True
    line = format_line(Instance(0, Box(3, 2, 25, 22), mask=mask, source="human"), VGA, shapes="polygons")
    back = instance_mask(parse_line(line, VGA), VGA)
    np.testing.assert_array_equal(back, mask)


POSE = "0 0.5 0.5 0.25 0.2 0.25 0.5 2 0 0 0\n"


def test_key_points_are_no_outline_where_data_yaml_has_their_number(image_file):
    folder = labelled(image_file, POSE)
    (folder / "data.yaml").write_text("train: images\nkpt_shape: [2, 3]\nnames: [bracket]\n")
    (sample,), _ = set_parts(folder)[:2]
    (instance,) = sample.instances
    assert instance.box == Box(15, 12, 25, 18)
    assert instance.attributes == {"keypoints": [10, 15, 2, 0, 0, 0], "num_keypoints": 1}


@pytest.mark.parametrize(
    ("row", "shape", "words"),
    [
        ("0 0.5 0.5 0.25 0.2 0.25 0.5", "[2, 2]", "7 numbers, expected 9: class xc yc w h and 2 key points of 2"),
        ("0 0.5 0.5 0.25 0.2 0.25 1.5 0.1 0.1", "[2, 2]", "the key point 0 is 0.25 1.5, expected 0 to 1"),
        ("0 0.5 0.5 0.25 0.2 0.25 nan 0.1 0.1", "[2, 2]", "the key point 0 is 0.25 nan"),
        ("0 0.5 0.5 0.25 0.2 0.25 0.5 7", "[1, 3]", "a visibility of 0, 1 or 2"),
        ("0 0.5 0.5 0.25 0.2", "[2, 4]", r"the kpt_shape [2, 4], expected"),
        ("0 0.5 0.5 0.25 0.2", "seventeen", "the kpt_shape 'seventeen'"),
    ],
)
def test_odd_key_points_are_refused(image_file, row, shape, words):
    folder = labelled(image_file, f"{row}\n")
    (folder / "data.yaml").write_text(f"train: images\nkpt_shape: {shape}\nnames: [bracket]\n")
    with pytest.raises(CadsightError) as caught:
        set_parts(folder)[:2]
    assert words in str(caught.value)


def test_key_points_are_written_as_ultralytics_reads_them(tmp_path, image_file):
    attributes = {"keypoints": [10, 15, 2, 0, 0, 0], "num_keypoints": 1}
    instances = (
        Instance(0, Box(15, 12, 25, 18), attributes=attributes, source="human"),
        Instance(0, Box(0, 0, 10, 15), source="human"),
    )
    sample = Sample("a", image_file("a.png"), ImageSize(40, 30), instances=instances, split="train")
    config = write_yolo({"train": [sample]}, ["bracket"], tmp_path / "set")
    assert "kpt_shape: [2, 3]" in config.read_text()
    label = tmp_path / "set" / "labels" / "train" / "a.txt"
    assert label.read_text() == POSE + "0 0.125 0.25 0.25 0.5 0 0 0 0 0 0\n"
    found = verify_image_label((str(tmp_path / "set/images/train/a.png"), str(label), "", True, 1, 2, 3, False))
    assert found[-1] == ""
    np.testing.assert_allclose(found[4][0], [[0.25, 0.5, 2], [0, 0, 0]])
    (back,), _ = set_parts(config)[:2]
    assert [i.attributes["keypoints"] for i in back.instances] == [[10, 15, 2, 0, 0, 0], [0] * 6]


@pytest.mark.parametrize("shapes", ["as_given", "polygons", "boxes"])
def test_all_rows_of_a_file_are_of_one_kind(tmp_path, image_file, shapes):
    polygon = [4, 3, 16, 3, 16, 18, 4, 18]
    mask = np.zeros((30, 40), bool)
    mask[20:25, 10:30] = True
    instances = (
        Instance(0, Box(4, 3, 16, 18), attributes={"segmentation": [polygon]}, source="human"),
        Instance(1, Box(24, 3, 32, 9), source="human"),
        Instance(1, Box.from_mask(mask), mask=mask, source="human"),
    )
    sample = Sample("a", image_file("a.png"), ImageSize(40, 30), instances=instances)
    write_yolo({"": [sample]}, ["x", "y"], tmp_path / "set", shapes=shapes)
    label = tmp_path / "set" / "labels" / "a.txt"
    counts = {len(line.split()) for line in label.read_text().splitlines()}
    assert counts == ({5} if shapes != "polygons" else {9})
    image = str(tmp_path / "set" / "images" / "a.png")
    found = verify_image_label((image, str(label), "", False, 2, 0, 0, False))
    assert found[-1] == ""
    expected = [[0.25, 0.35, 0.3, 0.5], [0.7, 0.2, 0.2, 0.2], [0.5, 0.75, 0.5, 1 / 6]]
    np.testing.assert_allclose(found[1][:, 1:], expected, atol=1e-6)


def test_an_outline_that_reaches_out_is_cut_and_not_squeezed(tmp_path, image_file):
    image = image_file("a.png", width=100, height=100)
    triangle = {"segmentation": [[50, 50, 250, 50, 50, 250]]}
    sample = Sample(
        "a",
        image,
        ImageSize(100, 100),
        instances=(Instance(0, Box(50, 50, 100, 100), attributes=triangle, source="human"),),
    )
    write_yolo({"": [sample]}, ["x"], tmp_path / "set")
    values = (tmp_path / "set" / "labels" / "a.txt").read_text().split()[1:]
    corners = {tuple(map(float, values[i : i + 2])) for i in range(0, len(values), 2)}
    assert corners == {(0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1)}


def test_a_crowd_is_no_object(tmp_path, image_file):
    instances = (
        Instance(0, Box(4, 3, 16, 18), source="human"),
        Instance(0, Box(0, 0, 40, 30), attributes={"iscrowd": 1}, source="human"),
    )
    sample = Sample("a", image_file("a.png"), ImageSize(40, 30), instances=instances)
    write_yolo({"": [sample]}, ["x"], tmp_path / "set")
    assert (tmp_path / "set" / "labels" / "a.txt").read_text() == "0 0.25 0.35 0.3 0.5\n"


def test_a_label_outside_its_image_has_no_row_and_is_reported(tmp_path, image_file):
    image = image_file("a.png")
    dataset = Dataset.create(tmp_path / "set", ["x"])
    boxes = [Box(2, 2, 9, 9), Box(50, 2, 60, 9), Box(4, 4, 4, 4)]
    sample = Sample("a", Path(), image_size(image), instances=tuple(Instance(0, box, source="human") for box in boxes))
    dataset.append(sample, read_image(image))
    done = convert(dataset.folder, tmp_path / "out", "yolo")
    assert len((tmp_path / "out" / "labels" / "a.txt").read_text().splitlines()) == 1
    (left,) = done.account.left_out
    assert (left.what, left.count, left.why) == ("labels", 2, "nothing of their box lies in the image")


def test_an_empty_line_in_a_class_list_is_refused_as_ids_behind_it_would_differ(tmp_path, image_file):
    image = image_file("set/images/a.png")
    (tmp_path / "set" / "labels").mkdir()
    (tmp_path / "set" / "labels" / "a.txt").write_text("1 0.5 0.5 0.2 0.2\n")
    classes = tmp_path / "set" / "classes.txt"
    classes.write_text("bolt\n\nnut\n")
    with pytest.raises(CadsightError, match=r"classes\.txt, line 2: it is empty, expected the name of a class"):
        set_parts(tmp_path / "set")[:2]
    classes.write_text("bolt \n nut\n\n\n")
    assert set_parts(tmp_path / "set")[1] == ("bolt", "nut")
    assert image.is_file()


def test_ids_of_classes_may_be_in_quotes(tmp_path, image_file):
    image_file("set/images/a.png")
    (tmp_path / "set" / "data.yaml").write_text("train: images\nnames: {'1': nut, '0': bolt}\n")
    assert set_parts(tmp_path / "set")[1] == ("bolt", "nut")
    (tmp_path / "set" / "data.yaml").write_text("train: images\nnames: [bolt, '']\n")
    with pytest.raises(CadsightError, match="has the class 1 with the name '', expected a name"):
        set_parts(tmp_path / "set")[:2]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("{0: bolt, -0.0: nut}", "has the key -0.0 in line 2 and in line 2, expected it once"),
        ("{1: bolt, true: nut}", "has the key True in line 2 and in line 2, expected it once"),
        ("{0: bolt, 1.0: nut}", "expected the ids 0 to 1"),
    ],
)
def test_ids_of_classes_that_python_takes_for_one_are_refused(tmp_path, image_file, names, words):
    image_file("set/images/a.png")
    (tmp_path / "set" / "data.yaml").write_text(f"train: images\nnames: {names}\n")
    with pytest.raises(CadsightError) as caught:
        set_parts(tmp_path / "set")[:2]
    assert words in str(caught.value)


def test_ids_of_classes_may_be_written_as_yaml_writes_whole_numbers(tmp_path, image_file):
    image_file("set/images/a.png")
    (tmp_path / "set" / "data.yaml").write_text("train: images\nnames: {0: bolt, +1: nut, 0x2: pin}\n")
    assert set_parts(tmp_path / "set")[1] == ("bolt", "nut", "pin")


def test_a_path_that_is_the_whole_disk_is_not_walked(tmp_path, image_file, monkeypatch):
    image_file("set/images/a.png")
    (tmp_path / "set" / "data.yaml").write_text("path: //\ntrain: images\nnames: [bolt]\n")
    (tmp_path / "set" / "loop").symlink_to("loop")
    scanned, scan = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: scanned.append(str(folder)) or scan(folder))
    assert [s.name for s in set_parts(tmp_path / "set")[0]] == ["a"]
    assert all(folder.startswith(str(tmp_path)) for folder in scanned)


@pytest.mark.parametrize("train", ["home/set/images/train", "null", "home/set/missing"])
def test_a_path_that_leads_to_a_whole_disk_is_not_looked_through(tmp_path, image_file, monkeypatch, train):
    folder = labelled_at(tmp_path / "home" / "set", image_file)
    (folder / "data.yaml").write_text(f"path: ../..\ntrain: {train}\nnames: [bolt]\n")
    looked, of = [], Tree.of
    monkeypatch.setattr(Tree, "of", staticmethod(lambda folder: (looked.append(Path(folder)), of(folder))[1]))
    samples, classes, _ = set_parts(folder, Notes())
    assert ([s.name for s in samples], classes) == (["a"], ("bolt",))
    assert len(samples[0].instances) == 1
    assert looked
    assert all(one.is_relative_to(folder) for one in looked)


def labelled_at(folder, image_file):
    for name in ("images", "labels"):
        (folder / name / "train").mkdir(parents=True)
    image_file(folder / "images" / "train" / "a.png", 40, 30)
    (folder / "labels" / "train" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return folder
