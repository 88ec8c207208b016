import json

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load
from cadsight_core.imaging.images import read_image, write_image
from cadsight_core.shapes import fill, instance_mask
from cadsight_synthesis.annotation.masks_to_via import MaskParameters, annotate, read_objects
from cadsight_synthesis.annotation.speed import measure_annotation
from cadsight_synthesis.image_ops.augmentation import AugmentationParameters
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

SIZE = ImageSize(24, 16)
RED, GREEN = (255, 0, 0), (0, 128, 0)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for name in "ab":
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (SIZE.height, SIZE.width, 3), np.uint8)
        write_image(tmp_path / "images" / f"{name}.png", pixels)
    return tmp_path


def mask_image(*parts):
    pixels = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
    for colour, (x0, y0, x1, y1) in parts:
        pixels[y0:y1, x0:x1] = colour
    return pixels


RING = mask_image((RED, (2, 2, 10, 9)), ((0, 0, 0), (4, 4, 7, 7)), (GREEN, (5, 5, 6, 6)), (GREEN, (15, 3, 20, 14)))


def regions(file, name):
    (entry,) = [e for e in json.loads(file.read_text()).values() if e["filename"] == name]
    return entry["regions"]


def filled(region, size=SIZE):
    shape = region["shape_attributes"]
    assert shape["name"] == "polygon"
    return fill([np.array([shape["all_points_x"], shape["all_points_y"]]).T], size)


def test_each_colour_is_an_object_with_its_holes_and_pieces_exact_to_the_pixel(folder):
    write_image(folder / "masks" / "a.png", RING)
    done = annotate(folder / "masks", folder / "images", folder / "via.json")
    assert (done.images, done.objects, done.empty, done.unmasked) == (2, {"object": 2}, 0, 1)
    red, green = regions(folder / "via.json", "a.png")
    np.testing.assert_array_equal(filled(red), (RING == RED).all(axis=-1))
    np.testing.assert_array_equal(filled(green), (RING == GREEN).all(axis=-1))
    assert red["region_attributes"] == {"class": "object"}
    assert regions(folder / "via.json", "b.png") == []
    assert all(isinstance(x, int) for x in red["shape_attributes"]["all_points_x"])


def test_what_was_written_is_read_by_our_own_reader(folder):
    write_image(folder / "masks" / "a.png", RING)
    annotate(folder / "masks", folder / "images", folder / "via.json")
    samples, classes = load(folder / "via.json")
    assert classes == ("object",)
    (first, second) = next(s for s in samples if s.name == "a").instances
    assert first.box == Box(2, 2, 10, 9)
    np.testing.assert_array_equal(instance_mask(second, SIZE), (RING == GREEN).all(axis=-1))


def test_an_earlier_json_of_ours_is_replaced_until_its_user_edits_it(folder):
    write_image(folder / "masks" / "a.png", RING)
    out = folder / "via" / "via.json"
    for objects in ({"object": 2}, {"block": 2}):
        how = MaskParameters(class_name=next(iter(objects)))
        assert annotate(folder / "masks", folder / "images", out, how).objects == objects
    edited = out.read_text().replace("block", "bolt")
    out.write_text(edited)
    with pytest.raises(CadsightError, match=r"via\.json is no earlier output of ours"):
        annotate(folder / "masks", folder / "images", out)
    assert out.read_text() == edited


@pytest.mark.parametrize("name", ["a.png", "a-a1.jpg"])
def test_an_image_of_others_beside_the_json_stays(folder, name):
    write_image(folder / "masks" / "a.png", RING)
    theirs = folder / "via" / "images" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"mine")
    with pytest.raises(CadsightError, match=rf"{name} is there and is something else"):
        annotate(folder / "masks", folder / "images", folder / "via" / "via.json", copies=1)
    assert theirs.read_bytes() == b"mine"
    assert not (folder / "via" / "via.json").exists()


