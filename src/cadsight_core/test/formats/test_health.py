import ast
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.health import check, known_kinds
from cadsight_core.formats.reading.notes import KINDS, Notes
from cadsight_core.sample import Instance, Sample

import cadsight_core

SIZE = ImageSize(40, 30)
GOOD = "0 0.5 0.5 0.25 0.2\n1 0.2 0.3 0.1 0.1\n"


@pytest.fixture
def folder(tmp_path, image_file):
    """A YOLO folder of three images in which nothing is wrong."""
    folder = tmp_path / "set"
    (folder / "labels").mkdir(parents=True)
    (folder / "classes.txt").write_text("bracket\nplate\n")
    for index in range(3):
        image_file(f"set/images/{index}.png", seed=index)
        (folder / "labels" / f"{index}.txt").write_text(GOOD)
    return folder


def problems(path, **options):
    report = check(path, **{"few": 1, **options})
    assert all(str(p.file) in p.sentence and "\n" not in p.sentence for p in report.problems)
    return report.problems


def test_a_healthy_set_has_no_problems_and_its_labels_are_counted(folder):
    report = check(folder, few=3)
    assert report.problems == ()
    assert report.counts == {"bracket": 3, "plate": 3}
    assert (report.images, report.labels, report.format) == (3, 6, "yolo")
    assert report.sizes == {(40, 30): 3}


@pytest.mark.parametrize(
    ("text", "kind", "line", "words"),
    [
        (GOOD + "0 0.5 0.5 0.1\n", "odd label", 3, "4 numbers, expected class xc yc w h"),
        (GOOD + "0 0.5 0.5 0.1 wide\n", "odd label", 3, "'wide' is no number"),
        (GOOD + "0 0.5 1.5 0.1 0.1\n", "odd label", 3, "the value 1.5 lies outside 0 to 1"),
        (GOOD + "2 0.5 0.5 0.1 0.1\n", "odd label", 3, "the class is 2, expected 0 to 1"),
        (GOOD + "\n0 0.5 0.5 0 0.1\n", "empty box", 4, "is 0 x 3 pixels, expected one or more"),
        (GOOD + "0 0.5 0.5 0.99 0.99\n", "whole image", 3, "covers 98 % of the image"),
        (GOOD + "0 0.9 0.5 0.4 0.2\n", "box outside", 3, "reaches out of the 40 x 30 pixels"),
        (GOOD + "0 0.5 0.5 0.25 0.2\n", "duplicate box", 3, "the same as that of line 1, expected it once"),
        (GOOD + "1 0.5 0.5 0.25 0.2\n", "duplicate box", 3, "the same as that of line 1 with another class"),
        ("", "empty labels", None, "it has no label"),
        ("\n \n", "empty labels", None, "it has no label"),
    ],
)
def test_each_odd_label_is_reported_with_file_and_line(folder, text, kind, line, words):
    file = folder / "labels" / "1.txt"
    file.write_text(text)
    (problem,) = problems(folder)
    assert (problem.kind, problem.file, problem.line) == (kind, file, line)
    assert words in problem.sentence
    if line is not None:
        assert f"line {line}" in problem.sentence


def test_an_image_without_label_file_and_a_label_file_without_image_are_reported(folder):
    (folder / "labels" / "1.txt").rename(folder / "labels" / "9.txt")
    first, second = problems(folder)
    assert (first.kind, first.file.name) == ("image without labels", "1.png")
    assert (second.kind, second.file.name) == ("label file without image", "9.txt")


def test_copies_of_an_image_are_recognised_by_their_content(folder, tmp_path):
    from cadsight_core.imaging.images import read_image, write_image

    write_image(folder / "images" / "2.bmp", read_image(folder / "images" / "0.png"))  # the same pixels, other bytes
    (folder / "images" / "2.png").unlink()
    (problem,) = problems(folder)
    assert problem.kind == "duplicate image"
    assert "2.bmp: it is the same as" in problem.sentence
    assert "0.png" in problem.sentence


def test_a_copy_in_another_split_is_reported_as_a_leak(tmp_path, image_file):
    for split in ("train", "val"):
        image_file(f"images/{split}/{split}.png")
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "labels" / split / f"{split}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [bracket]\n")
    (problem,) = problems(tmp_path)
    assert "(train and valid)" in problem.sentence
    assert check(tmp_path).splits == {"train": 1, "valid": 1}


@pytest.mark.parametrize(("cut", "words"), [(0, "is empty"), (100, "could not be read"), (2000, "truncated")])
def test_an_image_that_cannot_be_read_is_reported(folder, cut, words):
    image = folder / "images" / "1.png"
    image.write_bytes(image.read_bytes()[:cut])
    (problem,) = problems(folder)
    assert (problem.kind, problem.file) == ("unreadable image", image)
    assert words in problem.sentence


