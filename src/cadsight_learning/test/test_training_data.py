import dataclasses

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.formats.yolo import write_yolo
from cadsight_learning.data import chosen, divided, load_together


def test_classes_of_several_sets_are_told_apart_by_name(tmp_path, pictures, other_pictures):
    write_yolo({"train": pictures[:2]}, ["block"], tmp_path / "a")
    write_yolo({"train": other_pictures[:2]}, ["rod"], tmp_path / "b")
    samples, classes = load_together([tmp_path / "a", tmp_path / "b"])
    assert classes == ("block", "rod")
    assert sorted(i.class_id for s in samples for i in s.instances) == [0, 0, 1, 1]
    assert len({s.name for s in samples}) == 4


def test_marked_splits_are_kept_and_test_pictures_stay_out(pictures, other_pictures):
    test = [dataclasses.replace(s, split="test") for s in pictures[6:]]
    train, valid, how = divided([*pictures[:6], *other_pictures, *test])
    assert ([s.name for s in train], [s.name for s in valid]) == (
        [s.name for s in pictures[:6]],
        [s.name for s in other_pictures],
    )
    assert how == "by the splits in the data"


def test_without_a_marked_split_the_last_block_by_name_validates(pictures):
    train, valid, how = divided(pictures[::-1])
    assert [s.name for s in valid] == ["train010", "train011"]
    assert len(train) == 10
    assert how == "the last 2 of 12 pictures by name validate"


def test_too_few_pictures_and_unknown_splits_are_refused(pictures):
    with pytest.raises(CadsightError, match="1 pictures to train on, expected at least 2"):
        divided(pictures[:1])
    with pytest.raises(CadsightError, match="no picture in the split 'test', expected one of train"):
        chosen(pictures, "test")
