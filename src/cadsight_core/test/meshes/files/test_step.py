from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files import step
from cadsight_core.meshes.files.step import read_step
from cadsight_core.meshes.source import Source
from cadsight_core.parts.mesh import load_mesh

DATA = Path(__file__).parents[2] / "data"


def test_a_solid_is_read_in_metres_with_the_volume_that_opencascade_measures():
    mesh = load_mesh(DATA / "bearing_plate.step", "inch")
    # GProp_GProps of the same file: 30364.389 mm3; triangles at 0.01 mm lie within its round faces.
    assert mesh.volume == pytest.approx(30364.389e-9, rel=1e-4)
    assert mesh.extents == pytest.approx([0.06, 0.04, 0.022], abs=1e-5)
    assert mesh.is_closed
    assert mesh.notes == ()


PLATE = (DATA / "two_solids.step").read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it begins with b'', expected ISO-10303-21: is it encrypted or compressed?"),
        (b"\x01%TSD-Header-###%\x00\x12\x9f" + PLATE[21:], "is it encrypted or compressed?"),
        (PLATE[:2000], "it ends before END-ISO-10303-21, expected a whole file"),
        (b"ISO-10303-21;\nHEADER;\nEND-ISO-10303-21;\n", "OpenCASCADE does not read it"),
        (
            PLATE.replace(b"DATA;\n", b"DATA;\n#9001=DOCUMENT_FILE('bolt.stp','',$,#2,'','');\n", 1),
            "it is an assembly with a part in bolt.stp, and none of its products are that part",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_the_kernel_says_anything(data, words, capfd):
    with pytest.raises(CadsightError) as caught:
        read_step(Source(Path("part.step"), data))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_file_that_opencascade_is_never_done_with_is_refused(monkeypatch):
    monkeypatch.setattr(step, "_PROCESSOR_S", 2)  # of the 9 s that a file of 13 kB may take
    without_length = (
        (DATA / "flange.step").read_bytes().replace(b"#172 = VECTOR('',#173,1.)", b"#172 = VECTOR('',#173,0.)")
    )
    with pytest.raises(CadsightError, match=r"OpenCASCADE was not done with it after \d s, expected a whole file"):
        read_step(Source(Path("part.step"), without_length))
