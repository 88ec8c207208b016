import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample
from cadsight_synthesis.datasets.augmented import write_augmented_set
from cadsight_synthesis.image_ops.augmentation import AugmentationParameters, copy_seed

SIZE = ImageSize(64, 48)


@pytest.fixture
def source(tmp_path):
    dataset = Dataset.create(tmp_path / "source", ["bracket"])
    camera = Camera(SIZE, 80.0, 80.0, 31.5, 23.5)
    for number in range(4):
        mask = np.zeros((SIZE.height, SIZE.width), bool)
        mask[15:30, 20 + number : 40] = True
        instance = Instance(0, Box.from_mask(mask), mask=mask, normal=np.array([0.6, 0.0, -0.8]), source="human")
        split = "train" if number < 3 else "test"
        sample = Sample(f"p{number}", Path(), SIZE, camera, (instance,), split=split, record={"seed": number})
        pixels = np.random.default_rng(number).integers(0, 256, (SIZE.height, SIZE.width, 3), np.uint8)
        dataset.append(sample, pixels)
    return dataset.folder


def test_each_image_is_followed_by_its_copies_and_their_record_tells_how_they_came(source, tmp_path):
    dataset = write_augmented_set(source, tmp_path / "out", 2)
    assert dataset.names == tuple(f"p{n}{copy}" for n in range(4) for copy in ("", "-a1", "-a2"))
    original, copy = dataset["p1"], dataset["p1-a2"]
    assert (original.record, copy.record["source"]) == ({"seed": 1}, {"name": "p1", "seed": 1})
    assert copy.record["augmentation"]["seed"] == copy_seed(0, "p1", 2)
    assert copy.split == "train"
    np.testing.assert_array_equal(dataset.image(original), Dataset.open(source).image(Dataset.open(source)["p1"]))
    assert (dataset.image(copy) != dataset.image(dataset["p1-a1"])).any()


def test_a_stopped_run_goes_on_with_the_bytes_of_one_run_whatever_the_workers(source, tmp_path):
    whole = write_augmented_set(source, tmp_path / "whole", 2)

    def stop(items, total, what):
        for number, item in enumerate(items):
            if number == 5:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        write_augmented_set(source, tmp_path / "stopped", 2, progress=stop)
    assert len(Dataset.open(tmp_path / "stopped")) == 5
    stopped = write_augmented_set(source, tmp_path / "stopped", 2, workers=2)
    assert len(stopped) == 12
    assert stopped.fingerprint() == whole.fingerprint()


def test_an_image_that_is_added_leaves_the_other_copies_as_they_were(source, tmp_path):
    before = write_augmented_set(source, tmp_path / "before", 1)
    dataset = Dataset.open(source)
    extra = dataclasses.replace(dataset["p0"], name="a-first", image=Path())
    dataset.append(extra, dataset.image(dataset["p0"]))
    after = write_augmented_set(source, tmp_path / "after", 1)
    np.testing.assert_array_equal(after.image(after["p3-a1"]), before.image(before["p3-a1"]))


def test_copies_of_one_split_alone_are_made_and_the_images_left_out(source, tmp_path):
    dataset = write_augmented_set(source, tmp_path / "out", 1, originals=False, split="train")
    assert dataset.names == ("p0-a1", "p1-a1", "p2-a1")


def test_images_of_another_format_are_copied_too(source, tmp_path):
    from cadsight_core.formats.convert import convert

    convert(source, tmp_path / "yolo", "yolo")
    dataset = write_augmented_set(tmp_path / "yolo", tmp_path / "out", 1)
    assert len(dataset) == 8
    assert dataset.classes == ("bracket",)
    assert all(len(s.instances) <= 1 for s in dataset)


def test_another_source_or_other_parameters_are_not_mixed_into_a_set(source, tmp_path):
    write_augmented_set(source, tmp_path / "out", 1)
    with pytest.raises(CadsightError, match="expected a new folder"):
        write_augmented_set(source, tmp_path / "out", 1, AugmentationParameters(seed=1))
    with pytest.raises(CadsightError, match="expected a new folder"):
        write_augmented_set(source, tmp_path / "out", 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"copies": 0}, "0 copies of each image were asked for, expected at least 1"),
        ({"split": "valid"}, "has no images of the split 'valid'"),
        ({"out": "source"}, "is the source itself"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(source, tmp_path, changes, words):
    given = {"copies": 1, "out": "out", **changes}
    with pytest.raises(CadsightError, match=words):
        write_augmented_set(source, tmp_path / given.pop("out"), **given)


def test_the_folder_tells_the_parameters(source, tmp_path):
    write_augmented_set(source, tmp_path / "out", 1, AugmentationParameters(zoom=1.5))
    stored = json.loads((tmp_path / "out" / "dataset.json").read_text())["extra"]["synthesis"]
    assert (stored["kind"], stored["parameters"]["zoom"]) == ("augmented", 1.5)


def test_left_and_right_key_points_change_places_in_mirrored_copies(tmp_path):
    Path(tmp_path / "coco").mkdir()
    write_image(tmp_path / "coco" / "a.png", np.zeros((40, 60, 3), np.uint8))
    label = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 40, 20], "keypoints": [10, 10, 2, 40, 20, 2]}
    data = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [label],
        "categories": [{"id": 1, "name": "face", "keypoints": ["left_eye", "right_eye"]}],
        "info": {"contributor": "somebody"},
    }
    (tmp_path / "coco" / "labels.json").write_text(json.dumps(data))
    parameters = AugmentationParameters(flip_horizontal=1.0, probability=0.0)
    copies = write_augmented_set(tmp_path / "coco", tmp_path / "out", 1, parameters)
    original, mirrored = copies.samples()
    assert original.instances[0].attributes["keypoints"] == [10, 10, 2, 40, 20, 2]
    assert mirrored.instances[0].attributes["keypoints"] == [20, 20, 2, 50, 10, 2]
    assert copies.extra["categories"] == data["categories"]
    assert copies.extra["info"] == data["info"]
    again = write_augmented_set(copies.folder, tmp_path / "again", 1, parameters, originals=False)
    assert [s.instances[0].attributes["keypoints"] for s in again.samples()] == [
        [20, 20, 2, 50, 10, 2],
        [10, 10, 2, 40, 20, 2],
    ]
