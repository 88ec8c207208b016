from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.obj import read_obj
from cadsight_core.meshes.source import Source
from hypothesis import given
from hypothesis import strategies as st
from mesh_bytes import BOX, SIDES

VERTICES = "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in BOX)
TEXTURE_POINTS = "vt 0.5 0.1\nvt 0.5 0.9\n"


def read(text, folder=Path(".")):
    return read_obj(Source(folder / "box.obj", text.encode()))


def faces(form):
    """The sides, of each corner what ``form`` makes of its vertex from 1 and its place in a texture from 1."""
    return "".join("f " + " ".join(form(i + 1, 1 + (BOX[i, 2] > 0)) for i in s) + "\n" for s in SIDES)


def measures(found):
    corners = found.vertices[found.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    return len(corners), area, volume


@pytest.mark.parametrize(
    "form",
    [
        lambda v, t: f"{v}",
        lambda v, t: f"{v}/{t}",
        lambda v, t: f"{v}//1",
        lambda v, t: f"{v}/{t}/1",
        lambda v, t: f"{v}/",
        lambda v, t: f"{v - 9}",
        lambda v, t: f"{v - 9}/{t - 3}/-1",
        lambda v, t: f"{v - 9}//-1",
    ],
)
def test_every_form_of_index_is_read(form):
    found = read(VERTICES + TEXTURE_POINTS + "vn 0 0 1\n" + faces(form))
    assert measures(found) == (12, pytest.approx(3520), pytest.approx(9600))
    assert found.colours is None


def test_relative_indices_count_from_where_they_stand():
    second = "".join(f"v {x + 60:g} {y:g} {z:g}\n" for x, y, z in BOX)
    back = faces(lambda v, _: str(v - 9))
    found = read(VERTICES + back + second + back)
    assert measures(found)[2] == pytest.approx(2 * 9600)
    np.testing.assert_allclose(np.ptp(found.vertices[found.faces].reshape(-1, 3), axis=0), [100, 30, 8])


def test_faces_may_stand_before_their_vertices():
    assert measures(read(faces(lambda v, _: str(v)) + VERTICES))[0] == 12


def test_a_concave_face_covers_what_it_encloses_and_no_more():
    outline = "v 0 0 0\nv 40 0 0\nv 40 10 0\nv 10 10 0\nv 10 30 0\nv 0 30 0\n"
    for first in range(6):
        order = [(first + i) % 6 + 1 for i in range(6)]
        assert measures(read(outline + "f " + " ".join(map(str, order))))[1] == pytest.approx(600)


def test_comments_continued_lines_and_other_words_change_nothing():
    text = "# a box\nmtllib\no box\ng a b\ns 1\n" + VERTICES.replace("\n", " # a corner\n", 1) + "l 1 2\np 1\n"
    first = "f 1 3 \\\n 4 2 # the bottom\n"
    rest = faces(lambda v, _: str(v)).split("\n", 1)[1]
    found = read(text + first + rest)
    assert measures(found) == (12, pytest.approx(3520), pytest.approx(9600))
    assert read((text + first + rest).replace("\n", "\r\n")).faces.shape == (12, 3)


def test_lines_that_are_left_out_are_reported():
    found = read(VERTICES + faces(lambda v, _: str(v)) + "f 1 2\nsurf 0 1 0 1 1 2 3\n")
    assert found.notes == (
        "1 faces of fewer than 3 vertices were left out",
        "1 lines of free-form curves and surfaces were left out",
    )


@pytest.mark.parametrize(
    ("red", "form"), [("1 0.2 0", "{} {} {} {}"), ("255 51 0", "{} {} {} {}"), ("1 0.2 0", "{} {} {} {} 1")]
)
def test_colours_of_vertices_are_read(red, form):
    text = "".join("v " + form.format(*map(str, v), red) + "\n" for v in BOX)
    assert read(text + faces(lambda v, _: str(v))).colours.tolist() == [[255, 51, 0]] * 8


def textured(tmp_path, materials):
    (tmp_path / "box.mtl").write_text(materials)
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4] = (1, 2, 3)  # blue, green, red above, where v is above 0.5
    cv2.imwrite(str(tmp_path / "paint one.png"), image)
    return read(
        "mtllib box.mtl\n" + VERTICES + TEXTURE_POINTS + "usemtl wood oak\n" + faces(lambda v, t: f"{v}/{t}"), tmp_path
    )


def test_a_texture_gives_colours(tmp_path):
    found = textured(tmp_path, "newmtl wood oak\nKd 1 1 1\nmap_Kd paint one.png\n")
    assert found.colours.tolist() == [[3, 2, 1] if z > 0 else [0, 0, 0] for z in found.vertices[:, 2]]
    assert measures(found)[2] == pytest.approx(9600)


def test_a_missing_texture_is_reported_and_gives_no_colour(tmp_path):
    found = textured(tmp_path, "newmtl wood oak\nmap_Kd -s 1 1 none.png\n")
    assert (found.colours, found.notes) == (None, ("its texture 'none.png' could not be read",))


def test_a_texture_outside_the_folder_is_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    textured(tmp_path, "")
    found = textured(tmp_path / "in", "newmtl wood oak\nmap_Kd ../paint one.png\n")
    assert found.colours is None


def test_texture_points_without_a_material_are_no_colours(tmp_path):
    assert read(VERTICES + TEXTURE_POINTS + faces(lambda v, t: f"{v}/{t}")).colours is None
    found = read("mtllib none.mtl\nusemtl x\n" + VERTICES + TEXTURE_POINTS + faces(lambda v, t: f"{v}/{t}"), tmp_path)
    assert (found.colours, found.notes) == (None, ("its materials 'none.mtl' could not be read",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (VERTICES + "f 1 2 0\n", "its line 9 is 'f 1 2 0': 0 is none of the 8 so far"),
        (VERTICES + "f 1 2 -9\n", "its line 9 is 'f 1 2 -9': -9 is none of the 8 so far"),
        (VERTICES + "f 1 2 9\n", "a face has the vertex 9, expected 1 to 8"),
        (VERTICES + "f 1/1 2/1 3/1\n", "a face has the place in a texture 1, expected 1 to 0"),
        (VERTICES + "f a b c\n", "its line 9 is 'f a b c'"),
        ("v 1 2\n", "its line 1 is 'v 1 2': a vertex has fewer than 3 numbers"),
        ("v 1 2 x\n", "its line 1 is 'v 1 2 x'"),
    ],
)
def test_a_line_that_is_wrong_is_refused_with_its_number(text, words):
    with pytest.raises(CadsightError) as caught:
        read(text)
    assert words in str(caught.value)


@given(st.integers(0, 600), st.text("0123456789 -/f\\v\n.e", min_size=1, max_size=6))
def test_characters_that_changed_are_read_or_refused(at, new):
    text = VERTICES + TEXTURE_POINTS + faces(lambda v, t: f"{v}/{t}")
    at = at % len(text)
    for one in (text[:at] + new + text[at + len(new) :], text[:at], text[:at] + new + text[at:]):
        try:
            found = read(one)
        except CadsightError:
            continue
        assert found.faces.size == 0 or found.faces.max() < len(found.vertices)
