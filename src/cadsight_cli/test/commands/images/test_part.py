"""`cadsight part` as a user types it."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
import yaml
from cadsight_cli.main import main

ROOT = Path(__file__).resolve().parents[5]


@pytest.fixture
def plate(tmp_path):
    box = trimesh.creation.box((40, 40, 10))
    box.faces[3] = box.faces[3][::-1]
    trimesh.Trimesh(box.vertices, box.faces, process=False).export(tmp_path / "plate.stl")
    return tmp_path / "plate.stl"


def test_size_oddities_symmetry_and_files_are_printed(plate, tmp_path, capsys):
    assert main(["part", "add", str(plate), "--unit", "mm", "--name", "plate", "--out", str(tmp_path / "parts")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "plate: class 0, 40.0 x 40.0 x 10.0 mm, 12 triangles, closed"
    assert lines[1] == "  1 triangles faced inwards and were turned"
    assert lines[2] == "symmetry:"
    assert lines[3].startswith("  1/4 of a turn about [0.000, 0.000, 1.000]")
    assert lines[8].startswith("point of interest: 0.0, 0.0, ")
    assert lines[9:] == [str(tmp_path / "parts" / p) for p in ("plate.yaml", "plate/plate.ply", "plate/plate.jpg")]
    assert all((tmp_path / "parts" / p).is_file() for p in ("plate.yaml", "plate/plate.ply", "plate/plate.jpg"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.step"], "the mesh none.step does not exist"),
        (["PLATE", "--unit", "m"], "check its unit"),
        (["PLATE", "--name", "two words"], "the part's name is 'two words', expected one word"),
        (["PLATE", "--tolerance", "0"], "the tolerance of symmetries is 0 mm"),
    ],
)
def test_what_cannot_become_a_part_ends_with_one_sentence(plate, tmp_path, capsys, arguments, words):
    typed = [str(plate) if a == "PLATE" else a for a in arguments]
    assert main(["part", "add", *typed, "--out", str(tmp_path / "parts")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_part_is_checked_and_ends_with_one_while_something_is_missing(plate, tmp_path, capsys):
    main(["part", "add", str(plate), "--out", str(tmp_path / "parts")])
    yaml = tmp_path / "parts" / "plate.yaml"
    capsys.readouterr()
    assert main(["part", "check", str(yaml)]) == 1
    output = capsys.readouterr().out.splitlines()
    assert output[0] == "plate: class 0, 40.0 x 40.0 x 10.0 mm, 16.00 cm3, closed"
    assert output[1].startswith("wrong: colour is empty")
    assert output[2] == str(tmp_path / "parts" / "plate-check.jpg")
    yaml.write_text(yaml.read_text().replace("colour: []", "colour: [{low: [5, 90, 60], high: [25, 255, 255]}]"))
    assert main(["part", "check", str(yaml), "--out", str(tmp_path / "look.png")]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["nothing is missing", str(tmp_path / "look.png")]
    assert main(["part", "check", str(yaml), "--out", str(tmp_path / "look.png")]) == 0
    (tmp_path / "look.png").write_bytes(b"mine")
    assert main(["part", "check", str(yaml), "--out", str(tmp_path / "look.png")]) == 2
    assert "look.png is no earlier output of ours" in capsys.readouterr().err


def test_poses_that_show_a_part_are_tried_without_a_cell(tmp_path, capsys):
    config = ROOT / "config" / "workcell.yaml"
    part = ROOT / "config" / "parts" / "bracket.yaml"
    check = ["part", "check", "--config", str(config), "--out", str(tmp_path / "a.jpg")]
    assert main([*check, str(part)]) == 0
    assert "all of 8 poses show the point to the camera; draws that did not: " in capsys.readouterr().out
    # The image is 640 pixels wide at 0.9 m: nothing of 0.3 m is whole in it around home.
    settings = yaml.safe_load(config.read_text())
    settings["simulated_cell"]["ros__parameters"]["camera_position"] = [0.34, 0.0, 0.45]
    (tmp_path / "near.yaml").write_text(yaml.safe_dump(settings))
    check[3] = str(tmp_path / "near.yaml")
    assert main([*check, str(part)]) == 1
    words = r"wrong: 0 of 8 poses show the point to the camera: none of 200 poses around home could be .*out_of_view"
    assert re.search(words, capsys.readouterr().out)
    check[3] = str(part)
    assert main([*check, str(part)]) == 2
    assert "has no parameters of cadsight/capture" in capsys.readouterr().err


def test_a_part_is_replaced_only_by_force(plate, tmp_path, capsys):
    add = ["part", "add", str(plate), "--out", str(tmp_path / "parts")]
    assert main(add) == 0
    assert main(add) == 2
    assert "or --force" in capsys.readouterr().err
    assert main([*add, "--force"]) == 0


def test_the_colour_of_a_part_is_found_and_tried_on_its_image(tmp_path, capsys):
    image = np.full((240, 320, 3), 235, np.uint8)
    # Blue, green, red of OpenCV's hue 60.
    image[80:160, 100:200] = (40, 180, 40)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    colour = ["part", "colour", str(tmp_path / "a.png"), "--at", "110", "90", "190", "150"]
    assert main([*colour, "--out", str(tmp_path / "b.png")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "colour:",
        "- low: [52, 148, 120]",
        "  high: [68, 255, 255]",
        "# 1 of 180 hues in the rectangle, 100% of it coloured",
        "# in this image it finds what lies from 100, 80 to 200, 160",
        f"# {tmp_path / 'b.png'}",
    ]
    assert main(["part", "colour", str(tmp_path / "a.png"), "--at", "0", "0", "50", "50"]) == 2
    assert "grey, white or black" in capsys.readouterr().err
    assert main([*colour, "--out", str(tmp_path / "a.png")]) == 2
    assert "a.png is no earlier output of ours" in capsys.readouterr().err
