"""Which files of a set are read by whom, and that nothing is lost without a word."""

import json
import unicodedata

import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, find, load, read
from cadsight_core.formats.health import check
from cadsight_core.formats.reading.finding import looks_like_labels
from cadsight_core.formats.reading.notes import Notes

ROW = "0 0.25 0.4 0.25 0.4\n"  # of an image of 40 x 30: (5, 6) to (15, 18)
BOX = Box(5, 6, 15, 18)


@pytest.fixture
def put(tmp_path, image_file):
    """Writes files into the set: an image where the name ends like one, else the text or bytes."""

    def write(name, content=""):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in (".png", ".jpg"):
            return image_file(f"set/{name}", seed=len(list(path.parent.iterdir())))
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def coco(*names, **changes):
    images = [{"id": n, "file_name": name, "width": 40, "height": 30} for n, name in enumerate(names)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [5, 6, 10, 12]} for n in range(len(names))]
    return json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "bolt"}], **changes})


def contents(folder):
    samples, classes = load(folder)
    assert all(i.box.as_tuple() == pytest.approx(BOX.as_tuple()) for s in samples for i in s.instances)
    return {s.name: (s.split, [classes[i.class_id] for i in s.instances]) for s in samples}


VOC = """<annotation><filename>{}</filename><size><width>40</width><height>30</height></size>
<object><name>bolt</name><bndbox><xmin>6</xmin><ymin>7</ymin><xmax>15</xmax><ymax>18</ymax></bndbox></object>
</annotation>"""


@pytest.mark.parametrize(
    ("files", "reader", "expected"),
    [
        ({"a.png": "", "a.txt": ROW, "classes.txt": "bolt\n"}, "yolo", {"a": ("", ["bolt"])}),
        (
            {"obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\n", "obj.names": "bolt\n",
             "train.txt": "data/obj_train_data/a.png\n", "obj_train_data/a.png": "", "obj_train_data/a.txt": ROW},
            "yolo",
            {"a": ("train", ["bolt"])},
        ),
        (
            {"train/images/a.png": "", "train/labels/a.txt": ROW, "valid/images/b.png": "", "valid/labels/b.txt": ROW,
             "classes.txt": "bolt\n"},
            "yolo",
            {"a": ("train", ["bolt"]), "b": ("valid", ["bolt"])},
        ),
        (
            {"Bolts-1/data.yaml": "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [bolt]\n",
             "Bolts-1/train/images/a.png": "", "Bolts-1/train/labels/a.txt": ROW,
             "Bolts-1/valid/images/b.png": "", "Bolts-1/valid/labels/b.txt": ROW},
            "yolo",
            {"a": ("train", ["bolt"]), "b": ("valid", ["bolt"])},
        ),
        ({"Images/a.png": "", "Labels/a.txt": ROW, "classes.txt": "bolt\n"}, "yolo", {"a": ("", ["bolt"])}),
        (
            {"JPEGImages/a.jpg": "", "Annotations/a.xml": VOC.format("a.jpg"), "ImageSets/Main/val.txt": "a\n"},
            "voc",
            {"a": ("valid", ["bolt"])},
        ),
        ({"images/a.png": "", "deep/annotations/x.json": coco("a.png")}, "coco", None),
        ({"deep/images/a.png": "", "deep/annotations/x.json": coco("a.png")}, "coco", {"a": ("", ["bolt"])}),
        (
            {"images/a.png": "", "instances_train.json": coco("a.png"), "._instances_train.json": "\x00\x05\xb0",
             "images/._a.png.txt": "", "__MACOSX/images/a.txt": ROW, "Thumbs.db": "x"},
            "coco",
            {"a": ("train", ["bolt"])},
        ),
        ({"a.png": "", "sub/b.png": "", "README.txt": "Bolts, 2026\n"}, "images", {"a": ("", []), "b": ("", [])}),
    ],
    ids=["beside", "darknet", "splits", "one down", "capitals", "voc", "no image", "deep", "macos", "images"],
)  # fmt: skip
def test_sets_are_found_as_others_leave_them(tmp_path, put, files, reader, expected):
    for name, content in files.items():
        put(name, content)
    found = find(tmp_path / "set")
    assert (found.claim.format, found.labels) == (reader, ())
    if expected is None:
        with pytest.raises(CadsightError, match=r"the image 'a\.png' does not exist"):
            load(tmp_path / "set")
    else:
        assert contents(tmp_path / "set") == expected


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("via_export.csv", 'filename,region_shape_attributes\na.png,"{}"\n', "a table"),
        ("boxes.csv", "a.png,1,2,3,4\n", "a table"),
        ("other/a.txt", ROW, "rows of numbers"),
        ("a.xml", "<doc><object><x>1</x></object></doc>", "XML with <object>"),
        ("result.json", '[{"image_id": 1, "bbox": [1, 2, 3, 4]}]', "JSON with 'bbox'"),
    ],
)
def test_labels_that_nobody_reads_are_reported_and_refused_unless_loss_is_allowed(tmp_path, put, name, content, what):
    put("images/a.png")
    file = put(name, content)
    found = find(tmp_path / "set")
    assert [(u.file, u.what) for u in found.labels] == [(file, what)]
    with pytest.raises(CadsightError, match=r"1 of its files look like labels and are not read, .*--allow-loss"):
        load(tmp_path / "set")
    assert len(load(tmp_path / "set", Reading(allow_loss=True))[0]) == 1
    report = check(tmp_path / "set")
    assert [p.file for p in report.problems if p.kind == "unread label file"] == [file]
    assert report.to_json()["found"]["unread_label_files"] == [{"file": str(file), "what": what}]


