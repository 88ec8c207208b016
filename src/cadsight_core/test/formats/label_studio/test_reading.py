"""Label Studio's full JSON: as a data set beside its images, and as answers to a batch, with values by hand."""

import json

import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, load
from cadsight_core.formats.label_studio.answers import answers_in
from cadsight_core.formats.labelling.settling import Settling, settle
from cadsight_core.formats.labelling.tasks import tasks_of
from cadsight_core.sample import Sample
from PIL import Image


def region(x, y, width, height, name="nut", **more):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [name]}
    value |= {k: more.pop(k) for k in ("rotation",) if k in more}
    return {
        "id": "r1", "from_name": "label", "to_name": "image", "type": "rectanglelabels", "image_rotation": 0,
        "original_width": 40, "original_height": 30, "origin": "manual", "value": value, **more,
    }  # fmt: skip


def annotation(*result, **more):
    return {"id": 1, "was_cancelled": False, "ground_truth": False, "result": list(result), "completed_by": 7, **more}


def task(*annotations, image="/data/upload/1/3f2a9c1b-a.png", **more):
    data = {"image": image, **more.pop("data", {})}
    return {"id": 5, "data": data, "annotations": list(annotations), "predictions": [], **more}


@pytest.fixture
def write(tmp_path, image_file):
    def written(*tasks):
        image_file("set/a.png")
        (tmp_path / "set" / "export.json").write_text(json.dumps(list(tasks)))
        return tmp_path / "set"

    return written


def batch(folder):
    return tasks_of([(Sample("a", folder / "a.png", ImageSize(40, 30)), "ab")], ["nut"])


def boxes(folder, **settling):
    settled = settle(batch(folder), answers_in(folder / "export.json"), Settling(**settling))
    return [i.box.as_tuple() for s in settled.samples for i in s.instances]


def test_an_export_beside_its_images_is_a_data_set(write):
    (sample,), classes = load(write(task(annotation(region(25, 10, 50, 20), region(0, 0, 10, 10, "bolt")))))
    assert classes == ("bolt", "nut")
    assert [i.class_id for i in sample.instances] == [1, 0]
    assert sample.instances[0].box.as_tuple() == pytest.approx((10, 3, 30, 9))
    assert sample.instances[1].box == Box(0, 0, 4, 3)
    assert {i.source for i in sample.instances} == {"human-drawn"}


def test_what_was_skipped_or_not_annotated_is_no_empty_image(write, image_file):
    image_file("set/b.png", seed=1)
    image_file("set/c.png", seed=2)
    folder = write(
        task(annotation()), task(annotation(was_cancelled=True), image="b.png"), task(image="c.png"),
    )  # fmt: skip
    samples, _ = load(folder)
    assert [(s.name, s.instances) for s in samples] == [("a", ())]


def test_a_turned_box_of_a_set_keeps_its_corners_as_its_outline(write):
    (sample,), _ = load(write(task(annotation(region(50, 20, 25, 20, rotation=36.86989764584402)))))
    # 10 along (4, 3)/5 and 6 across it, in pixels of 40 x 30.
    corners = [20, 6, 28, 12, 24.4, 16.8, 16.4, 10.8]
    assert sample.instances[0].attributes["segmentation"] == [pytest.approx(corners)]
    assert sample.instances[0].box.as_tuple() == pytest.approx((16.4, 6, 28, 16.8))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (region(25, 10, 50, 20), (10, 3, 30, 9)),
        (region(75, 30, -50, -20), (10, 3, 30, 9)),
        (region(25, 10, 50, 20, original_width=400, original_height=300), (10, 3, 30, 9)),
        (region(75, 10, 15, 50, rotation=90), (15, 3, 30, 9)),
    ],
)
def test_per_cent_are_of_the_sides_and_sides_may_run_backwards(write, given, expected):
    assert boxes(write(task(annotation(given)))) == [pytest.approx(expected)]


def test_a_rectangle_and_its_label_may_be_two_entries(write):
    shape = region(25, 10, 50, 20, type="rectangle")
    named = {**region(25, 10, 50, 20), "type": "labels"}
    named["value"] = {**named["value"], "labels": ["nut"]}
    del named["value"]["rectanglelabels"]
    assert boxes(write(task(annotation(shape, named)))) == [pytest.approx((10, 3, 30, 9))]


