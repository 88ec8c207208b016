import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, load

BOX = "<bndbox><xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>25</ymax></bndbox>"


@pytest.fixture
def write(tmp_path, image_file):
    def written(objects, name="a", filename="a.png", size=(40, 30)):
        image_file(f"set/JPEGImages/{name}.png")
        file = tmp_path / "set" / "Annotations" / f"{name}.xml"
        file.parent.mkdir(exist_ok=True)
        size_entry = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
        file.write_text(f"<annotation><filename>{filename}</filename>{size_entry}{objects}</annotation>")
        return tmp_path / "set"

    return written


def test_pixels_count_from_one_and_flags_are_kept(write):
    flags = "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult>"
    (sample,), classes = load(write(f"<object><name>bolt</name>{flags}{BOX}</object>"))
    (instance,) = sample.instances
    assert classes == ("bolt",)
    assert instance.box == Box(10, 10, 30, 25)
    assert instance.attributes == {"voc": {"truncated": 1, "pose": "Left"}}


def test_entries_of_other_tools_for_an_object_are_kept(write):
    part = f"<part><name>head</name>{BOX}</part>"
    attributes = "".join(
        f"<attribute><name>{name}</name><value>{value}</value></attribute>"
        for name, value in (("rotation", "0.0"), ("state", "worn"))
    )
    more = f"{part}{part}<attributes>{attributes}</attributes><parts><hasparts/></parts><colour>red</colour>"
    (sample,), _ = load(write(f"<object><name>bolt</name>{more}{BOX}</object>"))
    (instance,) = sample.instances
    head = {"name": "head", "bndbox": {"xmin": "11", "ymin": "11", "xmax": "30", "ymax": "25"}}
    assert instance.attributes == {"voc": {"part": [head, head], "colour": "red", "state": "worn"}}


def test_a_polygon_is_an_outline(write):
    polygon = "<polygon><x1>1</x1><y1>2</y1><x2>9</x2><y2>2</y2><x3>9</x3><y3>8</y3></polygon>"
    (sample,), _ = load(write(f"<object><name>bolt</name>{polygon}</object>"))
    assert sample.instances[0].box == Box(1, 2, 9, 8)
    assert sample.instances[0].attributes["segmentation"] == [[1, 2, 9, 2, 9, 8]]


def test_lists_give_the_splits_and_an_image_in_two_is_refused(write):
    for name in ("a", "b", "c"):
        folder = write("", name=name, filename=f"{name}.png")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\n")
    (lists / "val.txt").write_text("b 1\n")
    (lists / "trainval.txt").write_text("a\nb\n")
    assert {s.name: s.split for s in load(folder)[0]} == {"a": "train", "b": "valid", "c": ""}
    (lists / "val.txt").write_text("a\nb\n")
    with pytest.raises(CadsightError, match="'a' stands in train and in valid"):
        load(folder)


@pytest.mark.parametrize("filename", ["old name.jpg", "/home/user/a.png", "a", "C:\\photos\\a.png", ""])
def test_the_image_is_found_by_the_name_of_the_file_where_its_word_is_old(write, filename):
    (sample,), _ = load(write(f"<object><name>bolt</name>{BOX}</object>", filename=filename))
    assert sample.image.name == "a.png"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("<object><name>bolt</name></object>", "object 0: it has no bndbox, expected one"),
        ("<object><name>bolt</name><robndbox/></object>", "it has no bndbox but robndbox"),
        (f"<object>{BOX}</object>", "it has no name"),
        (f"<object><name>bolt</name>{BOX.replace('11', 'x', 1)}</object>", "xmin is 'x', expected a finite number"),
        (f"<object><name>bolt</name>{BOX.replace('11', 'nan', 1)}</object>", "xmin is 'nan'"),
        (f"<object><name>bolt</name>{BOX.replace('30', '3')}</object>", "expected the smaller ones first"),
    ],
)
def test_what_is_no_label_is_refused_or_left_out(write, bad, words):
    folder = write(bad + f"<object><name>bolt</name>{BOX}</object>")
    with pytest.raises(CadsightError) as caught:
        load(folder)
    assert words in str(caught.value)
    assert "a.xml" in str(caught.value)
    assert len(load(folder, Reading(allow_loss=True))[0][0].instances) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<annotation><object>", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><annotation>&a;</annotation>', "defines entities"),
        ("<annotation><size><width>x</width><height>2</height></size></annotation>", "the width is 'x'"),
    ],
)
def test_broken_files_are_refused_in_a_sentence(write, text, words):
    folder = write("")
    (folder / "Annotations" / "a.xml").write_text(text)
    with pytest.raises(CadsightError, match=words):
        load(folder)