def test_images_that_no_label_names_are_reported(tmp_path, put):
    put("images/a.png")
    lone = put("images/b.png")
    put("images/c.heic", "heic")
    put("labels.json", coco("a.png"))
    found = find(tmp_path / "set")
    assert [(u.file.name, u.what) for u in found.images] == [
        ("b.png", "no label names it"),
        ("c.heic", ".heic is not read"),
    ]
    kinds = {p.file.name: p.kind for p in check(tmp_path / "set", few=1).problems}
    assert kinds == {lone.name: "image without labels", "c.heic": "unread image"}


def test_two_sets_in_one_folder_are_refused_by_name(tmp_path, put):
    for name in ("one", "two"):
        put(f"{name}/data.yaml", "train: images\nnames: [bolt]\n")
        put(f"{name}/images/a.png")
    with pytest.raises(CadsightError, match="holds 2 data sets, such as one and two, expected the path of one"):
        find(tmp_path / "set")


@pytest.mark.parametrize("where", ["splits", "top", "coco"])
def test_links_are_followed_and_circles_are_not(tmp_path, put, image_file, where):
    disk = tmp_path / "disk"
    for split in ("train", "val"):
        image_file(f"disk/images/{split}/{split}.png", seed=len(split))
        (disk / "labels" / split).mkdir(parents=True)
        (disk / "labels" / split / f"{split}.txt").write_text(ROW)
    folder = tmp_path / "set"
    folder.mkdir()
    if where == "coco":
        put("annotations.json", coco("train.png"))
        (folder / "images").symlink_to(disk / "images" / "train")
        assert contents(folder) == {"train": ("", ["bolt"])}
        return
    if where == "splits":
        for kind in ("images", "labels"):
            (folder / kind).mkdir()
            for split in ("train", "val"):
                (folder / kind / split).symlink_to(disk / kind / split)
        put("classes.txt", "bolt\n")
        (folder / "images" / "train" / "again").symlink_to(folder)
    else:
        for kind in ("images", "labels"):
            (folder / kind).symlink_to(disk / kind)
        put("data.yaml", "train: images/train\nval: images/val\nnames: [bolt]\n")
    assert contents(folder) == {"train": ("train", ["bolt"]), "val": ("valid", ["bolt"])}


@pytest.mark.parametrize("given_path", ["../bolts", "bolts", "{absolute}"])
def test_a_path_in_data_yaml_leads_where_ultralytics_goes(tmp_path, put, image_file, monkeypatch, given_path):
    """Beside the file, from the working folder, or from Ultralytics' own folder of data sets."""
    home = tmp_path / ("set/bolts" if given_path == "../bolts" else "datasets/bolts")
    image_file(f"{home.relative_to(tmp_path)}/images/a.png")
    (home / "labels").mkdir()
    (home / "labels" / "a.txt").write_text(ROW)
    put("configs/bolts.yaml", f"path: {given_path.format(absolute=home)}\ntrain: images\nnames: [bolt]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "none"))
    assert contents(tmp_path / "set" / "configs" / "bolts.yaml") == {"a": ("train", ["bolt"])}


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("../../label-studio/data/media/upload/1/a.png", "images/a.png"),
        ("/home/user/images/a.png", "images/a.png"),
        ("images\\a.png", "images/a.png"),
        (r"C:\data\images\a.png", "images/a.png"),
        ("http://localhost:8080/data/upload/1/a.png", "images/a.png"),
        ("/data/local-files/?d=images/a.png", "images/a.png"),
        ("images/d%C3%A9cran%201.png", "images/décran 1.png"),
        (unicodedata.normalize("NFD", "é.png"), "images/" + unicodedata.normalize("NFC", "é.png")),
        (unicodedata.normalize("NFC", "é.png"), "images/" + unicodedata.normalize("NFD", "é.png")),
        ("IMAGES/A.PNG", "images/a.png"),
        ("images/a.png", "Images/a.png"),
    ],
)
def test_an_image_is_found_by_the_name_that_it_had_elsewhere(tmp_path, put, name, image):
    path = put(image)
    put("result.json", coco(name))
    (sample,) = load(tmp_path / "set")[0]
    assert sample.image == path