def test_a_truncated_jpeg_is_reported(folder, image_file):
    (folder / "images" / "1.png").unlink()
    image = image_file("set/images/1.jpg", width=200, height=200)
    image.write_bytes(image.read_bytes()[:-500])
    kinds = {p.kind for p in problems(folder)}
    assert kinds == {"unreadable image", "mixed sizes"}


def test_classes_with_few_or_no_labels_are_reported(folder):
    (folder / "classes.txt").write_text("bracket\nplate\nscrew\n")
    found = problems(folder, few=4)
    assert [p.kind for p in found] == ["near-empty class", "near-empty class", "empty class"]
    assert "the class 'screw' has no labels, expected 4 or more" in found[2].sentence


def test_mixed_sizes_are_reported_once_with_their_numbers(folder, image_file):
    image_file("set/images/1.png", width=50, height=30)
    (problem,) = problems(folder)
    assert "2 sizes (2 of 40 x 30, 1 of 50 x 30 pixels)" in problem.sentence


def test_our_own_manifest_is_checked_with_its_lines(tmp_path):
    dataset = Dataset.create(tmp_path / "own", ["bracket"])
    for index, length in enumerate((1.0, 0.5)):
        instance = Instance(0, Box(2, 3, 12, 13), normal=np.array([0, 0, -length]), source="human")
        pixels = np.full((30, 40, 3), index, np.uint8)
        dataset.append(Sample(f"s{index}", Path(), SIZE, instances=(instance,)), pixels)
    (problem,) = problems(dataset.folder)
    assert (problem.kind, problem.file.name, problem.line) == ("non-unit normal", "manifest.jsonl", 2)
    assert "the normal has the length 0.5, expected 1" in problem.sentence
    (dataset.folder / "images" / "s0.png").unlink()
    shutil.copy(dataset.folder / "images" / "s1.png", dataset.folder / "images" / "stray.png")
    assert {p.kind for p in problems(dataset.folder)} == {
        "non-unit normal",
        "unreadable image",
        "image without labels",
    }


def test_a_manifest_edited_by_hand_is_checked(tmp_path):
    dataset = Dataset.create(tmp_path / "own", ["bracket"])
    dataset.append(
        Sample("a", Path(), SIZE, instances=(Instance(0, Box(2, 3, 12, 13), source="human"),)),
        np.zeros((30, 40, 3), np.uint8),
    )
    manifest = dataset.folder / "manifest.jsonl"
    line = manifest.read_text()
    manifest.write_text(line.replace('"class_id": 0', '"class_id": 4'))
    assert "the class is 4, expected 0 to 0" in problems(dataset.folder, few=0)[0].sentence
    manifest.write_text(line.replace("[2, 3, 12, 13]", '"here"'))
    assert problems(dataset.folder, few=0)[0].line == 1
    manifest.write_text(line.replace('"width": 40', '"width": 41'))
    assert "40 x 30 pixels, expected the 41 x 30 of its labels" in problems(dataset.folder, few=0)[0].sentence
    manifest.write_text("{oops\n")
    (problem,) = problems(dataset.folder)
    assert problem.kind == "unreadable data set"


def test_the_papers_two_decimals_are_near_enough_to_a_unit_vector(tmp_path, image_file):
    image_file("a.png", width=224, height=224)
    file = tmp_path / "labels.txt"
    line = "a.png 0.585378 0.629539 {} 0.010000 0.990000\n"
    file.write_text("Name, width, height, u, v, w\n" + line.format("-0.150000"))
    assert problems(tmp_path) == ()
    file.write_text("Name, width, height, u, v, w\n" + line.format("-0.500000"))
    (problem,) = problems(tmp_path)
    assert (problem.kind, problem.file, problem.line) == ("non-unit normal", file, 2)


def coco_set(folder, **annotation):
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 8, "image_id": 1, "category_id": 1, "bbox": [2, 3, 10, 10], **annotation}],
        "categories": [{"id": 1, "name": "bracket"}],
    }
    (folder / "labels.json").write_text(json.dumps(data))


def test_coco_is_checked(tmp_path, image_file):
    image_file("a.png")
    coco_set(tmp_path)
    assert problems(tmp_path) == ()
    coco_set(tmp_path, category_id=2)
    assert {p.kind for p in problems(tmp_path, few=0)} == {"odd label", "empty labels"}
    coco_set(tmp_path, bbox=[2, 3, 10, 0])
    (problem,) = problems(tmp_path)
    assert "label 1 of 'a': the box (2.0, 3.0, 12.0, 3.0) is 10 x 0 pixels" in problem.sentence
    (tmp_path / "labels.json").write_text((tmp_path / "labels.json").read_text()[:80])
    (problem,) = problems(tmp_path)
    assert problem.kind == "unreadable data set"
    assert "is not JSON" in problem.sentence


