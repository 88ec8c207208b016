import itertools
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.ply import read_ply
from cadsight_core.meshes.source import Source
from hypothesis import given
from hypothesis import strategies as st
from mesh_bytes import BOX, SIDES, TRIANGLES

CODES = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I", "float": "f", "double": "d"}
# Triangles and squares in one file: two sides cut, four whole.
MIXED = [*TRIANGLES[:4].tolist(), *SIDES[2:]]


def read(data, folder=Path(".")):
    return read_ply(Source(folder / "box.ply", data))


def ply(form, elements, comments=()):
    """Elements are (name, [(type, count type or None, name)], rows); a list's value in a row is a list."""
    lines = ["ply", f"format {form} 1.0", *(f"comment {c}" for c in comments)]
    body = b""
    order = ">" if form == "binary_big_endian" else "<"
    for name, properties, rows in elements:
        lines.append(f"element {name} {len(rows)}")
        for kind, count, key in properties:
            lines.append(f"property {kind} {key}" if count is None else f"property list {count} {kind} {key}")
        for row in rows:
            words = []
            for (kind, count, _), value in zip(properties, row, strict=True):
                many = value if count else [value]
                if count:
                    words.append((count, len(many)))
                words += [(kind, v) for v in many]
            if form == "ascii":
                body += (" ".join(str(v) for _, v in words) + "\n").encode()
            else:
                body += b"".join(struct.pack(order + CODES[k], v) for k, v in words)
    return ("\n".join([*lines, "end_header"]) + "\n").encode() + body


def box(form, polygons, kind="float", index="int", count="uchar", name="vertex_indices", more_rows=None):
    vertices = BOX.astype(int).tolist() if kind not in ("float", "double") else BOX.tolist()
    return ply(
        form,
        [
            ("vertex", [(kind, None, k) for k in "xyz"], vertices),
            ("face", [(index, count, name)], [[p] for p in polygons]),
        ],
    )


def assert_is_the_box(found):
    corners = found.vertices[found.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert (len(corners), area, volume) == (12, pytest.approx(3520), pytest.approx(9600))


FORMS = ("ascii", "binary_little_endian", "binary_big_endian")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("polygons", [TRIANGLES.tolist(), SIDES, MIXED], ids=["triangles", "squares", "mixed"])
def test_a_box_of_any_polygons_is_read(form, polygons):
    assert_is_the_box(read(box(form, polygons)))


@pytest.mark.parametrize(
    ("kind", "index", "count"),
    list(itertools.product(["char", "short", "int", "float", "double"], CODES, ["uchar", "int", "uint"])),
)
def test_every_type_of_number_is_read(kind, index, count):
    for form in FORMS[1:]:
        assert_is_the_box(read(box(form, MIXED, kind, index, count)))


def test_other_elements_and_lists_are_passed_over():
    edges = ("edge", [("int", None, "vertex1"), ("float", "uchar", "weights")], [[0, [1.5]], [1, []], [2, [1, 2, 3]]])
    numbers = [(kind, None, name) for kind, name in (("int", "id"), ("float", "x"), ("double", "y"), ("float", "z"))]
    rows = [[i, *v, [0] * (i % 3)] for i, v in enumerate(BOX.tolist())]
    vertices = ("vertex", [*numbers, ("int", "uchar", "neighbours")], rows)
    lists = [("uchar", None, "flags"), ("int", "uchar", "vertex_index"), ("float", None, "quality")]
    faces = ("face", lists, [[0, p, 0.5] for p in MIXED])
    for form in FORMS:
        assert_is_the_box(read(ply(form, [edges, vertices, ("odd", [], [[], []]), faces])))


def test_triangle_strips_are_read():
    points = [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]]
    strips = ("tristrips", [("int", "int", "vertex_indices")], [[[0, 2, 1, 3, -1, 2, 3, 1]]])
    for form in FORMS:
        found = read(ply(form, [("vertex", [("float", None, k) for k in "xyz"], points), strips]))
        assert found.faces.tolist() == [[0, 2, 1], [1, 2, 3], [2, 3, 1]]


def test_a_header_with_returns_is_read():
    data = box("binary_little_endian", MIXED)
    head, _, body = data.partition(b"end_header\n")
    assert_is_the_box(read(head.replace(b"\n", b"\r\n") + b"end_header\r\n" + body))
    assert_is_the_box(read(box("ascii", MIXED).replace(b"\n", b"\r")))