def test_a_name_that_may_mean_two_images_or_another_folders_is_refused(tmp_path, put):
    put("images/x/a.png")
    put("images/y/a.png")
    put("result.json", coco("/home/user/a.png"))
    with pytest.raises(CadsightError, match=r"the name '/home/user/a\.png' may mean .*x/a\.png or .*y/a\.png"):
        load(tmp_path / "set")
    put("result.json", coco("train/a.png"))  # no other split's image stands for it
    with pytest.raises(CadsightError, match=r"'train/a\.png' does not exist"):
        load(tmp_path / "set")


def test_a_lost_folder_of_images_is_named_by_the_user(tmp_path, put, image_file):
    put("result.json", coco("photos/2026/a.png"))
    image = image_file("elsewhere/2026/a.png")
    with pytest.raises(CadsightError, match="does not exist"):
        load(tmp_path / "set")
    (sample,) = load(tmp_path / "set", Reading(images=tmp_path / "elsewhere"))[0]
    assert sample.image == image
    with pytest.raises(CadsightError, match="none is no folder, expected one with the images"):
        load(tmp_path / "set", Reading(images=tmp_path / "none"))


@pytest.mark.parametrize("label", ["d%C3%A9cran_1.txt", unicodedata.normalize("NFD", "décran_1.txt")])
def test_a_yolo_label_of_an_encoded_name_belongs_to_its_image(tmp_path, put, label):
    put("images/décran_1.png")
    put(f"labels/{label}", ROW)
    put("classes.txt", "bolt\n")
    assert contents(tmp_path / "set") == {"décran_1": ("", ["bolt"])}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark_are_read(tmp_path, put, encoding):
    put("images/a.png")
    put("labels/a.txt", ROW.encode(encoding))
    put("classes.txt", "bolt\n".encode(encoding))
    assert contents(tmp_path / "set") == {"a": ("", ["bolt"])}
    put("coco/a.png")
    put("coco/labels.json", coco("a.png").encode(encoding))
    assert contents(tmp_path / "set" / "coco") == {"a": ("", ["bolt"])}


@pytest.mark.parametrize(
    ("file", "text"), [("classes.txt", "groß\n"), ("train.txt", "./images/groß.png\n"), ("x.json", '{"a": "groß"}')]
)
def test_another_encoding_is_refused_by_name(tmp_path, put, file, text):
    put("images/a.png")
    put("labels/a.txt", ROW)
    put("classes.txt", "bolt\n")
    if file == "train.txt":
        put("data.yaml", "train: train.txt\nval: images\nnames: [bolt]\n")
    path = put(file, text.encode("latin-1"))
    with pytest.raises(CadsightError, match=r"is not in UTF-8 \(byte 0xdf in line 1\); it looks like Latin-1"):
        load(path if file == "x.json" else tmp_path / "set")
    if file != "x.json":
        (problem,) = check(tmp_path / "set").problems
        assert problem.kind == "unreadable data set"


def test_a_set_in_a_folder_called_test_is_of_no_split(tmp_path, image_file):
    image_file("test/images/a.png")
    (tmp_path / "test" / "labels.json").write_text(coco("a.png"))
    assert [s.split for s in load(tmp_path / "test")[0]] == [""]


def test_names_that_are_one_file_on_other_disks_become_two(tmp_path, put):
    put("images/A.jpg")
    put("images/a.png")
    put("labels.json", coco("A.jpg", "a.png"))
    names = [s.name for s in load(tmp_path / "set")[0]]
    assert len({n.casefold() for n in names}) == 2