def test_each_file_is_an_object_where_that_is_asked(folder):
    write_image(folder / "masks" / "a_0.png", mask_image((RED, (1, 1, 5, 5)), (GREEN, (5, 1, 8, 5))))
    write_image(folder / "masks" / "a_1.png", mask_image(((9, 9, 9), (12, 3, 14, 6))))
    annotate(folder / "masks", folder / "images", folder / "via.json", MaskParameters(objects="files"))
    first, second = regions(folder / "via.json", "a.png")
    np.testing.assert_array_equal(filled(first), mask_image((RED, (1, 1, 8, 5)))[..., 0] > 0)
    np.testing.assert_array_equal(filled(second), mask_image((RED, (12, 3, 14, 6)))[..., 0] > 0)


def test_classes_come_from_folders_and_from_colours(folder):
    for name in ("bracket", "plate"):
        (folder / "masks" / name).mkdir()
        write_image(folder / "masks" / name / "a-mask.png", RING)
    done = annotate(folder / "masks", folder / "images", folder / "via.json")
    assert done.objects == {"bracket": 2, "plate": 2}
    colours = {"ff0000": "screw", "008000": ""}
    done = annotate(folder / "masks", folder / "images", folder / "via.json", colours=colours)
    assert done.objects == {"screw": 2}


def test_grey_and_indexed_masks_count_by_their_values(tmp_path):
    values = np.zeros((4, 6), np.uint8)
    values[0, 0], values[1, 1:3] = 7, 255
    Image.fromarray(values).save(tmp_path / "l.png")
    deep = values.astype(np.uint16)
    deep[3, 3] = 300  # whose upper byte alone would be 1, and those of the others 0
    Image.fromarray(deep).save(tmp_path / "deep.png")
    indexed = Image.fromarray(values, mode="P")
    indexed.putpalette([0, 0, 0] + [255, 255, 255] * 255)
    indexed.save(tmp_path / "p.png")
    assert {k: m.sum() for k, m in read_objects(tmp_path / "l.png").items()} == {"7": 1, "255": 2}
    assert {k: m.sum() for k, m in read_objects(tmp_path / "deep.png").items()} == {"7": 1, "255": 2, "300": 1}
    assert {k: m.sum() for k, m in read_objects(tmp_path / "p.png").items()} == {"7": 1, "255": 2}


