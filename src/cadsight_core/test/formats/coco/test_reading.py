import json

import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import instance_mask
from core_strategies import boxes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from set_parts import set_parts

SIZE = ImageSize(40, 30)


def coco(**changes):
    """A small file with what real ones have: gaps in the ids, a crowd, fields of its own."""
    data = {
        "info": {"year": 2026, "description": "bench"},
        "licenses": [{"id": 4, "name": "CC BY"}],
        "images": [
            {"id": 17, "file_name": "a.png", "width": 40, "height": 30, "license": 4, "date_captured": "today"},
            {"id": 5, "file_name": "b.png", "width": 40, "height": 30},
        ],
        "annotations": [
            {
                "id": 901,
                "image_id": 17,
                "category_id": 90,
                "bbox": [4, 3, 10, 8],
                "area": 44.5,
                "iscrowd": 0,
                "segmentation": [[4, 3, 14, 3, 14, 11, 4, 11], [5, 5, 6, 5, 6, 6]],
                "attributes": {"occluded": True},
            },
            {
                "id": 77,
                "image_id": 5,
                "category_id": 3,
                "bbox": [0, 0, 2, 30],
                "area": 60,
                "iscrowd": 1,
                "segmentation": {"size": [30, 40], "counts": [0, 60, 1140]},
            },
            {
                "id": 3,
                "image_id": 5,
                "category_id": 3,
                "bbox": [1.5, 2.5, 3, 4],
                "area": 12,
                "iscrowd": 0,
                "score": 0.5,
            },
        ],
        "categories": [
            {"id": 3, "name": "plate", "supercategory": "part"},
            {"id": 90, "name": "bracket", "supercategory": "part"},
        ],
    }
    return {**data, **changes}


@pytest.fixture
def folder(tmp_path, image_file):
    image_file("set/a.png")
    image_file("set/b.png", seed=1)
    return tmp_path / "set"


