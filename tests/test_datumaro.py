"""Formats that we do not read, through datumaro in its own environment; the sets are made by datumaro itself."""

import json
import subprocess

import cv2
import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load, read
from cadsight_core.formats.datumaro.through import offer, through_datumaro
from cadsight_core.running import own_environment
from cadsight_core.shapes import instance_mask

# Item p0 has of each kind one; p1 to p3 a box each.
MAKING = """
import sys
import numpy as np
from datumaro.components.annotation import *
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

def item(n, annotations):
    pixels = np.random.default_rng(n).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    return DatasetItem(id=f"p{n}", subset="train" if n < 3 else "val", media=Image.from_numpy(data=pixels),
                       annotations=annotations)

mask = np.zeros((60, 80), bool)
mask[10:20, 30:45] = True
mixed = [
    Bbox(5, 6, 20, 10, label=0, group=1, attributes={"colour": "red"}),
    Points([6, 7, 20, 12], [2, 1], label=0, group=1),
    Polygon([50, 10, 70, 10, 60, 30], label=1),
    Mask(mask, label=1),
    Label(1),
    Caption("a street"),
    PolyLine([1, 1, 5, 5], label=0),
    Bbox(1, 2, 3, 4),
]
turned = [RotatedBbox(40, 45, 10, 6, 90, label=0)]
boxes = [Bbox(5, 6, 20, 10, label=0, id=1, group=1)]
what, where = sys.argv[1:]
annotations = {"datumaro": mixed, "dota": turned}.get(what, boxes)
categories = {
    AnnotationType.label: LabelCategories.from_iterable(["car", "person"]),
    AnnotationType.points: PointsCategories.from_iterable([(0, ["left_lamp", "right_lamp"], {(1, 2)})]),
}
items = [item(0, annotations), *(item(n, [Bbox(5, 6, 20, 10 + n, label=1, id=1, group=1)]) for n in (1, 2, 3))]
Dataset.from_iterable(items, categories=categories, media_type=Image).export(where, what, save_media=True)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a set in one of datumaro's formats."""
    if not own_environment.is_there("datumaro"):
        pytest.skip("datumaro is not installed, which takes half a gigabyte: make datumaro")
    python = own_environment.set_up("datumaro", "datumaro")

    def make(form):
        folder = tmp_path_factory.mktemp(form) / "set"
        words = [str(python), "-I", "-c", MAKING, form, str(folder)]
        subprocess.run(words, check=True, capture_output=True, env=own_environment.variables({}))
        return folder

    return make


def test_kitti_comes_as_it_was_made(made, tmp_path, capsys):
    words = ["data", "convert", str(made("kitti_detection")), str(tmp_path / "out"), "--to", "yolo"]
    assert main(words) == 2
    assert "--with datumaro:FORMAT names one, such as kitti_detection" in capsys.readouterr().err
    words += ["--with", "datumaro:kitti_detection", "--json", str(tmp_path / "account.json")]
    assert main([*words, "--allow-loss"]) == 0
    samples, classes = load(tmp_path / "out")
    by_name = {s.name.removeprefix("train_").removeprefix("valid_"): s for s in samples}
    assert sorted(by_name) == ["p0", "p1", "p2", "p3"]
    for n in range(4):
        (label,) = by_name[f"p{n}"].instances
        assert classes[label.class_id] == ("person" if n else "car")
        assert label.box.as_tuple() == pytest.approx((5, 6, 25, 16 + n), abs=0.01)
        assert by_name[f"p{n}"].split == ("train" if n < 3 else "valid")
    account = json.loads((tmp_path / "account.json").read_text())
    assert account["datumaro"]["read"] == {"images": 4, "bbox": 4}
    assert account["read"]["labels"] == account["written"]["labels"] == 4


def test_open_images_is_recognised_and_offered(made, tmp_path, capsys):
    source = made("open_images")
    assert main(["data", "convert", str(source), str(tmp_path / "out"), "--to", "coco"]) == 2
    assert "datumaro would read it as open_images: --with datumaro:open_images" in capsys.readouterr().err
    assert main(["data", "convert", str(source), str(tmp_path / "out"), "--to", "coco", "--with", "datumaro"]) == 0
    samples, _ = load(tmp_path / "out")
    boxes = sorted(i.box.as_tuple() for s in samples for i in s.instances)
    np.testing.assert_allclose(boxes, [(5, 6, 25, 16 + n) for n in range(4)], atol=0.01)


