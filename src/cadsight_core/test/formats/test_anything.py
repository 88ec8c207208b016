import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.datasets.splits import divide
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load, read
from cadsight_core.formats.convert import TARGETS, convert
from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Instance, Sample

SIZE = ImageSize(40, 30)


@pytest.fixture
def dataset(tmp_path):
    """Four images in three splits with two classes, one image without a part."""
    dataset = Dataset.create(tmp_path / "own", ["bracket", "plate"])
    for index, split in enumerate(["train", "train", "valid", "test"]):
        normal = np.array([0.0, 0.6, -0.8])
        parts = (
            Instance(0, Box(2 + index, 3, 12, 13), normal=normal, point=np.array([7.0, 8.0]), source="human"),
            Instance(
                1, Box(20, 10, 30, 25), attributes={"segmentation": [[20, 10, 30, 10, 30, 25, 20, 25]]}, source="human"
            ),
        )
        image = np.random.default_rng(index).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        sample = Sample(f"s{index}", Path(), SIZE, instances=parts if index != 1 else (), split=split)
        dataset.append(sample, image)
    return dataset


def contents(samples, classes):
    """What every format of detection holds."""
    return {
        s.name: (s.split, s.size, [(classes[i.class_id], tuple(np.round(i.box.as_tuple(), 9))) for i in s.instances])
        for s in samples
    }


@pytest.mark.parametrize("between", [["yolo"], ["coco"], ["via"], ["cadsight"], ["yolo", "via", "coco", "cadsight"]])
def test_splits_classes_boxes_outlines_and_images_survive_the_way_through(dataset, tmp_path, between):
    source = dataset.folder
    for step, target in enumerate(between):
        source = convert(source, tmp_path / str(step) / target, target).path
    back = read(source)
    assert back.format == between[-1]
    assert contents(back.samples, back.classes) == contents(dataset, dataset.classes)
    outlines = {s.name: [i.attributes.get("segmentation") for i in s.instances] for s in back.samples}
    # Of boxes and outlines in one image YOLO has the boxes.
    given = {s.name: [i.attributes.get("segmentation") for i in s.instances] for s in dataset}
    assert outlines == (given if "yolo" not in between else {k: [None] * len(v) for k, v in given.items()})
    for sample in back.samples:
        np.testing.assert_array_equal(read_image(sample.image), dataset.image(dataset[sample.name]))


def test_coco_and_our_manifest_hold_everything(dataset, tmp_path):
    coco = convert(dataset.folder, tmp_path / "coco", "coco").path
    again = Dataset.open(convert(coco, tmp_path / "again", "cadsight").path)
    for sample in again:
        for got, original in zip(sample.instances, dataset[sample.name].instances, strict=True):
            assert (got.normal is None) == (original.normal is None)
            assert got.normal is None or got.normal.tolist() == original.normal.tolist()


