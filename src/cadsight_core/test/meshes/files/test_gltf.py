import base64
import contextlib
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import decode_image
from cadsight_core.meshes.files.gltf import read_glb
from cadsight_core.meshes.source import Source
from hypothesis import given
from hypothesis import strategies as st
from mesh_bytes import BOX, TRIANGLES, Glb
from scipy.spatial.transform import Rotation


def read(glb, folder=Path(".")):
    return read_glb(Source(folder / "box.glb", glb if isinstance(glb, bytes) else glb.bytes()))


def volume(found):
    corners = found.vertices[found.faces]
    return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


def box(**more):
    glb = Glb()
    glb.box(**more)
    return glb


def test_a_box_is_read_in_metres():
    found = read(box())
    np.testing.assert_allclose(found.vertices[found.faces], 0.001 * BOX[TRIANGLES], atol=1e-8)
    assert (found.colours, found.notes) == (None, ())


# A fraction of 127 is 0.01 m: corners at +-0.02, 0.015 and 0.004 m are 254 and so on, so the node makes up for a half.
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "f4"])
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("stride", [None, 16])
def test_positions_of_every_type_are_read(kind, normalised, stride):
    whole = kind != "f4"
    signed = kind[0] != "u"
    most = np.iinfo(kind).max if whole else 1.0
    # -20 to 20 mm over the signed range, 0 to 40 mm over the unsigned one.
    fraction = BOX / 20 if signed else (BOX + 20) / 40
    stored = np.round(fraction * most) if whole else fraction
    glb = Glb()
    more = {"normalized": True} if normalised and whole else {}
    positions = glb.accessor(stored, kind, stride, **more)
    glb.primitive(positions, glb.accessor(TRIANGLES.ravel(), "u1"))
    unit = (0.02 if signed else 0.04) / (1.0 if more or not whole else most)
    glb.json["nodes"][0] |= {"scale": [unit] * 3, "translation": [0.0] * 3 if signed else [-0.02] * 3}
    glb.json |= {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
    step = 0.04 / (255 if kind[1] == "1" else 65535)
    np.testing.assert_allclose(read(glb).vertices, 0.001 * BOX, atol=step)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_indices_of_every_type_are_read(kind):
    glb = Glb()
    glb.primitive(glb.accessor(BOX * 0.001, "f4"), glb.accessor(TRIANGLES.ravel(), kind))
    np.testing.assert_array_equal(read(glb).faces, TRIANGLES)


def test_triangles_without_indices_strips_and_fans_are_read_and_lines_are_reported():
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    glb = Glb()
    points = glb.accessor(square, "f4")
    glb.primitive(glb.accessor([square[0], square[1], square[2]], "f4"))
    glb.primitive(points, mode=6)
    glb.primitive(points, glb.accessor([0, 1, 3, 2], "u1"), mode=5)
    glb.primitive(points, mode=1)
    found = read(glb)
    assert found.faces.tolist() == [[0, 1, 2], [3, 4, 5], [3, 5, 6], [7, 8, 10], [8, 9, 10]]
    assert found.notes == ("1 pieces of points or lines were left out",)


@pytest.mark.parametrize("on", ["nothing", "values"])
def test_sparse_accessors_are_read(on):
    glb = Glb()
    moved = glb.view(np.array([0, 7], "<u2").tobytes())
    values = glb.view(np.array([BOX[0], BOX[7]], "<f4").tobytes())
    wrong = BOX.copy()
    wrong[[0, 7]] = 0
    positions = glb.accessor(wrong, "f4")
    rest = glb.accessor(np.where(on == "nothing", 0.0, wrong), "f4")
    entry = glb.json["accessors"][rest]
    if on == "nothing":
        del entry["bufferView"]
    entry["sparse"] = {
        "count": 2, "indices": {"bufferView": moved, "componentType": 5123}, "values": {"bufferView": values}
    }  # fmt: skip
    glb.primitive(rest, glb.accessor(TRIANGLES.ravel(), "u1"))
    expected = BOX if on == "values" else np.where(np.isin(np.arange(8), (0, 7))[:, None], BOX, 0)
    np.testing.assert_allclose(read(glb).vertices, expected)
    assert positions == 0


def test_nodes_are_placed_one_in_the_other_and_a_mirrored_one_keeps_its_outside():
    glb = box()
    turn = Rotation.from_euler("z", 90, degrees=True)
    matrix = np.diag([-1.0, 1, 1, 1])
    matrix[:3, 3] = (0.1, 0, 0)
    glb.json["nodes"] = [
        {"children": [1, 2], "translation": [0, 0, 1]},
        {"mesh": 0, "rotation": turn.as_quat().tolist(), "scale": [2, 1, 1]},
        {"mesh": 0, "matrix": matrix.T.ravel().tolist()},
        {"mesh": 0},
    ]
    found = read(glb)
    first, second = found.vertices[:8], found.vertices[8:]
    np.testing.assert_allclose(first, 0.001 * BOX[:, [1, 0, 2]] * (-1, 2, 1) + (0, 0, 1), atol=1e-8)
    np.testing.assert_allclose(second, 0.001 * BOX * (-1, 1, 1) + (0.1, 0, 1), atol=1e-8)
    assert volume(found) == pytest.approx(3 * 9600e-9, rel=1e-5)
    del glb.json["scenes"]
    assert len(read(glb).faces) == 36  # without a scene all that stands nowhere else


def srgb(linear):
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("width", [3, 4])
@pytest.mark.parametrize(("kind", "half"), [("u1", 128), ("u2", 32768), ("f4", 0.5)])
def test_vertex_colours_of_every_type_are_linear_light(kind, half, width):
    glb = Glb()
    most = 1.0 if kind == "f4" else np.iinfo(kind).max
    colours = np.tile([half, most, 0, most][:width], (8, 1))
    colour = glb.accessor(colours, kind, stride=8 if kind == "u2" else None, normalized=kind != "f4")
    glb.box(attributes={"COLOR_0": colour})
    found = read(glb)
    np.testing.assert_allclose(found.colours, np.tile([srgb(half / most), 255, 0], (8, 1)), atol=0.51)
    glb.json["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0.25, 1, 1]}}]
    glb.json["meshes"][0]["primitives"][0]["material"] = 0
    np.testing.assert_allclose(read(glb).colours[0], [srgb(half / most), srgb(0.25), 0], atol=0.51)


def test_the_colour_of_a_material_alone_is_no_colour_of_vertices():
    glb = box(material=0)
    glb.json["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}]
    assert read(glb).colours is None


def textured(uri=None, **texture_info):
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, 4:] = (1, 2, 3)  # blue, green, red on the right
    png = cv2.imencode(".png", pixels)[1].tobytes()
    glb = Glb()
    texture_points = np.where(BOX[:, :1] > 0, (0.75, 0.5), (0.25, 0.5))
    glb.box(material=0, attributes={"TEXCOORD_0": glb.accessor(texture_points, "f4")})
    image = {"bufferView": glb.view(png), "mimeType": "image/png"} if uri is None else {"uri": uri}
    if uri == "data":
        image = {"uri": "data:image/png;base64," + base64.b64encode(png).decode()}
    surface = {"baseColorTexture": {"index": 0, **texture_info}}
    glb.json |= {"images": [image], "textures": [{"source": 0}], "materials": [{"pbrMetallicRoughness": surface}]}
    return glb, png


def test_a_texture_gives_colours_wherever_it_lies(tmp_path):
    expected = [[3, 2, 1] if x > 0 else [0, 0, 0] for x in BOX[:, 0]]
    assert read(textured()[0]).colours.tolist() == expected
    assert read(textured("data")[0]).colours.tolist() == expected
    glb, png = textured("my%20paint.png")
    (tmp_path / "my paint.png").write_bytes(png)
    assert read(glb, tmp_path).colours.tolist() == expected


def test_a_missing_texture_is_reported():
    found = read(textured("none.png")[0])
    assert (found.colours, found.notes) == (None, ("a texture of it could not be read",))


def test_a_small_texture_that_says_it_is_huge_is_left_out_before_it_fills_the_memory(tmp_path):
    glb, png = textured("paint.png")
    header = b"IHDR" + struct.pack(">II", 10000, 6000) + png[24:29]
    (tmp_path / "paint.png").write_bytes(png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:])
    found = read(glb, tmp_path)
    assert (found.colours, found.notes) == (None, ("a texture of it could not be read",))
    with pytest.raises(CadsightError, match="10000 x 6000 pixels in"):
        decode_image((tmp_path / "paint.png").read_bytes(), "paint.png")


def test_a_texture_is_moved_as_in_the_file():
    moved = {"extensions": {"KHR_texture_transform": {"offset": [0.5, 0.0]}}}
    expected = [[0, 0, 0] if x > 0 else [3, 2, 1] for x in BOX[:, 0]]
    assert read(textured(**moved)[0]).colours.tolist() == expected


def test_buffers_beside_the_file_are_read_and_a_missing_one_is_named(tmp_path):
    glb = box()
    data, glb.data = glb.data, b""
    glb.json["buffers"] = [{"byteLength": len(data), "uri": "box.bin"}]
    with pytest.raises(CadsightError, match=r"the file 'box\.bin' that it needs could not be read: No such file"):
        read(glb, tmp_path)
    (tmp_path / "box.bin").write_bytes(data)
    assert volume(read(glb, tmp_path)) == pytest.approx(9600e-9)
    glb.json["buffers"][0]["uri"] = "../box.bin"
    with pytest.raises(CadsightError, match="leads out of the folder"):
        read(glb, tmp_path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("KHR_draco_mesh_compression", "export it without compression"),
        ("EXT_meshopt_compression", "export it without compression"),
        ("KHR_texture_basisu", "export it without it"),
        ("ACME_encrypted", "export it without it"),
    ],
)
def test_an_extension_that_is_required_and_not_read_is_refused_by_name(name, advice):
    glb = box()
    glb.json["extensionsRequired"] = ["KHR_texture_transform", name]
    with pytest.raises(CadsightError) as caught:
        read(glb)
    assert str(caught.value) == f"it requires {name}, which is not read here: {advice}"


