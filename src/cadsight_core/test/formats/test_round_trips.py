"""Every pair of formats that are written, there and back, and each of them by a reader that is not ours."""

import itertools
import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats import read
from cadsight_core.formats.account import Counting
from cadsight_core.formats.convert import convert
from cadsight_core.imaging.images import image_size, read_image
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import bounds, instance_mask, is_crowd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from ultralytics.data.utils import verify_image_label

FORMATS = ("cadsight", "yolo", "coco", "via")
CLASSES = ("bolt", "on", "0603", "Mutter groß")
NAMES = (
    "a",
    unicodedata.normalize("NFC", "é 1"),
    unicodedata.normalize("NFD", "ü"),
    "Groß",
    "螺母",
    "b%20c",
    "x.y",
)
WIDTH, HEIGHT = 40, 30


def rectangle(x0, y0, x1, y1):
    return [x0, y0, x1, y0, x1, y1, x0, y1]


@st.composite
def rectangles(draw, left=0, right=WIDTH):
    x0 = draw(st.integers(left, right - 2))
    y0 = draw(st.integers(0, HEIGHT - 2))
    return (x0, y0, draw(st.integers(x0 + 1, right)), draw(st.integers(y0 + 1, HEIGHT)))


@st.composite
def instances(draw, kind):
    """Objects of an image that all have a box alone, outlines of one or two pieces, or two key points."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        class_id = draw(st.integers(0, len(CLASSES) - 1))
        if kind == "outlines":
            parts = [rectangle(*draw(rectangles(0, 18)))]
            if draw(st.booleans()):
                parts.append(rectangle(*draw(rectangles(20, WIDTH))))
            box = bounds([np.reshape(p, (-1, 2)) for p in parts])
            attributes = {"segmentation": [list(map(float, p)) for p in parts]}
        else:
            box, attributes = Box(*map(float, draw(rectangles()))), {}
        if kind == "key points":
            points = draw(st.lists(st.tuples(st.integers(1, WIDTH), st.integers(1, HEIGHT)), min_size=2, max_size=2))
            attributes = {"keypoints": [v for x, y in points for v in (x, y, 2)], "num_keypoints": 2}
        if draw(st.integers(0, 3)) == 0:
            attributes["iscrowd"] = 1
        found.append(Instance(class_id, box, attributes=attributes, source="human"))
    return tuple(found)


@st.composite
def sets(draw):
    kind = draw(st.sampled_from(["boxes", "outlines", "key points"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    split = st.sampled_from(["train", "valid", "test", ""])
    return [(name, draw(split), draw(st.sampled_from([1, 2, 3, 6])), draw(instances(kind))) for name in names]


def write(folder, images):
    """A set of our own, whose images' EXIF turns them upright to 40 x 30."""
    dataset = Dataset.create(folder / "own", CLASSES)
    for number, (name, split, orientation, parts) in enumerate(images):
        shape = (WIDTH, HEIGHT, 3) if orientation == 6 else (HEIGHT, WIDTH, 3)
        pixels = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = folder / f"{number}.png"
        Image.fromarray(pixels).save(file, exif=exif)
        dataset.append_file(Sample(name, file, ImageSize(WIDTH, HEIGHT), instances=parts, split=split))
    return dataset


def kept(sample, between):
    """What is left of a sample after the formats ``between``, by what their page says of them."""
    parts = [i for i in sample.instances if "yolo" not in between or not is_crowd(i)]
    labels = []
    for part in parts:
        mask = instance_mask(part, sample.size)
        points = part.attributes.get("keypoints") if "via" not in between else None
        labels.append((part.class_id, part.box.as_tuple(), mask, points, is_crowd(part)))
    return labels


def tally(loaded):
    counting = Counting()
    for sample in loaded.samples:
        counting.add(sample)
    return replace(counting.held, classes=len(loaded.classes))


@pytest.mark.parametrize("between", list(itertools.permutations(FORMATS, 2)), ids="-".join)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(images=sets())
def test_a_set_comes_back_and_the_account_says_what_does_not(tmp_path_factory, between, images):
    folder = tmp_path_factory.mktemp("trip")
    dataset = write(folder, images)
    source = dataset.folder
    for step, to in enumerate(between):
        before = read(source)
        done = convert(source, folder / f"{step}{to}", to)
        source = done.path if to != "yolo" else done.path.parent
        assert done.account.read == tally(before)
        assert done.account.written == tally(read(source))
        for what in ("labels", "classes", "outlines", "key_points"):
            lost = sum(one.count for one in done.account.left_out if one.what == what.replace("_", " "))
            assert getattr(done.account.read, what) - lost == getattr(done.account.written, what)
    back = read(source)
    # VIA names no class but those of its regions.
    if "via" not in between:
        assert back.classes == CLASSES
    samples = {s.name: s for s in back.samples}
    assert {n: s.split for n, s in samples.items()} == {s.name: s.split for s in dataset}
    for original in dataset:
        sample = samples[original.name]
        np.testing.assert_array_equal(read_image(sample.image), dataset.image(original))
        assert sample.size == image_size(sample.image)
        expected = kept(original, between)
        assert len(sample.instances) == len(expected)
        for got, (class_id, box, mask, points, crowd) in zip(sample.instances, expected, strict=True):
            assert back.classes[got.class_id] == CLASSES[class_id]
            assert got.box.as_tuple() == pytest.approx(box, abs=1e-9)
            assert is_crowd(got) == crowd
            assert got.attributes.get("keypoints") == (points if points is None else pytest.approx(points))
            found = instance_mask(got, sample.size)
            assert (found is None) == (mask is None)
            assert found is None or np.array_equal(found, mask)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(images=sets())
