"""`cadsight part add` as a user types it."""

import pytest
import trimesh
from cadsight_cli.main import main


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
