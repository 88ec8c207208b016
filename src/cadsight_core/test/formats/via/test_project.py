import json
import math

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.convert import convert
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.via.project import FILE, shape_box, write_via
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import instance_mask
from core_strategies import boxes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from set_parts import set_parts
from written import via_of

SIZE = ImageSize(40, 30)
RECT = {"name": "rect", "x": 4, "y": 3, "width": 10, "height": 8}
POLYGON = {"name": "polygon", "all_points_x": [1, 9, 5], "all_points_y": [2, 2, 8]}
CIRCLE = {"name": "circle", "cx": 20, "cy": 10, "r": 4}
ELLIPSE = {"name": "ellipse", "cx": 20, "cy": 10, "rx": 6, "ry": 2, "theta": math.pi / 2}
POLYLINE = {"name": "polyline", "all_points_x": [1, 9, 5, 2], "all_points_y": [2, 2, 8, 9]}
POINT = {"name": "point", "cx": 3, "cy": 5}


def region(shape, name="bracket", **attributes):
    return {"shape_attributes": shape, "region_attributes": {"class": name, **attributes}}


@pytest.fixture
def folder(tmp_path, image_file):
    image_file("set/a.png")
    return tmp_path / "set"


def write(folder, regions, **entry):
    size = (folder / "a.png").stat().st_size
    image = {"filename": "a.png", "size": size, "regions": regions, "file_attributes": {"light": "lamp"}, **entry}
    (folder / FILE).write_text(json.dumps({f"a.png{size}": image}))
    return folder / FILE


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (RECT, (4, 3, 14, 11)),
        (POLYGON, (1, 2, 9, 8)),
        (POLYLINE, (1, 2, 9, 9)),
        (CIRCLE, (16, 6, 24, 14)),
        (ELLIPSE, (18, 4, 22, 16)),  # a quarter turn: the long axis stands upright
        ({**ELLIPSE, "theta": 0}, (14, 8, 26, 12)),
        # An eighth turn of 6 by 2: the half width is sqrt((36 + 4) / 2)
        ({**ELLIPSE, "theta": math.pi / 4}, (20 - 20**0.5, 10 - 20**0.5, 20 + 20**0.5, 10 + 20**0.5)),
        (POINT, (3, 5, 3, 5)),
    ],
)
def test_the_box_around_each_shape_is_computed_by_hand(shape, box):
    assert shape_box(shape).as_tuple() == pytest.approx(box)


def test_regions_come_back_as_they_were(folder, tmp_path):
    regions = [region(s, n) for s in (RECT, POLYGON, CIRCLE, ELLIPSE, POLYLINE, POINT) for n in ("bracket", "plate")]
    regions[0]["region_attributes"]["quality"] = {"blurred": True}
    file = write(folder, regions)
    samples, classes, extra = set_parts(file)
    assert classes == ("bracket", "plate")
    assert samples[0].instances[0].attributes == {"region_attributes": {"quality": {"blurred": True}}}
    (written,) = write_via(samples, classes, tmp_path / "again", extra)
    assert json.loads(written.read_text()) == json.loads(file.read_text())
    assert (written.parent / "a.png").read_bytes() == (folder / "a.png").read_bytes()


