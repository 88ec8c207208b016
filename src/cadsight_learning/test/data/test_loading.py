import dataclasses
from pathlib import Path

import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.yolo.labels import write_yolo
from cadsight_core.sample import Instance
from cadsight_learning.data.labelled_images import labelled, without_crowds
from cadsight_learning.data.loading import chosen, dataset_warnings, load_together, split_train_valid


def test_classes_of_several_sets_are_told_apart_by_name(tmp_path, block_samples, other_samples):
    write_yolo({"train": block_samples[:2]}, ["block"], tmp_path / "a")
    write_yolo({"train": other_samples[:2]}, ["rod"], tmp_path / "b")
    samples, classes = load_together([tmp_path / "a", tmp_path / "b"])
    assert classes == ("block", "rod")
    assert sorted(i.class_id for s in samples for i in s.instances) == [0, 0, 1, 1]
    assert len({s.name for s in samples}) == 4


def test_marked_splits_are_kept_and_test_images_stay_out(block_samples, other_samples):
    test = [dataclasses.replace(s, split="test") for s in block_samples[6:]]
    train, valid, how = split_train_valid([*block_samples[:6], *other_samples, *test])
    assert ([s.name for s in train], [s.name for s in valid]) == (
        [s.name for s in block_samples[:6]],
        [s.name for s in other_samples],
    )
    assert how == "by the splits in the data"


def test_without_a_marked_split_the_last_block_by_name_validates(block_samples):
    train, valid, how = split_train_valid(block_samples[::-1])
    assert [s.name for s in valid] == ["train010", "train011"]
    assert len(train) == 10
    assert how == "the last 2 of 12 images by name validate"


def test_of_each_folder_the_last_block_validates_so_that_none_only_validates(block_samples):
    def under(folder, samples):
        return [dataclasses.replace(s, image=Path(folder) / s.image.name, name=f"{folder}/{s.name}") for s in samples]

    twin, real, single = (
        under("twin", block_samples),
        under("real", block_samples[:3]),
        under("single", block_samples[:1]),
    )
    train, valid, how = split_train_valid([*twin, *real, *single])
    assert [s.name for s in valid] == ["twin/train010", "twin/train011", "real/train002"]
    assert [s.name for s in train] == [s.name for s in [*twin[:10], *real[:2], *single]]
    assert how == "the last by name of each of 3 folders validate, 3 of 16 images"


def test_of_folders_of_one_image_one_validates(block_samples):
    alone = [dataclasses.replace(s, image=Path(s.name) / "image.png") for s in block_samples[:3]]
    train, valid, how = split_train_valid(alone)
    assert (list(train), list(valid)) == (alone[:2], alone[2:])
    assert how == "the last by name of each of 3 folders validate, 1 of 3 images"


def test_too_few_images_and_unknown_splits_are_refused(block_samples):
    with pytest.raises(CadsightError, match="1 images to train on, expected at least 2"):
        split_train_valid(block_samples[:1])
    with pytest.raises(CadsightError, match="no image in the split 'test', expected one of train"):
        chosen(block_samples, "test")


def test_images_and_label_files_without_the_other_and_classes_without_labels_are_listed(tmp_path, block_samples):
    yolo = tmp_path / "yolo"
    write_yolo({"train": block_samples[:4]}, ["block", "rod"], yolo)
    assert dataset_warnings([yolo], load_together([yolo])[0], ["block"]) == []
    (yolo / "labels" / "train" / "train001.txt").unlink()
    (yolo / "images" / "train" / "train002.png").unlink()
    samples, classes = load_together([yolo])
    assert dataset_warnings([yolo], samples, classes) == [
        f"1 label files without an image are left out, the first is {yolo}/labels/train/train002.txt",
        f"1 images without labels are learned from as showing nothing, the first is {yolo}/images/train/train001.png",
        "nothing is learned of rod: no image to train on has such a label",
    ]


def test_an_image_that_no_file_of_labels_names_is_left_out(tmp_path, block_samples):
    write_coco(block_samples[:2], ["block"], tmp_path / "coco")
    extra = tmp_path / "coco" / "images" / "train" / "extra.png"
    extra.write_bytes(block_samples[2].image.read_bytes())
    samples, classes = load_together([tmp_path / "coco"])
    assert dataset_warnings([tmp_path / "coco"], samples, classes) == [
        f"1 images without labels are left out, the first is {extra}"
    ]


def test_crowds_are_not_learned_from_and_that_is_reported(tmp_path, block_samples):
    """One meaning everywhere: neither a box nor a mask of a region of many objects teaches anything."""
    crowd = Instance(1, Box(2, 2, 9, 9), attributes={"iscrowd": 1}, source="human")
    samples = [dataclasses.replace(s, instances=(*s.instances, crowd)) for s in block_samples[:2]]
    one = labelled(samples[0], square=False)
    assert len(one.boxes) == len(one.classes) == len(block_samples[0].instances)
    assert [len(without_crowds(s).instances) for s in samples] == [len(s.instances) for s in block_samples[:2]]
    write_coco(samples, ["block", "rod"], tmp_path / "coco")
    loaded, classes = load_together([tmp_path / "coco"])
    sentences = dataset_warnings([tmp_path / "coco"], loaded, classes)
    assert sentences == [
        f"2 labels are crowds and not learned from, the first is in {loaded[0].image}",
        "nothing is learned of rod: no image to train on has such a label",
    ]