def test_via_is_checked(tmp_path, image_file):
    image_file("a.png")
    image_file("b.png", seed=1)
    region = {"shape_attributes": {"name": "circle", "cx": 1, "cy": 2, "r": 8}, "region_attributes": {"class": "x"}}
    entry = {"filename": "a.png", "size": 1, "regions": [region], "file_attributes": {}}
    (tmp_path / "via.json").write_text(json.dumps({"a.png1": entry}))
    first, second = sorted(problems(tmp_path), key=lambda p: p.kind)
    assert first.kind == "box outside"
    assert (second.kind, second.file.name) == ("image without labels", "b.png")


@pytest.mark.parametrize("write", ["coco", "via", "images"])
def test_an_unreadable_image_is_reported_in_every_format(tmp_path, image_file, write):
    image_file("a.png")
    image_file("b.png", seed=1)
    if write == "coco":
        coco_set(tmp_path)
    elif write == "via":
        region = {"shape_attributes": {"name": "circle", "cx": 9, "cy": 9, "r": 4}, "region_attributes": {"class": "x"}}
        entries = {n: {"filename": n, "size": 1, "regions": [region]} for n in ("a.png", "b.png")}
        (tmp_path / "via.json").write_text(json.dumps(entries))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    found = [p for p in problems(tmp_path, few=0) if p.kind == "unreadable image"]
    assert [p.file.name for p in found] == ["a.png"]
    assert "a.png could not be read" in found[0].sentence


def test_a_label_file_that_is_no_text_is_reported(folder):
    (folder / "labels" / "1.txt").write_bytes(b"\xff\xfe\x00")
    (problem,) = problems(folder)
    assert (problem.kind, problem.file.name) == ("unreadable label file", "1.txt")


def test_a_folder_of_images_lacks_its_labels(tmp_path, image_file):
    image_file("photos/a.png")
    (problem,) = problems(tmp_path / "photos")
    assert problem.kind == "no labels"


def test_the_report_is_json_and_kinds_can_be_left_out(folder):
    (folder / "labels" / "1.txt").write_text("0 0.5 0.5 0 0\n0 2 2 2 2\n")
    report = check(folder, few=0)
    data = json.loads(json.dumps(report.to_json()))
    assert data["counts"] == {"bracket": 3, "plate": 2}
    assert [p["line"] for p in data["problems"]] == [1, 2]
    assert report.kinds == {"empty box": 1, "odd label": 1}
    assert [p.kind for p in report.without(["odd label"]).problems] == ["empty box"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="none does not exist"):
        check(tmp_path / "none")


def test_a_folder_with_nothing_known_is_reported(tmp_path):
    (problem,) = problems(tmp_path)
    assert problem.kind == "unreadable data set"


PHOTOGRAPHS = next(
    (p / "shared" / "data" for p in Path(__file__).resolve().parents if (p / "shared" / "data").is_dir()), None
)


@pytest.mark.skipif(PHOTOGRAPHS is None, reason="the real photographs (shared/data) are not here")
@pytest.mark.parametrize(
    ("name", "images", "labels", "kinds"),
    [
        ("lmo", 82, 617, set()),
        ("bricks/real", 15, 46, {"near-empty class", "empty class"}),
        ("bricks/rendered", 180, 1112, set()),
        ("bricks/unlabelled", 23, 0, {"no labels"}),
    ],
)
def test_the_real_photographs_are_counted(name, images, labels, kinds):
    report = check(PHOTOGRAPHS / name)
    assert (report.images, report.labels, set(report.kinds)) == (images, labels, kinds)


def test_the_kinds_of_problem_that_modules_report_are_exactly_the_known_ones():
    root = Path(cadsight_core.__file__).parent
    strings = {
        node.value
        for file in (root / "formats").rglob("*.py")
        if file.name != "notes.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(KINDS) <= strings
    notes = Notes()
    with pytest.raises(ValueError, match="the kind of problem is 'size', expected one of KINDS"):
        notes.problem("size", Path("a.txt"), "it is large")


def test_a_set_without_images_is_a_problem(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "classes.txt").write_text("bolt\n")
    # What a checkout without symbolic links leaves of a linked folder.
    (tmp_path / "images" / "train").write_text("../../disk/images/train")
    assert check(tmp_path, few=0).kinds == {"no images": 1}


def test_an_unknown_kind_is_refused_with_all_that_there_are():
    assert known_kinds([*KINDS, "unreadable picture"]) == (*KINDS, "unreadable image")
    with pytest.raises(CadsightError, match="kind of problem 'size' does not exist, expected one of: box outside, "):
        known_kinds(["odd label", "size"])