def test_a_project_comes_back_with_its_settings_and_attributes(folder, tmp_path):
    images = json.loads(write(folder, [region(RECT, "plate")]).read_text())
    options = {"plate": "", "bracket": "", "screw": ""}
    project = {
        "_via_settings": {"ui": {"image_grid": {}}, "core": {"default_filepath": ""}, "project": {"name": "bench"}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": {"class": {"type": "radio", "options": options}}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
    }
    (folder / FILE).write_text(json.dumps(project))
    samples, classes, extra = set_parts(folder / FILE)
    assert classes == ("plate", "bracket", "screw")  # the order of the project's options
    (written,) = write_via(samples, classes, tmp_path / "again", extra)
    assert json.loads(written.read_text()) == project


def test_a_polygon_is_an_outline_and_an_outline_a_polygon(folder, tmp_path):
    (sample,), _, _ = set_parts(write(folder, [region(POLYGON)]))
    assert sample.instances[0].attributes["segmentation"] == [[1, 2, 9, 2, 5, 8]]
    (entry,) = via_of([sample], ["bracket"], tmp_path).values()
    assert entry["regions"][0]["shape_attributes"] == POLYGON


def test_a_mask_becomes_its_outline(folder, tmp_path):
    mask = np.zeros((30, 40), bool)
    mask[3:9, 4:7] = True
    sample = Sample("a", folder / "a.png", SIZE, instances=(Instance(0, Box(4, 3, 7, 9), mask=mask, source="human"),))
    (entry,) = via_of([sample], ["x"], tmp_path).values()
    shape = entry["regions"][0]["shape_attributes"]
    corners = set(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    assert corners == {(4, 3), (7, 3), (7, 9), (4, 9)}


@given(mask=arrays(bool, (8, 9)).filter(np.any))
def test_a_mask_comes_back_from_via_pixel_by_pixel_with_its_holes_and_pieces(tmp_path_factory, mask):
    folder = tmp_path_factory.getbasetemp()
    size = ImageSize(9, 8)
    write_image(folder / "m.png", np.zeros((8, 9, 3), np.uint8))
    sample = Sample(
        "m", folder / "m.png", size, instances=(Instance(0, Box.from_mask(mask), mask=mask, source="human"),)
    )
    (written,) = write_via([sample], ["x"], folder / "written")
    (back,), _, _ = set_parts(written)
    np.testing.assert_array_equal(instance_mask(back.instances[0], size), mask)
    assert back.instances[0].box == Box.from_mask(mask)


@pytest.mark.parametrize(
    "polygons",
    [
        [[1, 1, 5, 1, 5, 5, 1, 5], [20, 2, 30, 2, 30, 9]],  # two pieces
        [[1, 1, 9, 1, 9, 9, 1, 9], [5, 5, 15, 5, 15, 15, 5, 15]],  # one over the other
    ],
)
def test_several_polygons_become_one_that_covers_them_all(folder, polygons):
    instance = Instance(0, Box(1, 1, 30, 15), attributes={"segmentation": polygons}, source="human")
    sample = Sample("a", folder / "a.png", SIZE, instances=(instance,))
    (written,) = write_via([sample], ["x"], folder / "written")
    (back,), _, _ = set_parts(written)
    np.testing.assert_array_equal(instance_mask(back.instances[0], SIZE), instance_mask(instance, SIZE))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([{"class": "x"}, {"class": "y"}], ("x", "y")),
        ([{"label": "x", "note": "n"}], ("x",)),
        ([{"workpiece": "x"}], ("x",)),  # the only attribute there is
        ([{"class": {"x": True, "y": False}}], ("x",)),  # a check box
        ([{"class": 7}], ("7",)),
        # VIA's own sample attributes: nobody filled in the name.
        ([{"name": "not_defined", "type": "human"}, {"name": "not_defined", "type": "bird"}], ("bird", "human")),
        ([{"object_name": "bolt", "state": "worn"}, {"object_name": "nut", "state": "new"}], ("bolt", "nut")),
        ([{"type": "x", "name": "y"}, {"type": "x", "name": ""}], ("x",)),  # the one that is filled in everywhere
    ],
)
def test_the_class_is_found_in_the_attributes(folder, attributes, expected):
    regions = [{"shape_attributes": RECT, "region_attributes": a} for a in attributes]
    assert set_parts(write(folder, regions))[1] == expected


def test_another_attribute_can_be_named(folder):
    regions = [region(RECT, "x", colour="red")]
    assert set_parts(write(folder, regions), class_attribute="colour")[1] == ("red",)