def test_an_image_is_known_by_its_sum_and_else_by_its_name_before_the_upload(write):
    good = annotation(region(25, 10, 50, 20))
    assert len(boxes(write(task(good, image="/data/upload/1/00000000-other.png", data={"cadsight_sha256": "ab"})))) == 1
    assert len(boxes(write(task(good)))) == 1
    assert len(boxes(write(task(good, image="/data/local-files/?d=x/images/a.png")))) == 1
    with pytest.raises(CadsightError, match="is no image of the batch"):
        boxes(write(task(good, data={"cadsight_sha256": "cd"})))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (region(25, 10, 50, 20, rotation=5), "turned by 5 degrees, expected an upright box; --enclose takes"),
        (region(25, 10, 50, 20, image_rotation=90), "of an image that was turned by 90 degrees by hand"),
        (region(25, 10, 50, 20, type="brushlabels"), "of the type 'brushlabels', expected rectanglelabels"),
        (region(25, 10, 50, 20, "bolt"), "of the class 'bolt', expected one of nut"),
        (region(None, 10, 50, 20), "lacks a side"),
        (region(25, 10, 50, 20, original_width=30, original_height=40), "of an image of 30 x 40 pixels"),
        (region("x", 10, 50, 20), "is str, expected float"),
    ],
)
def test_a_region_that_cannot_be_used_is_refused_or_left_out(write, given, words):
    folder = write(task(annotation(given)))
    with pytest.raises(CadsightError) as caught:
        boxes(folder)
    assert words in str(caught.value)
    assert boxes(folder, allow_loss=True) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ('{"images": []}', "holds a dict, expected Label Studio's full JSON"),
        ('[{"id": 1, "image": "a.png", "label": []}]', "the entry 0 has no data"),
        ('[{"data": {}, "annotations": 3}]', "expected"),
        ("[3]", "the entry 0 has no data"),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path, text, words):
    (tmp_path / "f.json").write_text(text)
    with pytest.raises(CadsightError, match=words):
        answers_in(tmp_path / "f.json")


def test_guesses_in_the_file_tell_where_a_label_comes_from(write):
    guess, kept = region(25, 10, 50, 20, score=0.75), region(25, 10, 50, 20, origin="manual")
    folder = write(task(annotation(kept), predictions=[{"model_version": "m", "score": 0.75, "result": [guess]}]))
    unknown = tasks_of([(Sample("a", folder / "a.png", ImageSize(40, 30)), "ab")], ["nut"], knows_guesses=False)
    (label,) = settle(unknown, answers_in(folder / "export.json")).samples[0].instances
    assert (label.source, label.score) == ("model-accepted", 0.75)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        # The upright image is 40 x 30, as the browser shows it.
        (region(25, 10, 50, 20), (40, 30)),
        # The same pixels of the stored one of 30 x 40: its x runs down the upright image, its y from right to left.
        (region(10, 25, 20, 50), (30, 40)),
    ],
)
def test_an_image_that_its_exif_turns_is_labelled_as_it_was_seen(tmp_path, given, seen):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "set").mkdir()
    Image.new("RGB", (30, 40)).save(tmp_path / "set" / "a.png", exif=exif)
    given = {**given, "original_width": seen[0], "original_height": seen[1]}
    (tmp_path / "set" / "export.json").write_text(json.dumps([task(annotation(given))]))
    assert boxes(tmp_path / "set") == [pytest.approx((10, 3, 30, 9))]
    assert load(tmp_path / "set")[0][0].instances[0].box.as_tuple() == pytest.approx((10, 3, 30, 9))


def test_a_bad_region_of_a_set_is_left_out_where_that_is_allowed(write):
    folder = write(task(annotation(region(25, 10, 50, 20), region(1, 1, 1, 1, type="polygonlabels"))))
    with pytest.raises(CadsightError, match="expected rectanglelabels"):
        load(folder)
    assert len(load(folder, Reading(allow_loss=True))[0][0].instances) == 1
