"""An assembly that OpenCASCADE 8 wrote in several files: a plate of 40 x 30 x 5 mm and two pins of 4 x 4 x 20 on it."""

import shutil
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.step import read_step
from cadsight_core.meshes.source import Source
from cadsight_core.parts.mesh import load_mesh

DATA = Path(__file__).parents[2] / "data" / "assembly"
PLATE, PIN = 40 * 30 * 5, 4 * 4 * 20


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(DATA, tmp_path / "parts"))


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def volume_mm3(path):
    return load_mesh(path).volume * 1e9


def test_parts_in_files_beside_the_assembly_are_read_at_their_places(folder):
    mesh = load_mesh(folder / "assembly.step")
    assert mesh.volume * 1e9 == pytest.approx(PLATE + 2 * PIN, rel=1e-6)
    assert mesh.vertices.max(axis=0) == pytest.approx([0.04, 0.03, 0.025], abs=1e-9)
    # The second pin stands at 25, 5, 5 mm.
    high = mesh.vertices[mesh.vertices[:, 2] > 0.024]
    assert sorted(set((1000 * high[:, 0]).round(3))) == [5, 9, 25, 29]


def test_an_assembly_may_be_a_part_of_another(folder):
    shutil.copy(folder / "assembly.step", folder / "inner.STEP")
    changed(folder / "assembly.step", "part_pin.stp", "inner.STEP")
    changed(folder / "assembly.step", "(25.,5.,5.)", "(125.,5.,5.)")
    mesh = load_mesh(folder / "assembly.step")
    assert mesh.volume * 1e9 == pytest.approx(3 * PLATE + 4 * PIN, rel=1e-6)
    assert mesh.vertices.max(axis=0) == pytest.approx([0.165, 0.035, 0.03], abs=1e-8)


def test_each_file_has_a_unit_of_its_own(folder):
    changed(folder / "part_pin.stp", ".MILLI.,.METRE.", ".CENTI.,.METRE.")
    mesh = load_mesh(folder / "assembly.step")
    assert mesh.volume * 1e9 == pytest.approx(PLATE + 2 * 1000 * PIN, rel=1e-6)
    assert mesh.vertices.max(axis=0) == pytest.approx([0.065, 0.045, 0.205], abs=1e-8)


def test_what_looks_like_an_entity_in_a_name_or_a_comment_is_none(folder):
    changed(folder / "part_pin.stp", "DATA;\n", "DATA;\n/* #1=DOCUMENT_FILE('a.stp','',$,#2,'','');\n */")
    changed(folder / "part_pin.stp", "PRODUCT('pin','pin'", "PRODUCT('pin; #7=X(#8);','it''s /* #9'")
    assert volume_mm3(folder / "assembly.step") == pytest.approx(PLATE + 2 * PIN, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "part_pin.stp").unlink(), "'part_pin.stp' that it needs could not be read: No such file"),
        (lambda f: (f / "part_pin.stp").write_bytes(b"PK"), "'part_pin.stp' that it needs could not be read: it begin"),
        (
            lambda f: changed(f / "assembly.step", "part_pin.stp", "../part_pin.stp"),
            "the name '../part_pin.stp' leads out of the folder",
        ),
        (lambda f: changed(f / "assembly.step", "part_pin.stp", "pin.CATPart"), "whose parts lie in pin.CATPart"),
        (
            lambda f: shutil.copy(f / "assembly.step", f / "part_pin.stp"),
            "the file 'part_pin.stp' that it needs is a part of itself",
        ),
        (
            lambda f: changed(f / "assembly.step", "APPLIED_DOCUMENT_REFERENCE", "APPLIED_OTHER_REFERENCE"),
            "with a part in part_plate.stp, and none of its products are that part, expected one: export",
        ),
        (
            lambda f: changed(f / "part_pin.stp", "SHAPE_DEFINITION_REPRESENTATION(", "OTHER_REPRESENTATION("),
            "it holds no products that are placed in no other, expected one",
        ),
    ],
)
def test_a_part_that_cannot_be_used_is_refused_by_name_before_a_library_prints(folder, change, words, capfd):
    change(folder)
    source = Source(folder / "assembly.step", (folder / "assembly.step").read_bytes())
    with pytest.raises(CadsightError) as caught:
        read_step(source)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