def test_an_image_in_two_files_is_one_image_with_the_labels_of_both(tmp_path, put):
    put("train2017/a.png")
    first = json.loads(coco("a.png"))
    first["categories"].append({"id": 2, "name": "nut"})
    first["annotations"].append({"id": 7, "image_id": 0, "category_id": 2, "bbox": [1, 1, 4, 4]})
    put("annotations/instances_train2017.json", json.dumps(first))
    second = json.loads(coco("a.png"))
    second["annotations"][0] |= {"keypoints": [6, 7, 2], "num_keypoints": 1}
    put("annotations/person_keypoints_train2017.json", json.dumps(second))
    put("annotations/captions_train2017.json", '{"images": [], "annotations": [{"image_id": 0, "caption": "a bolt"}]}')
    notes = Notes()
    loaded = read(tmp_path / "set", notes)
    (sample,) = loaded.samples
    assert [(loaded.classes[i.class_id], i.attributes.get("keypoints")) for i in sample.instances] == [
        ("bolt", [6, 7, 2]),
        ("nut", None),
    ]
    assert (sample.name, sample.split) == ("a", "train")
    assert [p.kind for p in notes.problems] == ["image listed twice"]


def test_an_image_that_trains_and_validates_is_refused(tmp_path, put):
    put("images/a.png")
    for split in ("train", "val"):
        put(f"annotations/instances_{split}.json", coco("a.png"))
    with pytest.raises(CadsightError, match=r"1 images stand in two splits, .*train in .* and valid in"):
        load(tmp_path / "set")


def test_an_image_id_that_is_there_twice_is_refused_and_its_labels_are_given_to_nobody(tmp_path, put):
    for name in "abc":
        put(f"images/{name}.png")
    data = json.loads(coco("a.png", "b.png", "c.png"))
    data["images"][2]["id"] = 0
    data["annotations"][2]["image_id"] = 0
    put("labels.json", json.dumps(data))
    with pytest.raises(CadsightError, match=r"the images 'a\.png' and 'c\.png' have the same id 0"):
        load(tmp_path / "set")
    samples, _ = load(tmp_path / "set", Reading(allow_loss=True))
    assert [(s.name, len(s.instances)) for s in samples] == [("b", 1)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category_id": [1]}, "annotations[0].category_id is array, expected int | float | str"),
        ({"image_id": [0]}, "annotations[0].image_id is array"),
        ({"keypoints": "left"}, "annotations[0].keypoints is str"),
        ({"keypoints": [1, 2]}, "2 numbers of key points, expected x, y and visibility"),
        ({"keypoints": [1, 2, 5]}, "a key point's visibility is none of 0 (not labelled), 1 (hidden) and 2 (seen)"),
        ({"segmentation": {"size": [30, 40], "counts": "~~~"}}, "cannot be decoded: character '~' at 0"),
        ({"segmentation": {"size": [40, 30], "counts": [1200]}}, "of an image of 30 x 40 pixels, expected 40 x 30"),
        ({"segmentation": {"size": [30, 40], "counts": [7]}}, "its runs add up to 7 pixels, expected 40 x 30"),
    ],
)
def test_odd_annotations_are_reported_with_their_position_and_the_rest_is_read(tmp_path, put, change, words):
    put("images/a.png")
    put("images/b.png")
    data = json.loads(coco("a.png", "b.png"))
    data["annotations"][0] |= change
    put("labels.json", json.dumps(data))
    with pytest.raises(CadsightError) as caught:
        list(load(tmp_path / "set")[0])
    assert words in str(caught.value)
    assert "labels.json" in str(caught.value)
    report = check(tmp_path / "set", few=1)
    assert sorted(p.kind for p in report.problems) == ["empty labels", "odd label"]
    assert any(words in p.sentence for p in report.problems)
    assert report.labels == 1


def test_a_category_without_a_name_is_refused_and_an_image_without_a_size_is_not(tmp_path, put):
    put("a.png")
    data = json.loads(coco("a.png"))
    del data["images"][0]["width"]
    put("a.json", json.dumps(data))
    assert contents(tmp_path / "set") == {"a": ("", ["bolt"])}
    data["categories"][0]["name"] = " "
    put("a.json", json.dumps(data))
    with pytest.raises(CadsightError, match="has the category 1 with an empty name, expected the name of a class"):
        load(tmp_path / "set")