def test_compressed_triangles_are_refused_also_where_the_file_does_not_require_them():
    glb = box()
    glb.json["meshes"][0]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0}}
    assert len(read(glb).faces) == 12  # there they are uncompressed too
    del glb.json["accessors"][0]["bufferView"]
    with pytest.raises(CadsightError, match="it holds KHR_draco_mesh_compression alone"):
        read(glb)
    glb = box()
    glb.json["buffers"] = [{"byteLength": len(glb.data)}, {"byteLength": 900}]
    glb.json["bufferViews"][0]["buffer"] = 1
    text = json.dumps(glb.json).encode()
    data = glb.data + b"\0" * (-len(glb.data) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
    with pytest.raises(CadsightError, match="its buffer 1 has no bytes"):
        read(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)


def changed(**more):
    glb = box()
    glb.json |= more
    return glb.bytes()


WHOLE = box().bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it begins with b''"),
        (b"glTF" + struct.pack("<II", 1, 20) + 8 * b"\0", "it is glTF 1, expected glTF 2"),
        (WHOLE[:-4], "bytes and has"),
        (b"glTF" + struct.pack("<IIII", 2, 20, 0, 0x004E4942), "has no JSON chunk"),
        (changed(accessors=[]), "it names number 0 of its accessors, which is not there"),
        (changed(meshes=[{}]), "its JSON is not as glTF has it: KeyError 'primitives'"),
        (changed(nodes=[{"children": [0]}]), "its node 0 stands within itself"),
        (changed(nodes=[{"mesh": "0"}]), "it names number '0' of its meshes"),
        (changed(bufferViews=[{"buffer": 0, "byteLength": 10**9}] * 2), "its buffer view 0 ends at byte 1000000000"),
        (
            changed(accessors=[{"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": 99}] * 2),
            "its accessor 0 reaches beyond its 96 bytes",
        ),
        (
            changed(accessors=[{"componentType": 5126, "type": "VEC3", "count": 10**9}] * 2),
            "its accessor 0 counts 1000000000 and has no bytes",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_reason(data, words):
    with pytest.raises(CadsightError) as caught:
        read(data)
    assert words in str(caught.value)


def test_a_mesh_that_is_shown_without_end_is_refused():
    glb = box()
    # Each node shows the next twice: 2 ** 40 of the last.
    glb.json["nodes"] = [{"children": [i + 1, i + 1]} for i in range(40)] + [{"mesh": 0}]
    with pytest.raises(CadsightError, match="shows more than 100000 nodes"):
        read(glb)


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8))
def test_bytes_that_changed_are_read_or_refused(at, new):
    at = at % len(WHOLE)
    for one in (WHOLE[:at] + new + WHOLE[at + len(new) :], WHOLE[:at]):
        try:
            found = read(one[: len(WHOLE)])
        except CadsightError:
            continue
        assert found.faces.size == 0 or found.faces.max() < len(found.vertices)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list("ab")), inner, max_size=2),
)


@given(st.data())
def test_a_value_of_another_kind_is_read_or_refused(data):
    glb = textured()[0]
    holder = glb.json
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    holder[key] = data.draw(JSON)
    with contextlib.suppress(CadsightError):
        read(glb)
