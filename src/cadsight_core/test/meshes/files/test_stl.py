from pathlib import Path

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.stl import read_stl
from cadsight_core.meshes.source import Source
from hypothesis import given
from hypothesis import strategies as st
from mesh_bytes import BOX, SIDES, TRIANGLES, ascii_stl, binary_stl

CORNERS = BOX[TRIANGLES]


def read(data):
    return read_stl(Source(Path("box.stl"), data))


def assert_is_the_box(found):
    np.testing.assert_allclose(found.vertices[found.faces], CORNERS, atol=1e-5)


@pytest.mark.parametrize(
    "data",
    [
        binary_stl(CORNERS),
        binary_stl(CORNERS, header=b"solid of a program that says so in binary too"),
        binary_stl(CORNERS, count=0),
        binary_stl(CORNERS, count=0xFFFFFFFF),
        binary_stl(CORNERS, behind=37 * b"x"),
        ascii_stl(CORNERS),
        ascii_stl(CORNERS, name="Vertex clamp"),
        ascii_stl(CORNERS, name="vertex 1 2 3"),
        ascii_stl(CORNERS, name=""),
        ascii_stl(CORNERS, end="\r\n"),
        ascii_stl(CORNERS, end="\r"),
        ascii_stl(CORNERS, end=" "),
        ascii_stl(CORNERS).upper(),
        b"\xef\xbb\xbf" + ascii_stl(CORNERS),
        ascii_stl(CORNERS[:5]) + ascii_stl(CORNERS[5:], name="another solid"),
        ascii_stl(BOX[SIDES]),  # squares, against the standard
    ],
)
def test_a_box_is_read_however_it_was_written(data):
    assert_is_the_box(read(data))


def test_an_odd_header_is_reported():
    assert read(binary_stl(CORNERS, count=0)).notes == (
        "its header counts 0 triangles, of which 12 are there and were read",
    )
    assert read(binary_stl(CORNERS, behind=b"12345")).notes == ("5 bytes behind its last triangle were passed over",)
    assert read(binary_stl(CORNERS)).notes == read(ascii_stl(CORNERS)).notes == ()
    without_end = ascii_stl(CORNERS).replace(b"endsolid box\n", b"")
    assert read(without_end).notes == ("it ends without endsolid: is it whole?",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it has 0 bytes"),
        (binary_stl(CORNERS)[:-1], "counts 12 triangles and 11 are there"),
        (binary_stl(CORNERS, count=13), "counts 13 triangles and 12 are there"),
        (binary_stl(CORNERS, count=0, behind=b"x"), "counts 0 triangles, and 601 bytes follow that are none"),
        (ascii_stl(CORNERS)[:-40], "12 of its facets begin and 11 end"),
        (ascii_stl(CORNERS).replace(b"20 15 4", b"20,0 15,0 4,0", 1), "1 of its vertices have no three numbers"),
        (ascii_stl(CORNERS[:, :2]), "its facet 1 has 2 vertices"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_its_reason(data, words):
    with pytest.raises(CadsightError) as caught:
        read(data)
    assert words in str(caught.value)


def test_a_number_that_is_none_stays_none():
    found = read(ascii_stl(CORNERS).replace(b"vertex -20 -15 -4", b"vertex 1.#QNAN nan -inf", 1))
    assert np.isnan(found.vertices[0, :2]).all()
    assert found.vertices[0, 2] == -np.inf


@given(st.integers(0, 700), st.binary(min_size=1, max_size=8), st.booleans())
def test_bytes_that_changed_are_read_or_refused(at, new, text):
    data = ascii_stl(CORNERS) if text else binary_stl(CORNERS)
    at = at % len(data)
    changed = data[:at] + new + data[at + len(new) :]
    for one in (changed, data[:at], data[:at] + new + data[at:]):
        try:
            found = read(one)
        except CadsightError:
            continue
        assert found.faces.size == 0 or found.faces.max() < len(found.vertices)
