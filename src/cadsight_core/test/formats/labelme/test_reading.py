import base64
import io
import json
import math
import struct

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, load
from cadsight_core.shapes import instance_mask
from PIL import Image

SIZE = ImageSize(40, 30)


def shape(points, kind="polygon", label="bolt", **rest):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **rest}


def png(size, broken=False):
    """A mask in base64, or one without the palette that its pixels count from, which Pillow asserts to be there."""
    buffer = io.BytesIO()
    Image.new("RGB", size).quantize(4).save(buffer, "PNG", transparency=0)
    data = buffer.getvalue()
    at = data.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return base64.b64encode(data[:at] + data[at + 12 + length :] if broken else data).decode()


@pytest.fixture
def write(tmp_path, image_file):
    def written(*shapes, name="a", **rest):
        image_file(f"set/{name}.png")
        data = {
            "version": "5.4",
            "imagePath": f"{name}.png",
            "imageWidth": 40,
            "imageHeight": 30,
            "shapes": list(shapes),
        }
        (tmp_path / "set" / f"{name}.json").write_text(json.dumps({**data, **rest}))
        return tmp_path / "set"

    return written


def test_each_shape_that_covers_something_is_a_label(write):
    mask = np.zeros((5, 8), np.uint8)
    mask[1:4, 2:] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    folder = write(
        shape([[4, 3], [16, 3], [16, 18]], flags={"worn": True}, description="left"),
        shape([[24, 9], [32, 3]], "rectangle", "nut"),
        shape([[20, 20], [24, 20]], "circle"),
        shape([[10, 12], [17, 16]], "mask", mask=base64.b64encode(buffer.getvalue()).decode()),
    )
    (sample,), classes = load(folder)
    triangle, nut, circle, painted = sample.instances
    assert classes == ("bolt", "nut")
    assert (triangle.box, triangle.attributes["segmentation"]) == (Box(4, 3, 16, 18), [[4, 3, 16, 3, 16, 18]])
    assert triangle.attributes["labelme"] == {"flags": {"worn": True}, "description": "left"}
    assert (nut.class_id, nut.box, nut.attributes) == (1, Box(24, 3, 32, 9), {})
    assert circle.box == Box(16, 16, 24, 24)
    assert instance_mask(circle, SIZE).sum() == pytest.approx(math.pi * 16, rel=0.05)
    assert painted.box == Box(12, 13, 18, 16)
    expected = np.zeros((30, 40), bool)
    expected[13:16, 12:18] = True
    np.testing.assert_array_equal(instance_mask(painted, SIZE), expected)


def test_shapes_of_one_group_are_one_object_and_of_none_several(write):
    left, right = [[2, 2], [6, 2], [6, 6]], [[20, 2], [26, 2], [26, 6]]
    (sample,), _ = load(
        write(shape(left, group_id=1), shape(right, group_id=1), shape(left, "polygon", "nut", group_id=1))
    )
    assert [i.box for i in sample.instances] == [Box(2, 2, 26, 6), Box(2, 2, 6, 6)]
    assert len(sample.instances[0].attributes["segmentation"]) == 2


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (shape([[1, 2]], "point"), "shapes[0]: the shape is a point of 1 points, expected what covers something"),
        (shape([[1, 2], [3, 4]]), "a polygon of 2 points"),
        (shape([[1, 2], [3, "x"], [5, 6]]), "shapes[0].points[1][1] is str, expected float"),
        ({"points": []}, "shapes[0]: it lacks the key 'label'"),
        (shape([[0, 0], [7, 4]], "mask", mask="no png"), "the mask is no PNG in base64"),
        (shape([[0, 0], [7, 4]], "mask", mask=png((8, 5), broken=True)), "the mask is no PNG in base64"),
        (shape([[0, 0], [7, 4]], "mask", mask=png((9000, 9000))), "of 9000 x 9000 pixels reaches out of the image"),
        (shape([[4, 3], [16, 3], [16, 18]], label=""), "the label is ''"),
    ],
)
def test_what_is_no_label_is_refused_or_left_out(write, bad, words):
    folder = write(bad, shape([[24, 9], [32, 3]], "rectangle"))
    with pytest.raises(CadsightError) as caught:
        load(folder)
    assert words in str(caught.value)
    assert "a.json" in str(caught.value)
    (sample,), _ = load(folder, Reading(allow_loss=True))
    assert len(sample.instances) == 1


def test_a_moved_or_renamed_image_is_found_and_another_size_refused(write, tmp_path):
    folder = write(shape([[24, 9], [32, 3]], "rectangle"), imagePath="..\\photos\\a.png")
    assert load(folder)[0][0].image == folder / "a.png"
    write(shape([[24, 9], [32, 3]], "rectangle"), imageWidth=10**400)
    with pytest.raises(CadsightError, match=r"is said to be 10{400} x 30 pixels, expected 40 x 30"):
        load(folder)
    write(shape([[24, 9], [32, 3]], "rectangle"), imageWidth=80)
    with pytest.raises(CadsightError, match="is said to be 80 x 30 pixels, expected 40 x 30"):
        load(folder)
