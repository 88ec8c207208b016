import pytest
from cadsight_core.meshes.files.numbers import numbers_of
from cadsight_core.parts.mesh import load_mesh
from mesh_bytes import BOX, SIDES, ascii_stl


def test_words_are_the_numbers_that_they_spell():
    assert numbers_of([b"1", b"-2.5e-3", b"nan"])[:2].tolist() == [1.0, -0.0025]
    assert numbers_of([]).tolist() == []
    with pytest.raises(ValueError, match="two"):
        numbers_of([b"1", b"two"])


def test_one_long_word_takes_no_room_beside_many_short_ones():
    words = [b"1"] * 100_000 + [b"0." + b"0" * 900_000 + b"1"]  # as fixed rows they would be 90 GB
    assert numbers_of(words).sum() == 100_000


@pytest.mark.parametrize("odd", ["9" * 400_000, "1.#" + "I" * 400_000])
def test_a_part_is_measured_beside_a_vertex_of_half_a_megabyte(tmp_path, odd):
    text = ascii_stl(BOX[SIDES]).decode()
    corner = f"facet normal 0 0 1\nouter loop\nvertex {odd} 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    (tmp_path / "a.stl").write_text(text.replace("endsolid", f"{corner}endsolid", 1))
    assert load_mesh(tmp_path / "a.stl").extents.tolist() == pytest.approx([0.04, 0.03, 0.008])
