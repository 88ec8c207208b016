import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, load
from cadsight_core.shapes import instance_mask

SIZE = ImageSize(40, 30)
LABELS = "<meta><task><labels><label><name>nut</name></label><label><name>bolt</name></label></labels></task></meta>"
BOX = '<box label="bolt" occluded="1" xtl="4" ytl="3" xbr="16" ybr="18"><attribute name="state">worn</attribute></box>'


@pytest.fixture
def write(tmp_path, image_file):
    def written(shapes, subset="", image_path="images/a.png", rest=""):
        image_file(f"set/{image_path}")
        attribute = f' subset="{subset}"' if subset else ""
        image = f'<image id="0" name="a.png"{attribute} width="40" height="30">{shapes}</image>'
        text = f"<annotations><version>1.1</version>{LABELS}{image}{rest}</annotations>"
        (tmp_path / "set" / "annotations.xml").write_text(text)
        return tmp_path / "set"

    return written


def test_each_shape_that_covers_something_is_a_label(write):
    turned = '<box label="nut" xtl="10" ytl="10" xbr="30" ybr="14" rotation="90"/>'
    polygon = '<polygon label="bolt" points="1,2;9,2;9,8"/>'
    mask = '<mask label="bolt" left="10" top="12" width="4" height="2" rle="1, 2, 3, 2"/>'
    ellipse = '<ellipse label="nut" cx="20" cy="15" rx="8" ry="4"/>'
    (sample,), classes = load(write(BOX + turned + polygon + mask + ellipse))
    box, upright, outline, painted, around = sample.instances
    assert classes == ("nut", "bolt")
    assert (box.class_id, box.box) == (1, Box(4, 3, 16, 18))
    assert box.attributes == {"cvat": {"state": "worn", "occluded": 1}}
    assert upright.box.as_tuple() == pytest.approx((18, 2, 22, 22))
    assert outline.attributes["segmentation"] == [[1, 2, 9, 2, 9, 8]]
    expected = np.zeros((30, 40), bool)
    expected[12, 11:13] = expected[13, 12:14] = True
    np.testing.assert_array_equal(instance_mask(painted, SIZE), expected)
    assert around.box.as_tuple() == pytest.approx((12, 11, 28, 19), abs=0.02)


def test_a_box_says_whose_it_is(write):
    boxes = "".join(BOX.replace("occluded", f'source="{word}" occluded') for word in ("auto", "semi-auto", "manual"))
    (sample,), _ = load(write(boxes))
    assert [i.source for i in sample.instances] == ["model", "human-edited", "human"]


@pytest.mark.parametrize(
    ("subset", "image_path", "split"),
    [
        ("Train", "images/Train/a.png", "train"),
        ("Validation", "images/Validation/a.png", "valid"),
        ("extra", "images/extra/a.png", ""),
        ("", "images/a.png", ""),
    ],
)
def test_subsets_are_splits(write, subset, image_path, split):
    (sample,), _ = load(write(BOX, subset, image_path))
    assert (sample.split, len(sample.instances)) == (split, 1)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('<points label="bolt" points="1,2"/>', "shape 0 of 'a.png': the shape is a points, expected a box"),
        ('<polygon label="bolt" points="1,2;3,4"/>', "the polygon has 2 corners"),
        ('<polygon label="bolt" points="1,2;3;4,5"/>', "expected x,y;x,y"),
        ('<box label="bolt" xtl="4" ytl="3" xbr="inf" ybr="18"/>', "xbr is 'inf', expected a finite number"),
        ('<box label="bolt" xtl="4" ytl="3" ybr="18"/>', "xbr is ''"),
        ('<box xtl="4" ytl="3" xbr="9" ybr="18"/>', "it has no label"),
        ('<mask label="bolt" left="38" top="0" width="4" height="2" rle="8"/>', "reaches out of the image"),
        ('<mask label="bolt" left="0" top="0" width="4" height="2" rle="7"/>', "add up to 7 pixels, expected 4 x 2"),
    ],
)
def test_what_is_no_label_is_refused_or_left_out(write, bad, words):
    folder = write(bad + BOX)
    with pytest.raises(CadsightError) as caught:
        load(folder)
    assert words in str(caught.value)
    assert "annotations.xml" in str(caught.value)
    assert len(load(folder, Reading(allow_loss=True))[0][0].instances) == 1


def test_cvat_for_video_is_refused_by_name(write):
    folder = write(BOX, rest='<track id="0" label="bolt"/>')
    with pytest.raises(CadsightError, match="it has 1 tracks of CVAT for video, expected CVAT for images"):
        load(folder)
