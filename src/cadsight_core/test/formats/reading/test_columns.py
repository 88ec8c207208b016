import json

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.formats import Reading, read
from cadsight_core.formats.health import check
from cadsight_core.formats.reading.columns import Columns, reach
from cadsight_core.sample import Instance, Sample

SIZE = ImageSize(40, 30)
ARRAYS = ("counts", "classes", "boxes", "reaches", "normals", "crowds")


def annotation(number, image, **more):
    return {"id": number, "image_id": image, "category_id": 7, "bbox": [1, 2, 10, 5.5], "iscrowd": 0, **more}


@pytest.fixture
def folder(tmp_path, image_file):
    for seed, name in enumerate("abcde"):
        image_file(f"set/{name}.png", seed=seed)
    runs = {"size": [30, 40], "counts": [0, 60, 1140]}
    annotations = [
        annotation(1, 1),
        annotation(2, 1, category_id=3, bbox=[0, 0, 40, 30]),
        annotation(3, 2, segmentation=[[1, 2, 50, 2, 11, 7.5]], keypoints=[1, 2, 2]),
        annotation(4, 2, segmentation=runs, iscrowd=1, bbox=[0, 0, 2, 30]),
        annotation(5, 3, cadsight={"normal": [0, 0.6, -0.8]}),
        annotation(6, 1, iscrowd=1),
        annotation(8, 5, segmentation=[[1, 2, 9, 2, 8, 7.5], [20, 3, 25, 30.5, 22, 4]], bbox=[1, 2, 24, 28.5]),
        annotation(9, 5, iscrowd=True),
        annotation(7, 2, segmentation={**runs, "counts": [1]}),  # which cannot be used
    ]
    images = [{"id": n, "file_name": f"{name}.png", "width": 40, "height": 30} for n, name in enumerate("abcde", 1)]
    categories = [{"id": 3, "name": "plate"}, {"id": 7, "name": "bracket"}]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "set/labels.json").write_text(json.dumps(data))
    return tmp_path / "set"


def test_the_columns_of_coco_are_those_of_its_samples(folder):
    loaded = read(folder, reading=Reading(allow_loss=True))
    quick, slow = loaded.columns(), Columns.of(list(loaded.samples))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name), err_msg=name)
        assert getattr(quick, name).dtype == getattr(slow, name).dtype
    assert [(s.name, s.image, s.size, s.record) for s in quick.heads] == [
        (s.name, s.image, s.size, s.record) for s in slow.heads
    ]
    assert quick.counts.tolist() == [3, 2, 1, 0, 2]
    assert quick.reaches[[3, 6]].tolist() == [[1, 2, 50, 7.5], [1, 2, 25, 30.5]]
    assert quick.instance(1, 0).attributes["keypoints"] == [1, 2, 2]


def test_rows_are_located_by_sample_and_label():
    one, two = (Instance(n, Box(n, 1, 4, 5), source="human") for n in range(2))
    samples = [Sample(n, None, SIZE, instances=i) for n, i in (("a", (one,)), ("b", ()), ("c", (one, two)))]
    columns = Columns.of(samples)
    assert list(columns.indices(np.array([True, False, True]))) == [(0, 0), (2, 1)]
    assert columns.starts.tolist() == [0, 1, 1]
    assert columns.instance(2, 1) is two


def test_a_set_without_labels_has_empty_columns():
    columns = Columns.of([])
    assert columns.boxes.shape == columns.reaches.shape == (0, 4)
    assert list(columns.indices(np.zeros(0, bool))) == []


def test_the_reach_of_an_outline_is_that_of_all_its_pieces():
    polygons = [[1, 2, 3, 4, 1, 4], [-5, 6, 7, 8, 9, 10]]
    assert reach(Instance(0, Box(0, 0, 1, 1), attributes={"segmentation": polygons}, source="human")) == (-5, 2, 9, 10)
    assert reach(Instance(0, Box(0, 0, 1, 1), source="human")) is None


def test_labels_are_checked_alike_with_and_without_the_pixels(folder):
    whole, quick = check(folder), check(folder, whole_images=False)
    assert quick.to_json() == whole.to_json()
    assert quick.kinds["outline outside"] == quick.kinds["whole image"] == quick.kinds["odd label"] == 1
    (folder / "d.png").write_bytes((folder / "d.png").read_bytes()[:-60])
    assert "unreadable image" in check(folder).kinds
    assert "unreadable image" not in check(folder, whole_images=False).kinds
