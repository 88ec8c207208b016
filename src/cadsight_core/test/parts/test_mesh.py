from pathlib import Path

import numpy as np
import pytest
import trimesh
from cadsight_core.errors import CadsightError
from cadsight_core.parts.mesh import Mesh, load_mesh
from PIL import Image


def export(path, extents=(30, 20, 10)):
    trimesh.creation.box(extents).export(path)
    return path


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("inch", 0.0254)])
def test_a_box_is_read_in_metres_from_each_format(tmp_path, suffix, unit, metres):
    extents = np.array((30, 20, 10)) * (0.001 / metres)
    mesh = load_mesh(export(tmp_path / f"box{suffix}", extents), unit)
    np.testing.assert_allclose(mesh.extents, [0.03, 0.02, 0.01], rtol=1e-6)
    assert mesh.diameter == pytest.approx(np.sqrt(0.03**2 + 0.02**2 + 0.01**2), rel=1e-6)
    assert mesh.vertices.shape == (8, 3)
    assert mesh.faces.shape == (12, 3)
    assert mesh.is_closed


def test_glb_is_in_metres_whatever_the_unit(tmp_path):
    mesh = load_mesh(export(tmp_path / "box.glb", (0.03, 0.02, 0.01)), "mm")
    np.testing.assert_allclose(mesh.extents, [0.03, 0.02, 0.01], rtol=1e-6)


def test_a_sheet_is_not_closed_and_has_all_its_corners_on_the_hull():
    sheet = Mesh(np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    assert not sheet.is_closed
    assert len(sheet.hull_vertices) == 4
    assert sheet.diameter == pytest.approx(0.1 * np.sqrt(2))


def test_an_inner_vertex_is_not_on_the_hull():
    box = trimesh.creation.box((1, 1, 1))
    mesh = Mesh(np.vstack([box.vertices, [[0, 0, 0]]]), np.array(box.faces))
    assert len(mesh.hull_vertices) == 8


@pytest.mark.parametrize(
    ("name", "content", "unit", "words"),
    [
        ("none.stl", None, "mm", "does not exist"),
        ("part.txt", b"hello", "mm", "ends in '.txt'"),
        ("empty.stl", b"", "mm", "empty.stl"),
        ("broken.ply", b"ply\nformat ascii 1.0\nelement vertex 3\n", "mm", "broken.ply"),
        ("text.obj", b"nothing to see\n", "mm", "text.obj"),
        ("broken.step", b"ISO-10303-21;\nHEADER;\n", "mm", "broken.step"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "mm", "points.obj"),
        ("part.stl", b"", "cm", "unit of"),
    ],
)
def test_a_mesh_that_cannot_be_used_is_refused_in_a_sentence_that_names_it(tmp_path, name, content, unit, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CadsightError) as caught:
        load_mesh(tmp_path / name, unit)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("extents", "unit"), [((30, 20, 10), "m"), ((0.03, 0.02, 0.01), "mm")])
def test_a_size_that_only_a_wrong_unit_gives_is_refused(tmp_path, extents, unit):
    with pytest.raises(CadsightError, match="check its unit"):
        load_mesh(export(tmp_path / "box.stl", extents), unit)


def test_a_triangle_with_a_corner_that_is_not_finite_is_left_out(tmp_path):
    corners = "v 0 0 0\nv 10 0 0\nv 0 10 0\nv nan 0 0\n"
    (tmp_path / "nan.obj").write_text(corners + "f 1 2 3\nf 1 2 4\n")
    assert len(load_mesh(tmp_path / "nan.obj", "mm").faces) == 1
    (tmp_path / "all.obj").write_text(corners + "f 1 2 4\n")
    with pytest.raises(CadsightError, match=r"all\.obj has no triangles"):
        load_mesh(tmp_path / "all.obj", "mm")


def test_flipped_triangles_are_turned_and_reported(tmp_path):
    box = trimesh.creation.box((30, 20, 10))
    box.faces[[0, 5]] = box.faces[[0, 5], ::-1]
    trimesh.Trimesh(box.vertices, box.faces, process=False).export(tmp_path / "box.stl")
    mesh = load_mesh(tmp_path / "box.stl", "mm")
    assert mesh.is_closed
    assert mesh.notes == ("2 triangles faced inwards and were turned",)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).volume == pytest.approx(6e-6)


def test_a_box_that_is_inside_out_is_turned(tmp_path):
    box = trimesh.creation.box((30, 20, 10))
    trimesh.Trimesh(box.vertices, box.faces[:, ::-1], process=False).export(tmp_path / "box.ply")
    mesh = load_mesh(tmp_path / "box.ply", "mm")
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).volume == pytest.approx(6e-6)
    assert mesh.notes == ("12 triangles faced inwards and were turned",)


def test_holes_are_kept_and_reported(tmp_path):
    box = trimesh.creation.box((30, 20, 10))
    trimesh.Trimesh(box.vertices, box.faces[1:], process=False).export(tmp_path / "box.stl")
    mesh = load_mesh(tmp_path / "box.stl", "mm")
    assert len(mesh.faces) == 11
    assert not mesh.is_closed
    assert mesh.notes == ("it has holes: 3 of its edges belong to one triangle alone",)


