import json
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample, decode_mask, encode_mask, read_source
from core_strategies import poses
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(bool, shape))


def whole_sample():
    mask = np.zeros((30, 40), bool)
    mask[4:9, 3:7] = True
    instance = Instance(
        1,
        Box(3, 4, 7, 9),
        mask=mask,
        normal=np.array([0.0, 0.6, -0.8]),
        point=np.array([4.5, 6.25]),
        score=0.75,
        source="kinematic",
        attributes={"iscrowd": 0, "note": "kept"},
    )
    camera = Camera(ImageSize(40, 30), 50, 51, 19.5, 14.5, (0.1, 0.2, 0, 0, 0.3))
    record = {"seed": 7, "joints": {"wrist_3_joint": 0.5}, "stamp_ns": 1_700_000_000_123_456_789}
    return Sample("a", Path("images/a.png"), ImageSize(40, 30), camera, (instance,), "synthetic", "test", record)


def test_a_runs_code_counts_down_the_columns_and_starts_with_zeros():
    mask = np.array([[1, 0], [1, 1]], bool)
    assert encode_mask(mask) == {"size": [2, 2], "counts": [0, 2, 1, 1]}
    assert encode_mask(~mask) == {"size": [2, 2], "counts": [2, 1, 1]}


@given(masks)
def test_a_mask_comes_back_from_its_runs(mask):
    np.testing.assert_array_equal(decode_mask(json.loads(json.dumps(encode_mask(mask)))), mask)


@pytest.mark.parametrize("counts", [[3], [5], [-1, 5], []])
def test_runs_that_do_not_fill_the_image_are_refused(counts):
    with pytest.raises(CadsightError, match="expected 2 x 2"):
        decode_mask({"size": [2, 2], "counts": counts})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"size": [2, 2]}, "no run-length code"),
        ({"size": [2], "counts": [4]}, "no run-length code"),
        ({"size": [2, "1,5"], "counts": [4]}, "no run-length code"),
        ({"size": [2, 2], "counts": [10**400]}, "no run-length code"),
        ({"size": [2, 2], "counts": [2**62, 2**62, 2**62, 2**62, 4]}, "add up to 18446744073709551616 pixels"),
        ({"size": [2, 3], "counts": [6]}, "is 3 x 2 pixels, expected the image's 2 x 2"),
    ],
)
def test_what_is_no_runs_code_of_its_image_is_refused(code, words):
    with pytest.raises(CadsightError, match=words):
        decode_mask(code, ImageSize(2, 2))


def test_a_mask_that_no_image_has_is_refused_before_it_is_made():
    with pytest.raises(CadsightError, match="1000000 x 1000000 pixels, expected at most"):
        decode_mask({"size": [10**6, 10**6], "counts": [10**12]})


@pytest.mark.parametrize("polygon", [[1], [{}], ["a", 2], [10**400, 1], ["-inf", 3], [1e300, 2], 7, [[1, 2], [3]]])
def test_an_outline_that_is_no_list_of_pixels_is_refused_when_it_is_read(polygon):
    data = whole_sample().to_json()
    data["instances"][0]["attributes"]["segmentation"] = [[1, 2, 3, 2, 3, 4], polygon]
    with pytest.raises(CadsightError, match=r"an outline .* expected"):
        Sample.from_json(data)


def test_a_whole_sample_comes_back_from_json():
    sample = whole_sample()
    copy = Sample.from_json(json.loads(json.dumps(sample.to_json())))
    assert copy.to_json() == sample.to_json()
    instance, original = copy.instances[0], sample.instances[0]
    assert instance.box == original.box
    np.testing.assert_array_equal(instance.mask, original.mask)
    np.testing.assert_array_equal(instance.normal, original.normal)
    np.testing.assert_array_equal(instance.point, original.point)
    assert (instance.score, instance.source, instance.attributes) == (0.75, "kinematic", original.attributes)
    assert copy.camera == sample.camera
    assert copy.record["stamp_ns"] == 1_700_000_000_123_456_789
    assert (copy.origin, copy.split, copy.image) == ("synthetic", "test", Path("images/a.png"))


@given(poses)
def test_an_instances_pose_comes_back_from_json(pose):
    instance = Instance(0, Box(0, 0, 1, 1), camera_from_part=pose, source="human")
    copy = Instance.from_json(json.loads(json.dumps(instance.to_json())))
    np.testing.assert_allclose(copy.camera_from_part.matrix, pose.matrix, atol=1e-9)


def test_what_an_instance_does_not_know_stays_unknown():
    copy = Instance.from_json(Instance(0, Box(0, 0, 1, 1), source="human").to_json())
    known = (copy.mask, copy.camera_from_part, copy.normal, copy.point, copy.score)
    assert known == (None,) * 5


def test_each_label_says_where_it_comes_from_and_one_of_an_earlier_manifest_came_from_people():
    with pytest.raises(TypeError, match="source"):
        Instance(0, Box(0, 0, 1, 1))
    data = Instance(0, Box(0, 0, 1, 1), source="human-edited").to_json()
    assert Instance.from_json(data).source == "human-edited"
    del data["source"]
    assert Instance.from_json(data).source == "human"
    assert (read_source(None), read_source(0.0)) == ("human", "model")


@pytest.mark.parametrize("key", ["name", "image", "width", "instances", "record", "split", "origin"])
def test_a_sample_without_a_key_is_refused_and_the_key_named(key):
    data = whole_sample().to_json()
    del data[key]
    with pytest.raises(CadsightError, match=key):
        Sample.from_json(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("width", 0),
        ("width", "wide"),
        ("width", 10**400),
        ("width", 10**12),
        ("instances", [{"class_id": 0}]),
        ("instances", [{"class_id": 10**30, "box": [1, 2, 3, 4], "source": "human"}]),
        ("split", "exam"),
        ("origin", "dream"),
    ],
)
def test_a_sample_with_a_wrong_value_is_refused_in_a_sentence(key, value):
    with pytest.raises(CadsightError):
        Sample.from_json({**whole_sample().to_json(), key: value})