def test_pycocotools_reads_what_we_wrote(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("coco")
    dataset = write(folder, images)
    written = convert(dataset.folder, folder / "coco", "coco").path
    found = {}
    for file in sorted((written / "annotations").iterdir()):
        reader = COCO(str(file))
        assert [c["name"] for c in reader.loadCats(reader.getCatIds())] == list(CLASSES)
        for image in reader.loadImgs(reader.getImgIds()):
            found[Path(image["file_name"]).stem] = [
                (
                    reader.loadCats(a["category_id"])[0]["name"],
                    a["bbox"],
                    bool(a["iscrowd"]),
                    reader.annToMask(a).astype(bool) if a.get("segmentation") else None,
                    a.get("keypoints"),
                )
                for a in reader.loadAnns(reader.getAnnIds(imgIds=[image["id"]]))
            ]
            assert (image["width"], image["height"]) == (WIDTH, HEIGHT)
    assert set(found) == {s.name for s in dataset}
    for sample in dataset:
        for got, part in zip(found[sample.name], sample.instances, strict=True):
            name, bbox, crowd, mask, points = got
            box = part.box
            assert (name, crowd) == (CLASSES[part.class_id], is_crowd(part))
            assert bbox == pytest.approx([box.x0, box.y0, box.width, box.height])
            assert points == part.attributes.get("keypoints")
            ours = instance_mask(part, sample.size)
            assert (mask is None) == (ours is None)
            assert mask is None or np.array_equal(mask, ours)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(images=sets())
def test_ultralytics_reads_what_we_wrote(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("yolo")
    dataset = write(folder, images)
    written = convert(dataset.folder, folder / "yolo", "yolo").path.parent
    points = 2 if "kpt_shape" in (written / "data.yaml").read_text() else 0
    for sample in read(written).samples:
        label = Path(str(sample.image).replace("/images/", "/labels/")).with_suffix(".txt")
        arguments = (str(sample.image), str(label), "", bool(points), len(CLASSES), points, 3 if points else 0, False)
        _, labels, (height, width), segments, keypoints, *_, message = verify_image_label(arguments)
        assert message == "" or "duplicate labels removed" in message
        assert (width, height) == (WIDTH, HEIGHT)
        # Ultralytics takes a row that is there twice once.
        rows = sorted({(i.class_id, *np.round(i.box.to_yolo(sample.size), 6)) for i in sample.instances})
        assert sorted({(int(r[0]), *np.round(r[1:].astype(float), 6)) for r in labels}) == [
            pytest.approx(row, abs=2e-6) for row in rows
        ]
        outlined = [i for i in sample.instances if i.attributes.get("segmentation")]
        assert len(segments) <= len(outlined)
        assert (keypoints is not None and len(keypoints) > 0) == bool(points and sample.instances)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(images=sets())
def test_opencv_fills_vias_outlines_and_turns_the_images_as_we_do(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("via")
    dataset = write(folder, images)
    written = convert(dataset.folder, folder / "via", "via").path
    found = {}
    for file in sorted(written.rglob("via_region_data.json")):
        for entry in json.loads(file.read_text()).values():
            image = cv2.imdecode(np.fromfile(file.parent / entry["filename"], np.uint8), cv2.IMREAD_COLOR)
            found[Path(entry["filename"]).stem] = (image[..., ::-1], entry["regions"])
    for sample in dataset:
        image, regions = found[sample.name]
        np.testing.assert_array_equal(image, dataset.image(sample))
        for region, part in zip(regions, sample.instances, strict=True):
            shape, ours = region["shape_attributes"], instance_mask(part, sample.size)
            assert region["region_attributes"]["class"] == CLASSES[part.class_id]
            if ours is None:
                box = [shape[key] for key in ("x", "y", "width", "height")]
                assert box == [part.box.x0, part.box.y0, part.box.width, part.box.height]
                continue
            # Eight times as large a pixel's centre lies beside every border that OpenCV draws.
            corners = np.stack([shape["all_points_x"], shape["all_points_y"]], axis=1) * 8
            large = np.zeros((HEIGHT * 8 + 1, WIDTH * 8 + 1), np.uint8)
            cv2.fillPoly(large, [np.round(corners).astype(np.int32)], 1)
            theirs = large[4::8, 4::8][:HEIGHT, :WIDTH] > 0
            if len(part.attributes["segmentation"]) > 1:
                # OpenCV draws the line without width that joins two pieces.
                line = np.zeros_like(large)
                cv2.polylines(line, [np.round(corners).astype(np.int32)], isClosed=True, color=1)
                theirs &= ours | ~(line[4::8, 4::8][:HEIGHT, :WIDTH] > 0)
            np.testing.assert_array_equal(theirs, ours)