def test_entries_of_a_file_for_the_whole_set_stay_in_our_manifest(tmp_path, image_file):
    image_file("coco/a.png")
    data = {
        "info": {"year": 2026},
        "images": [{"id": 9, "file_name": "a.png", "width": 40, "height": 30, "license": 2}],
        "annotations": [{"id": 4, "image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 1, "area": 12}],
        "categories": [{"id": 7, "name": "plate", "supercategory": "part"}],
    }
    (tmp_path / "coco" / "x.json").write_text(json.dumps(data))
    own = convert(tmp_path / "coco", tmp_path / "own", "cadsight").path
    back = convert(own, tmp_path / "back", "coco").path
    assert json.loads((back / "annotations" / "instances_all.json").read_text()) == data


def test_the_regression_file_has_a_folder_a_split(dataset, tmp_path):
    folder = convert(dataset.folder, tmp_path / "set", "regression").path
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == ["test", "train", "valid"]
    samples, classes = load(folder / "train")
    assert [s.name for s in samples] == ["s0"]
    assert classes == ("part",)
    np.testing.assert_allclose(samples[0].instances[0].normal, [0, 0.6, -0.8])


def test_boxes_are_made_square_on_request(dataset, tmp_path):
    for target in ("yolo", "coco", "via", "cadsight"):
        samples, _ = load(convert(dataset.folder, tmp_path / target, target, square=True).path)
        box = next(s for s in samples if s.name == "s0").instances[1].box
        assert box.as_tuple() == pytest.approx((17.5, 10, 32.5, 25), abs=1e-9)


def test_a_set_can_be_divided_anew(dataset, tmp_path):
    target = convert(dataset.folder, tmp_path / "y", "yolo", arrange=lambda s: divide(s, {"train": 2, "test": 2})).path
    assert sorted(s.split for s in load(target)[0]) == ["test", "test", "train", "train"]


def test_a_folder_of_images_is_a_set_without_labels(tmp_path, image_file):
    image_file("photos/a.png")
    image_file("photos/deep/b.jpg")
    loaded = read(tmp_path / "photos")
    assert (loaded.format, loaded.classes) == ("images", ())
    assert [(s.name, s.instances) for s in loaded.samples] == [("a", ()), ("b", ())]


def test_the_files_of_several_splits_are_one_set_with_the_classes_of_all(tmp_path, image_file):
    for split, name in (("train", "bracket"), ("valid", "plate")):
        image_file(f"coco/{split}/x.png")
        data = {
            "images": [{"id": 1, "file_name": "x.png", "width": 40, "height": 30}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
            "categories": [{"id": 1, "name": name}],
        }
        (tmp_path / "coco" / split / "_annotations.coco.json").write_text(json.dumps(data))
    samples, classes = load(tmp_path / "coco")
    assert classes == ("bracket", "plate")
    assert [(s.name, s.split, s.instances[0].class_id) for s in samples] == [
        ("train_x", "train", 0),
        ("valid_x", "valid", 1),
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "none", "does not exist, expected a data set"),
        (lambda p: p, "holds no known data set, expected our dataset.json, YOLO's"),
        (lambda p: p / "a.csv", "is in no known format"),
        (lambda p: p / "other.json", "has no JSON of COCO, VIA, LabelMe or Label Studio"),
    ],
)
def test_an_unknown_format_is_refused_and_the_known_ones_named(tmp_path, make, words):
    folder = tmp_path / "set"
    folder.mkdir()
    path = make(folder)
    if path.suffix:
        path.write_text("{}")
    with pytest.raises(CadsightError, match=words):
        load(path)


def test_json_that_is_cut_short_is_refused_with_its_name(tmp_path):
    (tmp_path / "labels.json").write_text('{"images": [{"id": 1, "file_na')
    with pytest.raises(CadsightError, match=r"labels\.json is not JSON"):
        load(tmp_path)


def test_a_target_that_is_not_empty_or_a_format_that_is_unknown_is_refused(dataset, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("x")
    for target in TARGETS:
        with pytest.raises(CadsightError, match="expected a new or empty folder"):
            convert(dataset.folder, tmp_path / "mine", target)
    with pytest.raises(CadsightError, match="the format is 'voc', expected one of yolo, coco, via"):
        convert(dataset.folder, tmp_path / "new", "voc")
    assert (tmp_path / "mine" / "a.txt").read_text() == "x"


def test_our_own_data_set_is_never_replaced(dataset, tmp_path):
    convert(dataset.folder, tmp_path / "copy", "cadsight")
    with pytest.raises(CadsightError, match="expected a new or empty folder"):
        convert(dataset.folder, tmp_path / "copy", "cadsight")


def test_a_single_file_is_a_data_set_too(dataset, tmp_path):
    config = convert(dataset.folder, tmp_path / "yolo", "yolo").path
    via = convert(dataset.folder, tmp_path / "via", "via").path / "train" / "via_region_data.json"
    regression = convert(dataset.folder, tmp_path / "regression", "regression").path / "test" / "labels.txt"
    assert {s.name for s in load(config)[0]} == {"s0", "s1", "s2", "s3"}
    assert {s.name for s in load(via)[0]} == {"s0", "s1"}
    assert {s.name for s in load(regression)[0]} == {"s3"}


def test_a_folder_with_json_of_two_tools_is_refused(dataset, tmp_path):
    both = convert(dataset.folder, tmp_path / "coco", "coco").path / "annotations"
    via = convert(dataset.folder, tmp_path / "via", "via").path / "train" / "via_region_data.json"
    (both / "via.json").write_bytes(via.read_bytes())
    with pytest.raises(
        CadsightError,
        match=r"is read as coco .* 1 of its files look like labels and are not read, the first is .*via\.json",
    ):
        load(tmp_path / "coco")


def test_a_path_where_nothing_can_be_written_is_refused_in_a_sentence(dataset, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CadsightError, match="is no folder"):
        convert(dataset.folder, tmp_path / "file" / "new", "yolo")


def test_a_set_without_normals_has_no_regression_file(tmp_path, image_file):
    image_file("photos/a.png")
    with pytest.raises(CadsightError, match="expected normals for the regression file"):
        convert(tmp_path / "photos", tmp_path / "new", "regression")


@pytest.mark.parametrize("target", ["coco", "via", "yolo", "cadsight"])
def test_a_conversion_holds_the_masks_of_one_image_not_of_all(tmp_path, target):
    size = ImageSize(400, 300)
    dataset = Dataset.create(tmp_path / "own", ["bracket"])
    mask = np.zeros((300, 400), bool)
    mask[50:200, 60:300] = True
    parts = tuple(Instance(0, Box.from_mask(mask), mask=mask, source="human") for _ in range(4))
    for number in range(60):
        sample = Sample(f"s{number:02d}", Path(), size, instances=parts, split=("train", "test")[number % 2])
        dataset.append(sample, np.full((300, 400, 3), number, np.uint8))
    all_masks = 60 * 4 * mask.nbytes
    source = dataset.folder
    for step, to in enumerate(["coco", target]):
        tracemalloc.start()
        source = convert(source, tmp_path / f"{step}", to, arrange=lambda s: divide(s, {"train": 2, "test": 1})).path
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 0.3 * all_masks
    assert len(read(source).samples) == 60