def test_what_is_transparent_is_no_object(tmp_path):
    pixels = np.zeros((4, 6, 4), np.uint8)
    pixels[..., 0] = 200
    pixels[1, 2:5, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    ((colour, mask),) = read_objects(tmp_path / "a.png").items()
    assert (colour, mask.sum()) == ("c80000", 3)


@settings(max_examples=40)
@given(values=arrays(np.uint8, (7, 9), elements=st.integers(0, 3)))
def test_any_mask_comes_back_from_its_contours(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("any")
    (folder / "images").mkdir()
    write_image(folder / "images" / "a.png", np.zeros((7, 9, 3), np.uint8))
    (folder / "masks").mkdir()
    Image.fromarray(values).save(folder / "masks" / "a.png")
    annotate(folder / "masks", folder / "images", folder / "via.json")
    masks = [filled(r, ImageSize(9, 7)) for r in regions(folder / "via.json", "a.png")]
    expected = [values == v for v in dict.fromkeys(values[values > 0].tolist())]
    assert len(masks) == len(expected)
    for mask, want in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(mask, want)


@pytest.mark.parametrize("workers", [1, 2])
def test_copies_have_contours_of_their_own_and_are_the_same_for_any_number_of_workers(folder, workers):
    write_image(folder / "masks" / "a.png", RING)
    flipped = AugmentationParameters(probability=0.0, flip_horizontal=1.0)
    out = folder / f"out{workers}" / "via.json"
    done = annotate(
        folder / "masks",
        folder / "images",
        out,
        MaskParameters(suffix=".png"),
        copies=2,
        augmentation=flipped,
        workers=workers,
    )
    assert (done.images, done.copies) == (2, 4)
    names = [e["filename"] for e in json.loads(out.read_text()).values()]
    assert names == ["a.png", "a-a1.png", "a-a2.png", "b.png", "b-a1.png", "b-a2.png"]
    for region, colour in zip(regions(out, "a-a2.png"), (RED, GREEN), strict=True):
        np.testing.assert_array_equal(filled(region), (colour == RING).all(axis=-1)[:, ::-1])
    original = read_image(folder / "images" / "a.png")
    np.testing.assert_array_equal(read_image(out.parent / "images" / "a-a1.png"), original[:, ::-1])
    assert (out.parent / "images" / "a.png").read_bytes() == (folder / "images" / "a.png").read_bytes()
    assert len(load(out)[0]) == 6


@pytest.mark.parametrize(
    ("name", "pixels", "words"),
    [
        ("c.png", RING, r"the mask .*c\.png has no image in .*images, expected one called 'c'"),
        ("a.png", RING[:9], r"a\.png is 24 x 9 pixels, expected its image's 24 x 16"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_in_a_sentence_and_nothing_is_written(folder, name, pixels, words):
    write_image(folder / "masks" / name, pixels)
    with pytest.raises(CadsightError, match=words):
        annotate(folder / "masks", folder / "images", folder / "via.json")
    assert not (folder / "via.json").exists()


def test_colours_that_nobody_named_and_broken_files_are_refused(folder):
    write_image(folder / "masks" / "a.png", RING)
    with pytest.raises(CadsightError, match=r"has the colour 008000, expected one of ff0000"):
        annotate(folder / "masks", folder / "images", folder / "via.json", colours={"ff0000": "x"})
    data = (folder / "masks" / "a.png").read_bytes()
    (folder / "masks" / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(CadsightError, match=r"the mask .*a\.png could not be read"):
        annotate(folder / "masks", folder / "images", folder / "via.json")


def test_folders_without_masks_or_images_are_refused(folder, tmp_path):
    with pytest.raises(CadsightError, match="holds no masks"):
        annotate(folder / "masks", folder / "images", folder / "via.json")
    with pytest.raises(CadsightError, match="is no folder, expected one with masks"):
        annotate(folder / "none", folder / "images", folder / "via.json")
    write_image(folder / "masks" / "a.png", RING)
    with pytest.raises(CadsightError, match="copies would lie among the images"):
        annotate(folder / "masks", folder / "images", folder / "via.json", copies=1)


def test_the_speed_is_measured_on_masks_that_come_back_exactly():
    speed = measure_annotation(6, workers=1)
    assert speed["pictures"] == 6
    assert speed["exact"] is True
    assert speed["objects"] >= 12
    assert speed["pictures_per_second"] == pytest.approx(6 / speed["seconds"])


def ellipse(shift=0):
    """Its corners counted in a sixteenth of a pixel, so that it can be drawn smooth."""
    mask = np.zeros((90, 120), np.uint8)
    cv2.ellipse(mask, ((60 + shift) * 16, 45 * 16), (40 * 16, 25 * 16), 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    return mask


@pytest.mark.parametrize("colour", [255, (255, 128, 0)], ids=["grey", "colour"])
def test_a_mask_with_smooth_borders_is_refused(tmp_path, colour):
    fraction = ellipse() if isinstance(colour, int) else ellipse()[..., None]
    for name, cover in {"smooth": fraction / 255, "flat": (fraction > 99).astype(float)}.items():
        Image.fromarray(np.round(cover * colour).astype(np.uint8)).save(tmp_path / f"{name}.png")
    words = r"smooth\.png has \d+ colours on its borders alone, between those of both sides: it was smoothed"
    with pytest.raises(CadsightError, match=words):
        read_objects(tmp_path / "smooth.png")
    assert len(read_objects(tmp_path / "flat.png")) == 1


@pytest.mark.parametrize("objects", ["colours", "files"])
def test_a_jpeg_is_refused_as_a_mask(tmp_path, objects):
    Image.fromarray((ellipse() > 99).astype(np.uint8) * 255).save(tmp_path / "a.jpg")
    with pytest.raises(CadsightError, match=r"^the mask .*a\.jpg is a JPEG, which stores its colours with loss"):
        read_objects(tmp_path / "a.jpg", objects)


def test_many_thin_objects_are_no_smoothing(tmp_path):
    mask = np.zeros((60, 60), np.uint8)
    for number in range(1, 15):
        mask[4 * number, 2:50] = 17 * number  # a pixel wide, with nothing beside them
    Image.fromarray(mask).save(tmp_path / "a.png")
    assert len(read_objects(tmp_path / "a.png")) == 14