@pytest.mark.parametrize(("kind", "red"), [("uchar", 255), ("ushort", 65535), ("float", 1.0), ("int", 255)])
@pytest.mark.parametrize("names", [("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue")])
def test_colours_of_vertices_are_read_as_fractions_of_their_maximum(kind, red, names):
    properties = [("float", None, k) for k in "xyz"] + [(kind, None, n) for n in names]
    rows = [[*v, red, 0, 0] for v in BOX.tolist()]
    for form in FORMS:
        found = read(
            ply(
                form,
                [("vertex", properties, rows), ("face", [("int", "uchar", "vertex_indices")], [[s] for s in SIDES])],
            )
        )
        assert found.colours.tolist() == [[255, 0, 0]] * 8


def test_colours_of_faces_give_triangles_corners_of_their_own():
    properties = [("int", "uchar", "vertex_indices"), *(("uchar", None, n) for n in ("red", "green", "blue"))]
    rows = [[s, 10 * i, 0, 0] for i, s in enumerate(SIDES)]
    found = read(
        ply("ascii", [("vertex", [("float", None, k) for k in "xyz"], BOX.tolist()), ("face", properties, rows)])
    )
    assert_is_the_box(found)
    assert found.colours[found.faces][:, :, 0].tolist() == [[10 * i] * 3 for i in range(6) for _ in range(2)]


def textured():
    properties = [("float", None, k) for k in ("x", "y", "z", "s", "t")]
    rows = [[*v, 0.5, 0.9 if v[2] > 0 else 0.1] for v in BOX.tolist()]
    return [("vertex", properties, rows), ("face", [("int", "uchar", "vertex_indices")], [[s] for s in SIDES])]


def test_a_texture_beside_the_file_gives_colours_and_a_missing_one_is_reported(tmp_path):
    data = ply("ascii", textured(), ["TextureFile paint.png"])
    found = read(data, tmp_path)
    assert found.colours is None
    assert found.notes == ("its texture 'paint.png' could not be read",)
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4] = (1, 2, 3)  # blue, green, red above, where t is above 0.5
    cv2.imwrite(str(tmp_path / "paint.png"), image)
    found = read(data, tmp_path)
    assert found.colours.tolist() == [[3, 2, 1] if z > 0 else [0, 0, 0] for z in found.vertices[:, 2]]


def test_texture_points_without_a_texture_are_no_colours():
    found = read(ply("ascii", textured()))
    assert (found.colours, found.notes) == (None, ())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it begins with b''"),
        (b"ply\nformat ascii 1.0\n", "ends before end_header"),
        (b"ply\nend_header\n", "has no format"),
        (b"ply\nformat zip 1.0\nend_header\n", "its header has the line 'format zip 1.0'"),
        (b"ply\nformat ascii 1.0\nproperty int x\n", "its header has the line 'property int x'"),
        (b"ply\nformat ascii 1.0\nelement vertex -3\n", "its header has the line 'element vertex -3'"),
        (b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n", "no vertices with x, y and z"),
        (box("ascii", [], name="corners"), "its faces have no corners"),
        (box("ascii", MIXED)[:-9], "it ends within its 8 rows of 'face'"),
        (box("binary_little_endian", MIXED)[:-1], "it ends within its 8 rows of 'face'"),
        (box("binary_little_endian", SIDES)[:-90], "it ends within its 6 rows of 'face'"),
        (box("ascii", MIXED).replace(b"-20.0", b"left"), "element 'vertex' holds what is no number"),
        (box("ascii", [[0, 1, 8]]), "a face has the vertex 8, expected 0 to 7"),
        (box("ascii", [[0, 1, -1]]), "a face has the vertex -1, expected 0 to 7"),
        (
            b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\nproperty float x\nend_header\n",
            "it ends within its 99999999999 rows of 'vertex'",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_reason(data, words):
    with pytest.raises(CadsightError) as caught:
        read(data)
    assert words in str(caught.value)


@given(st.integers(0, 900), st.binary(min_size=1, max_size=8), st.sampled_from(FORMS))
def test_bytes_that_changed_are_read_or_refused(at, new, form):
    data = box(form, MIXED)
    at = at % len(data)
    for one in (data[:at] + new + data[at + len(new) :], data[:at], data[:at] + new + data[at:]):
        try:
            found = read(one)
        except CadsightError:
            continue
        assert found.faces.size == 0 or found.faces.max() < len(found.vertices)


def test_a_cloud_of_points_has_no_triangles():
    found = read(ply("ascii", [("vertex", [("float", None, k) for k in "xyz"], BOX.tolist())]))
    assert found.faces.shape == (0, 3)