def write(folder, data, name="labels.json"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def by_id(entries):
    return sorted(entries, key=lambda e: e["id"])


def test_boxes_classes_shapes_and_all_else_are_read(folder):
    samples, classes, extra = set_parts(write(folder, coco()))
    assert classes == ("plate", "bracket")
    assert [s.name for s in samples] == ["a", "b"]
    first = samples[0].instances[0]
    assert (first.class_id, first.box) == (1, Box(4, 3, 14, 11))
    assert first.attributes["attributes"] == {"occluded": True}
    assert first.attributes["area"] == 44.5
    crowd, plain = samples[1].instances
    assert crowd.attributes["iscrowd"] == 1
    assert instance_mask(crowd, SIZE)[:, :2].all()
    assert instance_mask(crowd, SIZE).sum() == 60
    assert (plain.box, plain.score) == (Box(1.5, 2.5, 4.5, 6.5), 0.5)
    assert samples[0].record["coco"] == {"id": 17, "license": 4, "date_captured": "today"}
    assert extra["info"] == {"year": 2026, "description": "bench"}


def test_a_file_comes_back_with_everything_in_it(folder, tmp_path):
    samples, classes, extra = set_parts(write(folder, coco()))
    (written,) = write_coco(samples, classes, tmp_path / "again", extra)
    data, original = json.loads(written.read_text()), coco()
    assert {k: v for k, v in data.items() if k not in ("images", "annotations")} == {
        k: v for k, v in original.items() if k not in ("images", "annotations")
    }
    assert by_id(data["images"]) == by_id(original["images"])
    assert by_id(data["annotations"]) == by_id(original["annotations"])
    again = set_parts(written)
    assert (again[1], again[2]) == (classes, extra)
    assert [s.to_json() | {"image": ""} for s in again[0]] == [s.to_json() | {"image": ""} for s in samples]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_boxes_outlines_and_ids_come_back(folder, tmp_path, data):
    corners = st.lists(st.floats(0, 30), min_size=6, max_size=12).filter(lambda c: len(c) % 2 == 0)
    instances = []
    for box in data.draw(st.lists(boxes(SIZE), max_size=4)):
        shapes = data.draw(st.one_of(st.none(), st.lists(corners, min_size=1, max_size=3)))
        attributes = {"iscrowd": 0, **({"segmentation": shapes} if shapes else {})}
        instances.append(Instance(data.draw(st.integers(0, 2)), box, attributes=attributes, source="human"))
    sample = Sample("a", folder / "a.png", SIZE, instances=tuple(instances))
    categories = [{"id": i, "name": n} for i, n in zip((2, 40, 7), "xyz", strict=True)]
    (file,) = write_coco([sample], "xyz", tmp_path / "again", {"categories": categories})
    (back,), classes, extra = set_parts(file)
    assert classes == ("x", "y", "z")
    assert extra["categories"] == categories
    assert [i.class_id for i in back.instances] == [i.class_id for i in instances]
    for got, given_ in zip(back.instances, instances, strict=True):
        assert got.box.as_tuple() == pytest.approx(given_.box.as_tuple(), abs=1e-9)
        assert got.attributes.get("segmentation") == given_.attributes.get("segmentation")


@pytest.mark.parametrize(
    ("file", "image", "split"),
    [
        ("labels.json", "a.png", ""),
        ("annotations/instances_val2017.json", "val2017/a.png", "valid"),
        ("annotations/instances_train.json", "images/train/a.png", "train"),
        ("annotations/labels.json", "images/a.png", ""),
        ("test/_annotations.coco.json", "test/a.png", ""),  # the set itself lies in a folder called test
    ],
)
def test_the_images_are_found_where_others_put_them(tmp_path, image_file, file, image, split):
    image_file(f"coco/{image}")
    data = coco(images=coco()["images"][:1], annotations=[])
    (sample,), _, _ = set_parts(write(tmp_path / "coco", data, file))
    assert sample.image == (tmp_path / "coco" / image).resolve()
    assert sample.split == split


def test_a_box_is_taken_from_the_shape_where_it_is_missing(folder):
    annotations = [{k: v for k, v in a.items() if k != "bbox"} for a in coco()["annotations"][:2]]
    samples, _, _ = set_parts(write(folder, coco(annotations=annotations)))
    assert [s.instances[0].box for s in samples] == [Box(4, 3, 14, 11), Box(0, 0, 2, 30)]


def annotation(**changes):
    return coco(annotations=[{**coco()["annotations"][2], **changes}])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (annotation(category_id=4), "annotation 3: the category is 4, expected one of the file's"),
        (annotation(image_id=6), "for the image 6, expected a known id"),
        (annotation(bbox=[1, 2, 3]), "the bbox is [1, 2, 3], expected [x, y, width, height]"),
        (annotation(bbox=[1, 2, -3, 4]), "the bbox is [1, 2, -3, 4]"),
        (annotation(bbox=["1", 2, 3, 4]), "the bbox is ['1'"),
        (annotation(bbox=[1, 2, 10**400, 4]), "the bbox is [1, 2, 1000"),
        (annotation(segmentation=[[1, 2, 3, 4, 5, 10**400]]), "no list of polygons"),
        (annotation(segmentation=[[1, 2, 3, 4, 5, 1e300]]), "no list of polygons"),
        (annotation(bbox=None), "no bbox and no segmentation"),
        (annotation(segmentation=[[1, 2, 3, 4]]), "three corners or more"),
        (annotation(segmentation={"counts": [3]}, bbox=None), "expected size [height, width] and counts"),
        (coco(images=[{"id": 1, "width": 40, "height": 30}]), "images[0]: it lacks the key 'file_name'"),
        (coco(images=[{**coco()["images"][0], "file_name": "none.png"}], annotations=[]), "'none.png' does not exist"),
        (
            coco(images=[{**coco()["images"][0], "file_name": "http://[a.png"}], annotations=[]),
            "[a.png' does not exist",
        ),
        (
            coco(images=[{**coco()["images"][0], "width": 41}], annotations=[]),
            "41 x 30 pixels, expected 40 x 30 as in the image",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_or_noted_in_a_sentence_with_the_file(folder, data, words):
    file = write(folder, data)
    with pytest.raises(CadsightError) as caught:
        list(set_parts(file)[0])
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    notes = Notes()
    set_parts(file, notes)
    assert any(words in p.sentence for p in notes.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps(coco())[:300], "is not JSON"),
        ("", "is not JSON"),
        ("[1, 2]", "has no JSON of COCO, VIA"),
        (json.dumps(coco(categories=[{"id": 1}])), "categories without id and name"),
        (json.dumps(coco(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])), "with the same id"),
        (
            json.dumps(coco(images=[{**coco()["images"][0], "file_name": "../../c.png"}])),
            "'../../c.png' does not exist",
        ),
    ],
)
def test_a_broken_file_is_refused_in_a_sentence(folder, text, words):
    (folder / "labels.json").write_text(text)
    with pytest.raises(CadsightError, match=words):
        set_parts(folder / "labels.json")