def test_regions_of_the_first_version_by_number_are_read(folder):
    (sample,), _, _ = set_parts(write(folder, {"0": region(RECT), "1": region(POLYGON)}))
    assert len(sample.instances) == 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_boxes_and_outlines_come_back(folder, tmp_path, data):
    points = st.lists(st.tuples(st.floats(0, 40), st.floats(0, 30)), min_size=3, max_size=7)
    instances = []
    for box in data.draw(st.lists(boxes(SIZE), max_size=4)):
        corners = data.draw(st.one_of(st.none(), points))
        attributes = {"segmentation": [np.ravel(corners).tolist()]} if corners else {}
        instances.append(Instance(data.draw(st.integers(0, 1)), box, attributes=attributes, source="human"))
    sample = Sample("a", folder / "a.png", SIZE, instances=tuple(instances))
    (written,) = write_via([sample], ["x", "y"], tmp_path / "written")
    (back,), classes, _ = set_parts(written)
    names = [classes[i.class_id] for i in back.instances]
    assert names == ["xy"[i.class_id] for i in instances]
    for got, given_ in zip(back.instances, instances, strict=True):
        assert got.attributes.get("segmentation") == given_.attributes.get("segmentation")
        if "segmentation" not in given_.attributes:
            assert got.box.as_tuple() == pytest.approx(given_.box.as_tuple(), abs=1e-9)


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([region({"name": "rect", "x": 1, "y": 2, "width": 3})], "expected its numbers in pixels"),
        ([region({**RECT, "width": -3})], "expected its numbers in pixels"),
        ([region({**RECT, "x": "left"})], "expected its numbers in pixels"),
        ([region({"name": "polygon", "all_points_x": [1], "all_points_y": [2]})], "too few points"),
        ([region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [2]})], "expected its numbers"),
        ([region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [2, 10**400]})], "expected its numbers"),
        ([region({"name": "circle", "cx": 1, "cy": 2, "r": 10**400})], "expected its numbers"),
        ([region({"name": "star"})], "the shape is 'star', expected rect, polygon"),
        ([{"region_attributes": {"class": "x"}}], "it lacks the key 'shape_attributes'"),
        ([region(RECT), {"shape_attributes": RECT, "region_attributes": {}}], "expected a class in 'class'"),
        ([region(RECT, {"x": True, "y": True})], "expected a class"),
        ([{"shape_attributes": RECT, "region_attributes": ["x"]}], "region_attributes is array, expected object"),
        (
            [{"shape_attributes": RECT, "region_attributes": {"one": "x", "other": "y"}}],
            "expected a class in an attribute that --class-attribute names",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_or_noted_in_a_sentence_with_the_file(folder, regions, words):
    file = write(folder, regions)
    with pytest.raises(CadsightError) as caught:
        set_parts(file)
    assert words in str(caught.value)
    assert f"{file}: region {len(regions) - 1} of 'a.png'" in str(caught.value)
    notes = Notes()
    (sample,), _, _ = set_parts(file, notes)
    assert len(notes.problems) == 1
    assert len(sample.instances) == len(regions) - 1


@pytest.mark.parametrize("name", ["none.png", "", ".", "../set/../../none.png"])
def test_an_image_that_is_not_there_is_refused_in_a_sentence(folder, name):
    with pytest.raises(CadsightError, match=r"does not exist|leads out of the folder"):
        set_parts(write(folder, [], filename=name))


@pytest.mark.parametrize("text", ["", '{"a": {"filename"', "[]", '{"a": 1}', "{}"])
def test_a_broken_file_is_refused_in_a_sentence(folder, text):
    (folder / FILE).write_text(text)
    with pytest.raises(CadsightError, match=r"is not JSON|has no JSON of COCO, VIA"):
        set_parts(folder / FILE)


def test_shapes_that_only_via_knows_stay_through_coco_and_our_manifest(folder, tmp_path):
    file = write(folder, [region(s) for s in (CIRCLE, ELLIPSE, POLYLINE, POINT, RECT, POLYGON)])
    source = convert(file, tmp_path / "coco", "coco").path
    source = convert(source, tmp_path / "own", "cadsight").path
    back = convert(source, tmp_path / "via", "via").path / FILE
    (entry,) = json.loads(back.read_text()).values()
    original = json.loads(file.read_text()).popitem()[1]
    assert entry["regions"] == original["regions"]


def test_a_projects_settings_in_another_encoding_are_refused_in_a_sentence(folder):
    project = {
        "_via_settings": {"core": {"größe": 1}},
        "_via_img_metadata": {"a": {"filename": "a.png", "regions": []}},
    }
    (folder / FILE).write_bytes(json.dumps(project, ensure_ascii=False).encode("latin-1"))
    with pytest.raises(CadsightError, match=r"is not in UTF-8 .* it looks like Latin-1"):
        set_parts(folder / FILE)