def test_a_list_of_images_without_annotations_is_reported(tmp_path, put):
    put("a.png")
    data = json.loads(coco("a.png"))
    del data["annotations"]
    put("a.json", json.dumps(data))
    report = check(tmp_path / "set", few=0)
    assert report.kinds == {"no labels": 1, "empty labels": 1}
    assert any("it lists images and has no annotations" in p.sentence for p in report.problems)


def test_a_number_that_is_not_finite_is_refused_with_its_position(tmp_path, put):
    put("images/a.png")
    put("labels.json", coco("a.png").replace('"bbox"', '"area": NaN, "bbox"'))
    with pytest.raises(CadsightError, match=r"labels\.json: annotations\[0\]\.area is nan, expected a finite number"):
        load(tmp_path / "set")
    assert [p.kind for p in check(tmp_path / "set").problems] == ["unreadable data set"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[on, off, 0510210600]", ("on", "off", "0510210600")),
        ("{0: no, 1: 2026-11-27, 2: 1.10}", ("no", "2026-11-27", "1.10")),
        ("[yes, 1e3, 0x1F]", ("yes", "1e3", "0x1F")),
    ],
)
def test_names_of_classes_stay_as_they_are_written(tmp_path, put, names, expected):
    put("images/a.png")
    put("labels/a.txt", ROW)
    put("data.yaml", f"train: images\nnames: {names}\n")
    assert load(tmp_path / "set")[1] == expected


@pytest.mark.parametrize("kind", ["yaml", "list", "coco"])
def test_a_class_name_that_is_there_twice_is_one_class_with_all_labels(tmp_path, put, kind):
    put("images/a.png")
    rows = ROW + "1 0.7 0.4 0.1 0.1\n2 0.7 0.8 0.1 0.1\n"
    if kind == "coco":
        data = json.loads(coco("a.png"))
        data["categories"] = [{"id": n, "name": name} for n, name in enumerate(["bolt", "nut", "bolt"])]
        boxes = [[5, 6, 10, 12], [20, 2, 4, 4], [20, 20, 4, 4]]
        data["annotations"] = [{"id": n, "image_id": 0, "category_id": n, "bbox": box} for n, box in enumerate(boxes)]
        put("labels.json", json.dumps(data))
    else:
        put("labels/a.txt", rows)
        put(
            *(
                ("data.yaml", "train: images\nnames: [bolt, nut, bolt]\n")
                if kind == "yaml"
                else ("classes.txt", "bolt\nnut\nbolt\n")
            )
        )
    report = check(tmp_path / "set", few=1)
    assert report.counts == {"bolt": 2, "nut": 1}
    assert [p.kind for p in report.problems] == ["class name twice"]


def test_a_number_of_classes_that_is_not_that_of_the_names_is_reported(tmp_path, put):
    put("images/a.png")
    put("labels/a.txt", ROW)
    put("data.yaml", "train: images\nnc: 2\nnames: [bolt, nut, pin]\n")
    assert "odd classes" in {p.kind for p in check(tmp_path / "set").problems}
    with pytest.raises(CadsightError, match="nc is 2 and there are 3 names, expected the same number"):
        load(tmp_path / "set")


def test_a_key_that_is_there_twice_is_refused_with_both_lines(tmp_path, put):
    put("images/a.png")
    put("data.yaml", "train: images\nnames: [bolt]\nnames: [nut]\n")
    with pytest.raises(CadsightError, match="the key 'names' in line 2 and in line 3"):
        load(tmp_path / "set")


def test_rows_of_two_kinds_are_reported(tmp_path, put):
    put("images/a.png")
    put("labels/a.txt", ROW + "0 0.6 0.6 0.9 0.6 0.9 0.9\n")
    put("classes.txt", "bolt\n")
    (problem,) = check(tmp_path / "set", few=1).problems
    assert problem.kind == "mixed rows"
    assert "boxes (line 1) and outlines (line 2)" in problem.sentence


def test_an_image_that_cannot_be_read_is_reported_without_labels_too(tmp_path, put):
    put("images/a.png")
    put("images/b.tif", b"II*\0")
    assert sorted(p.kind for p in check(tmp_path / "set").problems) == ["no labels", "unreadable image"]


def test_a_file_of_digits_alone_is_recognised_in_one_pass(tmp_path):
    (tmp_path / "a.txt").write_text("9" * 65_536 + "x")  # which going back digit by digit would take minutes for
    assert looks_like_labels(tmp_path / "a.txt") == ""
    (tmp_path / "a.txt").write_text("1. .5 -2.5e-3 +4 x")
    assert looks_like_labels(tmp_path / "a.txt") == "rows of numbers"
