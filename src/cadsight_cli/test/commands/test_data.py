"""`cadsight data` as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats import load
from cadsight_core.imaging.images import read_image, write_image
from cadsight_core.running import progress
from cadsight_core.sample import Instance, Sample


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "classes.txt").write_text("bracket\nplate\n")
    for index in range(10):
        pixels = np.random.default_rng(index).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        write_image(folder / "images" / f"{index}.png", pixels)
        (folder / "labels" / f"{index}.txt").write_text("0 0.5 0.5 0.25 0.2\n1 0.2 0.3 0.1 0.1\n")
    return folder


def test_a_healthy_set_ends_with_status_zero_and_its_counts(folder, tmp_path, capsys):
    assert main(["data", "check", str(folder), "--json", str(tmp_path / "report.json")]) == 0
    out = capsys.readouterr().out
    assert "10 images, 20 labels, format yolo" in out
    assert "no problems" in out
    assert json.loads((tmp_path / "report.json").read_text())["counts"] == {"bracket": 10, "plate": 10}


def test_problems_end_with_status_one_and_a_sentence_each(folder, capsys):
    (folder / "labels" / "3.txt").write_text("0 0.5 0.5\n")
    assert main(["data", "check", str(folder)]) == 1
    out = capsys.readouterr().out
    assert f"{folder / 'labels' / '3.txt'}, line 1: 3 numbers, expected class xc yc w h" in out
    assert "3 problems: 2 near-empty class, 1 odd label" in out
    assert main(["data", "check", str(folder), "--ignore", "odd label", "--few", "1"]) == 0


def test_what_is_not_there_ends_with_status_two_and_one_sentence(tmp_path, capsys):
    assert main(["data", "check", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"cadsight: {tmp_path / 'none'} does not exist, expected a data set\n"


@pytest.mark.parametrize("target", ["yolo", "coco", "via", "cadsight"])
def test_a_set_is_converted_and_divided(folder, tmp_path, capsys, target):
    words = ["data", "convert", str(folder), str(tmp_path / "out"), "--to", target, "--split", "6,2,2", "--square"]
    assert main(words) == 0
    written = capsys.readouterr().out.strip().splitlines()[-1]
    assert main(["data", "check", str(tmp_path / "out"), "--few", "1", "--json", str(tmp_path / "r.json")]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["splits"] == {"train": 6, "valid": 2, "test": 2}
    assert report["format"] == target
    assert written.startswith(str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "yolo", "--split", "many"], "--split is 'many', expected up to three numbers"),
        (["--to", "yolo", "--split", "1,2,3,4"], "expected up to three numbers"),
        (["--to", "regression"], "no label of the data set has a normal"),
        (["--to", "cadsight", "--take", "11"], "11 images are to be taken of 10, expected 1 to 10"),
        (["--to", "cadsight", "--take", "3", "--by", "normals"], "10 of 10 images have no normal, the first is"),
    ],
)
def test_a_conversion_that_cannot_be_done_ends_with_status_two(folder, tmp_path, capsys, words, sentence):
    assert main(["data", "convert", str(folder), str(tmp_path / "out"), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_few_images_are_chosen_at_random_as_the_seed_says(folder, tmp_path):
    def taken(name, *words):
        words = ["--to", "cadsight", "--take", "4", *words]
        assert main(["data", "convert", str(folder), str(tmp_path / name), *words]) == 0
        return [(s.name, s.split) for s in load(tmp_path / name)[0]]

    first = taken("first")
    assert len(first) == 4
    assert taken("again") == first
    assert taken("other", "--seed", "1") != first
    assert taken("random", "--by", "random") == taken("lot", "--by", "lot") == first
    assert [split for _, split in taken("divided", "--split", "3,1")] != [split for _, split in first]


def test_images_of_normals_far_apart_are_taken(tmp_path):
    dataset = Dataset.create(tmp_path / "set", ["block"])
    for degrees in (0, 1, 2, 40, 41, -30):
        angle = np.radians(degrees)
        instance = Instance(0, Box(0, 0, 4, 4), normal=np.array([np.sin(angle), 0.0, -np.cos(angle)]), source="human")
        sample = Sample(f"at{degrees}", Path(), ImageSize(8, 8), instances=(instance,))
        dataset.append(sample, np.zeros((8, 8, 3), np.uint8))
    words = ["--to", "cadsight", "--take", "3", "--by", "normals"]
    assert main(["data", "convert", str(dataset.folder), str(tmp_path / "few"), *words]) == 0
    assert [s.name for s in load(tmp_path / "few")[0]] == ["at2", "at41", "at-30"]


def test_what_a_conversion_to_regression_files_prints_is_read_as_one_set(tmp_path, capsys):
    dataset = Dataset.create(tmp_path / "set", ["part"])
    for number in range(4):
        instance = Instance(0, Box(0, 0, 4, 4), normal=np.array([0.0, 0.0, -1.0]), source="human")
        sample = Sample(f"at{number}", Path(), ImageSize(8, 8), instances=(instance,))
        dataset.append(sample, np.full((8, 8, 3), number, np.uint8))
    words = ["data", "convert", str(dataset.folder), str(tmp_path / "out"), "--to", "regression"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "out")
    assert len(load(tmp_path / "out")[0]) == 4
    assert main([*words, "--split", "3,0,1"]) == 0
    path = capsys.readouterr().out.splitlines()[-1]
    assert sorted(s.split for s in load(path)[0]) == ["test", "train", "train", "train"]
    assert len(load(f"{path}/test")[0]) == 1


def test_a_conversion_tells_what_was_read_otherwise_than_it_was_told(folder, tmp_path, capsys):
    (folder / "data.yaml").write_text("train: images\nval: images\nnames: [bracket, bracket]\n")
    assert main(["data", "convert", str(folder), str(tmp_path / "out"), "--to", "yolo"]) == 0
    output = capsys.readouterr().out
    assert "note: " in output
    assert "10 images stand in two splits, the first is" in output
    assert "the classes 0 and 1 are both called 'bracket': they are one class" in output


def test_a_conversion_tells_of_images_without_labels_and_refuses_a_set_without_images(folder, tmp_path, capsys):
    lone = folder / "labels" / "0.txt"
    lone.unlink()
    words = ["--to", "coco", "--json", str(tmp_path / "a.json")]
    assert main(["data", "convert", str(folder), str(tmp_path / "out"), *words]) == 0
    sentence = f"1 images have no labels, the first is {folder / 'images' / '0.png'}: they are written as showing"
    assert sentence in capsys.readouterr().out
    assert json.loads((tmp_path / "a.json").read_text())["unlabelled"] == [str(folder / "images" / "0.png")]
    for image in (folder / "images").iterdir():
        image.unlink()
    assert main(["data", "convert", str(folder), str(tmp_path / "none"), "--to", "coco", "--allow-loss"]) == 2
    assert "is read as yolo and holds no images, expected some" in capsys.readouterr().err


def test_frames_of_a_video_become_images(tmp_path, capsys):
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(11):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    assert main(["data", "frames", str(tmp_path / "v.avi"), "--fps", "2", "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines() == ["3 images", str(tmp_path / "out")]
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_backgrounds_are_not_put_into_a_set_of_another_format(folder, tmp_path, capsys):
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    before = sorted(folder.rglob("*"))
    assert main(["data", "frames", str(tmp_path / "v.avi"), "--background", "--out", str(folder)]) == 2
    errors = capsys.readouterr().err
    assert f"cadsight: {folder} holds files that are no earlier result of ours" in errors
    assert "or a data set of ours, which `cadsight data convert --to cadsight` makes of another format" in errors
    assert sorted(folder.rglob("*")) == before
    assert main(["data", "convert", str(folder), str(tmp_path / "ours"), "--to", "cadsight"]) == 0
    assert main(["data", "frames", str(tmp_path / "v.avi"), "--background", "--out", str(tmp_path / "ours")]) == 0
    assert len(load(tmp_path / "ours")[0]) == 11


def test_labels_are_drawn_on_a_few_images_and_earlier_ones_are_replaced(folder, tmp_path):
    for count in ("5", "3"):
        assert main(["data", "show", str(folder), "--out", str(tmp_path / "out"), "--count", count]) == 0
    images = sorted((tmp_path / "out").glob("*.png"))
    assert len(images) == 3
    original = read_image(folder / "images" / images[0].name)
    assert (read_image(images[0]) != original).any()


def test_labels_are_never_drawn_onto_the_images_of_the_set(folder, capsys):
    before = {path: path.read_bytes() for path in (folder / "images").iterdir()}
    assert main(["data", "show", str(folder), "--out", str(folder / "images")]) == 2
    assert "holds files that are no earlier result of ours" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (folder / "images").iterdir()} == before


def test_neither_torch_nor_ros_is_loaded(folder):
    program = (
        "import sys; from cadsight_cli.main import main; main(sys.argv[1:]);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'rclpy', 'ultralytics')))"
    )
    done = subprocess.run([sys.executable, "-c", program, "data", "check", str(folder)], check=False)
    assert done.returncode == 0


def test_copies_are_added_and_a_second_call_finds_them(folder, tmp_path, capsys):
    (tmp_path / "p.yaml").write_text("rotation_deg: 5.0\nflip_horizontal: 0.0\n")
    words = ["data", "augment", str(folder), "--out", str(tmp_path / "out"), "--copies", "2"]
    words += ["--parameters", str(tmp_path / "p.yaml"), "--seed", "3"]
    for _ in range(2):
        assert main(words) == 0
        assert capsys.readouterr().out.splitlines()[-2:] == ["30 images", str(tmp_path / "out")]
    assert main([*words[:-1], "4"]) == 2
    assert "expected a new folder" in capsys.readouterr().err
    (tmp_path / "p.yaml").write_text("rotate: 5.0\n")
    assert main(words) == 2
    assert "has the unknown key 'rotate'" in capsys.readouterr().err


def test_masks_become_contours_of_the_named_classes(folder, tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    mask = np.zeros((30, 40, 3), np.uint8)
    mask[5:20, 6:30] = (255, 0, 0)
    mask[10:12, 10:12] = (0, 0, 255)
    write_image(tmp_path / "masks" / "0.png", mask)
    words = ["data", "annotate", str(tmp_path / "masks"), "--images", str(folder / "images")]
    words += ["--out", str(tmp_path / "via" / "via.json"), "--copies", "1"]
    assert main([*words, "--colour", "ff0000=plate", "--colour", "0000ff=bracket"]) == 0
    out = capsys.readouterr().out
    assert "10 images: 1 bracket, 1 plate; 10 copies" in out
    assert "without regions: 9 without a mask, 0 with an empty one" in out
    main(["data", "check", str(tmp_path / "via" / "via.json"), "--json", str(tmp_path / "r")])
    assert json.loads((tmp_path / "r").read_text())["pictures"] == 20
    assert main([*words, "--colour", "ff0000"]) == 2
    assert "--colour is 'ff0000', expected a colour and its class" in capsys.readouterr().err


def coco_file(folder, **annotation):
    """A COCO set of one image with an object and its key points, and a crowd."""
    folder.mkdir()
    write_image(folder / "a.png", np.zeros((30, 40, 3), np.uint8))
    first = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 3, 10, 8], "keypoints": [5, 5, 2], "worn": True}
    crowd = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [20, 3, 10, 8], "iscrowd": 1}
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{**first, **annotation}, crowd],
        "categories": [{"id": 1, "name": "bolt"}],
    }
    (folder / "labels.json").write_text(json.dumps(data))
    return str(folder)


def test_a_conversion_tells_what_it_read_wrote_and_left_out(tmp_path, capsys):
    source = coco_file(tmp_path / "coco")
    words = ["data", "convert", source, str(tmp_path / "out"), "--to", "yolo", "--json", str(tmp_path / "r.json")]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:4] == [
        "read: 1 images, 2 labels, 1 classes, 1 key points, 1 attributes",
        "written: 1 images, 1 labels, 1 classes, 1 key points",
        "left out: 1 labels: YOLO has no crowds, the first is a",
        "left out: 1 attributes: YOLO has no attributes, the first is a",
    ]
    assert "something was left out, expected nothing, or --allow-loss" in err
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["read"]["labels"], document["written"]["labels"], document["written"]["key_points"]) == (2, 1, 1)
    assert [(one["what"], one["count"]) for one in document["left_out"]] == [("labels", 1), ("attributes", 1)]
    assert main([*words, "--allow-loss"]) == 0
    assert len((tmp_path / "out" / "labels" / "a.txt").read_text().splitlines()) == 1
    capsys.readouterr()
    assert main(["data", "convert", source, str(tmp_path / "own"), "--to", "cadsight"]) == 0
    assert "left out" not in capsys.readouterr().out


def test_a_label_that_cannot_be_used_is_refused_or_left_out_and_counted(tmp_path, capsys):
    source = coco_file(tmp_path / "coco", category_id=[1])
    words = ["data", "convert", source, str(tmp_path / "out"), "--to", "coco"]
    assert main(words) == 2
    assert "annotations[0].category_id is array" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "--allow-loss"]) == 0
    assert "left out: 1 labels: odd label, the first is" in capsys.readouterr().out


def test_labels_that_nobody_reads_are_shown_first_and_refused(folder, tmp_path, capsys):
    (folder / "more.csv").write_text("filename,xmin,ymin,xmax,ymax,class\n")
    assert main(["data", "check", str(folder)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"read as yolo: images/ and labels/ in {folder}"
    assert out[1] == "  11 files of labels, 10 images"
    assert out[2].startswith("  1 files that look like labels that nothing reads, the first is")
    words = ["data", "convert", str(folder), str(tmp_path / "out"), "--to", "coco"]
    assert main(words) == 2
    assert "more.csv (a table), expected none; --allow-loss" in capsys.readouterr().err
    assert main([*words, "--allow-loss"]) == 0


def test_training_refuses_labels_that_nobody_reads(folder, tmp_path, capsys):
    (folder / "more.csv").write_text("filename,xmin,ymin,xmax,ymax,class\n")
    train = ["train", "detector", "--data", str(folder), "--out", str(tmp_path / "m"), "--track", "none"]
    assert main(train) == 2
    assert "more.csv (a table), expected none; --allow-loss" in capsys.readouterr().err


def test_crowds_are_told_and_not_a_problem(tmp_path, capsys):
    assert main(["data", "check", coco_file(tmp_path / "coco"), "--few", "1"]) == 0
    assert "  1 labels are crowds: neither learned from nor counted" in capsys.readouterr().out


def test_the_attribute_of_the_class_and_a_lost_folder_are_named_on_the_command_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos" / "a.png", np.zeros((30, 40, 3), np.uint8))
    region = {
        "shape_attributes": {"name": "rect", "x": 4, "y": 3, "width": 10, "height": 8},
        "region_attributes": {"maker": "x", "thing": "bolt"},
    }
    (tmp_path / "via.json").write_text(json.dumps({"a": {"filename": "a.png", "size": 1, "regions": [region]}}))
    words = ["data", "check", str(tmp_path / "via.json"), "--images", str(tmp_path / "photos"), "--few", "1"]
    main(words)
    assert "expected a class in an attribute that --class-attribute names" in capsys.readouterr().out
    assert main([*words, "--class-attribute", "thing"]) == 0
    assert "bolt       1" in capsys.readouterr().out


def test_a_file_where_a_folder_is_to_be_is_refused_in_a_sentence(folder, tmp_path, capsys):
    (tmp_path / "look").write_text("mine")
    assert main(["data", "show", str(folder), "--out", str(tmp_path / "look")]) == 2
    assert f"{tmp_path / 'look'} is no folder, expected one, or a name that is free" in capsys.readouterr().err


def test_long_readings_say_how_far_they_are(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "MANY", 4)
    (tmp_path / "set").mkdir()
    for seed, name in enumerate("abcdef"):
        write_image(tmp_path / "set" / f"{name}.png", np.full((30, 40, 3), seed, np.uint8))
    entries = [{"id": n, "file_name": f"{name}.png"} for n, name in enumerate("abcdef")]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(6)]
    data = {"images": entries, "annotations": boxes, "categories": [{"id": 1, "name": "bracket"}]}
    (tmp_path / "set/labels.json").write_text(json.dumps(data))
    assert main(["data", "check", str(tmp_path / "set"), "--ignore", "near-empty class"]) == 0
    errors = capsys.readouterr().err
    for what in ("labels.json read: 1 of 1", "labels read: 6 of 6", "images found: 6 of 6", "images: 6 of 6"):
        assert what in errors
    assert main(["data", "convert", str(tmp_path / "set"), str(tmp_path / "yolo"), "--to", "yolo"]) == 0
    errors = capsys.readouterr().err
    for what in ("labels counted: 6 of 6", "images written: 6 of 6"):
        assert what in errors