def test_what_coco_does_not_hold_is_counted_by_kind(made):
    with through_datumaro(made("datumaro")) as passed:
        assert passed.format == "datumaro"
        kinds = {"bbox": 5, "points": 1, "polygon": 1, "mask": 1, "label": 1, "caption": 1}
        assert passed.read == {"images": 4, **kinds, "polyline": 1}
        left = {(one.what, one.count): one.why for one in passed.left_out}
        assert left == {
            ("label", 1): "it is of the whole image, and shows no object",
            ("caption", 1): "it is text on the image",
            ("polyline", 1): "it covers nothing",
            ("bbox", 1): "it has no class",
        }
        loaded = read(passed.folder)
        (sample,) = (s for s in loaded.samples if s.name == "p0")
        box, polygon, mask = sample.instances
        assert (box.box, box.attributes["keypoints"]) == (Box(5, 6, 25, 16), [6, 7, 2, 20, 12, 1])
        assert box.attributes["attributes"] == {"colour": "red"}
        assert polygon.attributes["segmentation"] == [[50, 10, 70, 10, 60, 30]]
        expected = np.zeros((60, 80), bool)
        expected[10:20, 30:45] = True
        np.testing.assert_array_equal(instance_mask(mask, sample.size), expected)
        assert loaded.extra["categories"][0]["keypoints"] == ["left_lamp", "right_lamp"]


def test_turned_boxes_become_outlines(made):
    with through_datumaro(made("dota")) as passed:
        assert passed.read["rotated_bbox"] == 1
        (turned,) = (i for s in read(passed.folder).samples for i in s.instances)
    corners = np.reshape(turned.attributes["segmentation"][0], (-1, 2))
    # 10 x 6 about (40, 45) after a quarter turn; OpenCV counts the area.
    assert cv2.contourArea(corners.astype(np.float32)) == pytest.approx(60, abs=0.5)
    assert turned.box.as_tuple() == pytest.approx((37, 40, 43, 50), abs=0.1)


def test_images_that_datumaro_passes_over_are_told(made):
    source = made("kitti_detection")
    (source / "more").mkdir()
    (source / "train/image_2/p0.png").rename(source / "more/p0.png")
    with through_datumaro(source, "kitti_detection") as passed:
        by_kind = {(one.what, one.count): one for one in passed.left_out}
    assert by_kind["images", 1].first == str(source / "more/p0.png")


def test_an_unknown_format_and_several_are_refused_with_those_there_are(made, tmp_path):
    source = made("imagenet")
    with pytest.raises(CadsightError, match="datumaro has no format 'nix', expected one of ade20k2017, "):
        through_datumaro(source, "nix").__enter__()
    with pytest.raises(CadsightError, match="as image_dir or imagenet, expected one named: --with datumaro:image_dir"):
        through_datumaro(source).__enter__()
    with pytest.raises(CadsightError, match="datumaro recognises none of its formats in"):
        through_datumaro(tmp_path).__enter__()
    with pytest.raises(CadsightError, match="datumaro could not read"):
        through_datumaro(source, "kitti_detection").__enter__()


def test_where_it_is_not_set_up_the_refusal_says_how(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CADSIGHT_ROOT", str(tmp_path))
    assert offer(tmp_path).endswith("--with datumaro sets it up on its first use, `make datumaro` beforehand")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "labels.csv").write_text("a.png,1,2,3,4\n")
    assert main(["data", "convert", str(tmp_path / "set"), str(tmp_path / "out"), "--to", "coco"]) == 2
    assert "holds no known data set" in (errors := capsys.readouterr().err)
    assert "`make datumaro` beforehand" in errors
    with pytest.raises(CadsightError, match=r"set_up\.py is missing, expected CADSIGHT_ROOT to name the workspace"):
        through_datumaro(tmp_path / "set").__enter__()


@pytest.mark.parametrize("word", ["", "kitti", "datumaro:", "datumaro2"])
def test_another_word_than_datumaro_is_refused_where_it_is_typed(word, tmp_path, capsys):
    assert main(["data", "convert", str(tmp_path), str(tmp_path / "out"), "--to", "coco", "--with", word]) == 2
    assert "expected datumaro or datumaro:FORMAT" in capsys.readouterr().err


def test_options_of_our_own_readers_are_refused_beside_it(tmp_path, capsys):
    words = ["data", "convert", str(tmp_path), str(tmp_path / "out"), "--to", "coco", "--with", "datumaro"]
    assert main([*words, "--images", str(tmp_path)]) == 2
    assert "--images" in capsys.readouterr().err