def test_bodies_that_do_not_touch_become_one_part_and_are_reported(tmp_path):
    boxes = [trimesh.creation.box((10, 10, 10)) for _ in range(3)]
    for i, box in enumerate(boxes):
        box.apply_translation((15 * i, 0, 0))
    trimesh.util.concatenate(boxes).export(tmp_path / "boxes.stl")
    mesh = load_mesh(tmp_path / "boxes.stl", "mm")
    assert mesh.extents == pytest.approx([0.04, 0.01, 0.01])
    assert mesh.notes == ("it has 3 bodies that do not touch, which are taken as one part",)


def test_triangles_without_area_are_left_out_and_a_mesh_of_nothing_else_is_refused(tmp_path):
    corners = "v 0 0 0\nv 10 0 0\nv 0 10 0\nv 20 0 0\n"
    (tmp_path / "flat.obj").write_text(corners + "f 1 2 3\nf 1 2 4\n")
    mesh = load_mesh(tmp_path / "flat.obj", "mm")
    assert len(mesh.faces) == 1
    assert mesh.notes[0] == "1 triangles without area were left out"
    (tmp_path / "none.obj").write_text(corners + "f 1 2 4\n")
    with pytest.raises(CadsightError, match=r"none\.obj has no triangles with an area"):
        load_mesh(tmp_path / "none.obj", "mm")


def test_normals_in_the_file_change_nothing(tmp_path):
    corners = "v 0 0 0\nv 10 0 0\nv 0 10 0\nv 0 0 10\nvn 1 0 0\n"
    faces = ((1, 3, 2), (1, 2, 4), (1, 4, 3), (2, 3, 4))
    with_normals = "".join(f"f {a}//1 {b}//1 {c}//1\n" for a, b, c in faces)
    without = "".join(f"f {a} {b} {c}\n" for a, b, c in faces)
    for name, text in (("with", with_normals), ("without", without)):
        (tmp_path / f"{name}.obj").write_text(corners + text)
    one, other = (load_mesh(tmp_path / f"{name}.obj", "mm") for name in ("with", "without"))
    assert one.is_closed
    assert other.is_closed
    np.testing.assert_array_equal(one.vertices[one.faces], other.vertices[other.faces])


def test_a_part_of_fifty_metres_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"is 57\.\d* m across when read in m, .* check its unit"):
        load_mesh(export(tmp_path / "box.stl", (50, 20, 20)), "m")


def test_the_solids_of_a_step_file_become_one_part_and_are_reported():
    mesh = load_mesh(Path(__file__).parents[1] / "data/two_solids.step", "inch")
    np.testing.assert_allclose(mesh.extents, [0.06, 0.02, 0.01], atol=1e-6)
    assert mesh.is_closed
    assert mesh.notes == ("it has 2 bodies that do not touch, which are taken as one part",)


def test_a_file_that_states_its_unit_is_not_reported_as_read_in_another(tmp_path):
    with pytest.raises(CadsightError, match=r"is 57\..* m across by the unit that it states"):
        load_mesh(export(tmp_path / "box.glb", (50, 20, 20)), "mm")


RED, BLUE = (200, 10, 20), (0, 30, 255)


def two_coloured(kind: str) -> trimesh.Trimesh:
    """A box of 30 x 20 x 10 whose lower half is red and whose upper half is blue."""
    box = trimesh.creation.box((30, 20, 10))
    upper = box.vertices[:, 2] > 0
    if kind == "vertices":
        box.visual.vertex_colors = np.where(upper[:, None], (*BLUE, 255), (*RED, 255)).astype(np.uint8)
    elif kind == "texture":
        image = Image.fromarray(np.array([[BLUE] * 8] * 4 + [[RED] * 8] * 4, np.uint8))
        material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
        box.visual = trimesh.visual.TextureVisuals(np.where(upper[:, None], (0.5, 0.9), (0.5, 0.1)), material=material)
    return box


@pytest.mark.parametrize(("kind", "suffix"), [("vertices", ".ply"), ("texture", ".glb")])
def test_the_colours_of_vertices_and_of_a_texture_are_kept(tmp_path, kind, suffix):
    two_coloured(kind).apply_scale(0.001).export(tmp_path / f"box{suffix}")
    mesh = load_mesh(tmp_path / f"box{suffix}", "m").scaled(2.0)
    np.testing.assert_allclose(mesh.extents, [0.06, 0.04, 0.02], rtol=1e-6)
    assert mesh.is_closed
    assert mesh.colours is not None
    expected = np.where(mesh.vertices[:, 2:] > 0, BLUE, RED)
    np.testing.assert_allclose(mesh.colours, expected, atol=1)


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj", ".glb"])
def test_a_mesh_without_colours_has_none(tmp_path, suffix):
    assert load_mesh(export(tmp_path / f"box{suffix}", (0.03, 0.02, 0.01)), "m").colours is None
