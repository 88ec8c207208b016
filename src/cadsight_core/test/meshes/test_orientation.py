"""Which side of a surface is outside, shell by shell."""

import numpy as np
import pytest
import trimesh
from cadsight_core.meshes.mending import mended
from cadsight_core.meshes.orientation import oriented
from cadsight_core.meshes.triangles import Triangles
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

MAKE = trimesh.creation


def box(extents, middle=(0, 0, 0), inward=False):
    made = MAKE.box(extents)
    faces = made.faces[:, ::-1] if inward else made.faces
    return np.asarray(made.vertices) + middle, np.asarray(faces)


def joined(*shells):
    starts = np.cumsum([0, *(len(v) for v, _ in shells)])
    return np.concatenate([v for v, _ in shells]), np.concatenate(
        [f + s for (_, f), s in zip(shells, starts[:-1], strict=True)]
    )


def volume(vertices, faces):
    corners = vertices[faces]
    return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


BLOCK, CAVITY, CORE = box((40, 30, 10)), box((20, 20, 5), inward=True), box((10, 10, 2))
SHEET = MAKE.box((40, 30, 10))
TRAY = (np.asarray(SHEET.vertices), np.asarray(SHEET.faces)[SHEET.face_normals[:, 2] < 0.5])
TUBE = (lambda m: (np.asarray(m.vertices), np.asarray(m.faces)[np.abs(m.face_normals[:, 2]) < 0.5]))(
    MAKE.cylinder(10, 40, sections=24)
)
BODIES = {
    "block": (BLOCK, 12000),
    "hollow": (joined(BLOCK, CAVITY), 10000),
    "core in a cavity": (joined(BLOCK, CAVITY, CORE), 10200),
    "two beside each other": (joined(box((10, 10, 10)), box((10, 10, 10), (20, 0, 0))), 2000),
    "two cavities": (joined(BLOCK, box((5, 5, 5), (-9, 0, 0), True), box((5, 5, 5), (9, 0, 0), True)), 11750),
    "two that touch along an edge": (joined(box((10, 10, 10)), box((10, 10, 10), (10, 10, 0))), 2000),
    "two that touch at a corner": (joined(box((10, 10, 10)), box((10, 10, 10), (10, 10, 10))), 2000),
    "two that share a face": (joined(box((10, 10, 10)), box((10, 10, 10), (10, 0, 0))), 2000),
    "ring": ((lambda m: (np.asarray(m.vertices), np.asarray(m.faces)))(MAKE.torus(20, 5)), None),
}


@pytest.mark.parametrize("name", BODIES)
@given(st.integers(0, 2**20), st.booleans(), st.sampled_from(["as it is", "inside out", "at random"]))
@settings(max_examples=15)
def test_a_closed_body_faces_out_of_its_matter_however_its_file_has_it(name, seed, mirrored, winding):
    (vertices, faces), expected = BODIES[name]
    expected = volume(vertices, faces) if expected is None else expected
    assert volume(vertices, faces) == pytest.approx(expected)
    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed).as_matrix() * (-1 if mirrored else 1)
    wrong = {"as it is": mirrored, "inside out": not mirrored, "at random": rng.random(len(faces)) < 0.5}[winding]
    if winding == "at random" and name == "two that share a face":
        return  # which of two that lie on each other belongs to which is not known then
    given_faces = np.where(np.broadcast_to(wrong, len(faces))[:, None], faces[:, ::-1], faces)
    order = rng.permutation(len(faces))
    found = mended(Triangles(vertices @ turn.T, given_faces[order]))
    assert volume(found.vertices, found.faces) == pytest.approx(expected)
    assert not any("cannot be told" in note for note in found.notes)
    # What had to be turned: a mirrored body has its corners the other way round.
    turned = int((np.broadcast_to(wrong, len(faces)) != mirrored).sum())
    assert any(n == f"{turned} triangles faced inwards and were turned" for n in found.notes) == (turned > 0)


@pytest.mark.parametrize(("shell", "name"), [(TRAY, "tray"), (TUBE, "tube")])
@pytest.mark.parametrize("inward", [False, True])
def test_an_open_shell_is_turned_by_rays(shell, name, inward):
    vertices, faces = shell
    found = oriented(vertices, faces[:, ::-1] if inward else faces)
    assert (found.turned, found.undecided) == (len(faces) if inward else 0, 0)
    corners = vertices[found.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", normal, corners.mean(axis=1)) > 0).all()


@pytest.mark.parametrize("missing", range(12))
@pytest.mark.parametrize("inward", [False, True])
def test_a_block_of_which_a_triangle_is_missing_faces_outwards(missing, inward):
    vertices, faces = BLOCK
    left = np.delete(faces[:, ::-1] if inward else faces, missing, axis=0)
    found = mended(Triangles(vertices, left))
    assert found.notes[-1] == "it has holes: 3 of its edges belong to one triangle alone"
    assert ("11 triangles faced inwards and were turned" in found.notes) == inward
    corners = found.vertices[found.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", normal, corners.mean(axis=1)) > 0).all()


def test_the_wall_of_a_cavity_with_a_hole_faces_into_the_cavity():
    inner = box((20, 20, 5))
    vertices, faces = joined(BLOCK, (inner[0], inner[1][1:]))
    found = oriented(vertices, faces)
    assert found.turned == 11
    assert volume(vertices, found.faces[:12]) == pytest.approx(12000)
    assert volume(vertices, found.faces[12:]) < 0


def test_a_cavity_within_an_outside_that_has_a_hole_faces_into_the_cavity():
    inner = box((20, 20, 5))
    vertices, faces = joined((BLOCK[0], BLOCK[1][1:]), inner)
    found = oriented(vertices, faces)
    assert found.turned == 12
    assert found.cavity.sum() == 12


def test_sides_that_are_not_joined_are_turned_by_the_body_that_they_make():
    vertices, faces = BLOCK
    apart = vertices[faces].reshape(-1, 3) * (1 + 1e-3 * np.repeat(np.arange(12), 3)[:, None])
    separate = np.arange(36).reshape(-1, 3)
    separate[::2] = separate[::2, ::-1]
    found = oriented(apart, separate)
    corners = apart[found.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", normal, corners.mean(axis=1)) > 0).all()
    assert (found.turned, found.undecided) == (6, 0)


def test_that_the_outside_of_a_flat_sheet_is_unknown_is_reported():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    found = mended(Triangles(vertices, np.array([[0, 1, 2], [0, 2, 3]])))
    assert found.notes[0] == "it cannot be told which side of 2 triangles is outside: they are as the file has them"
    # Of a sheet turned both ways the larger part stays.
    sheet = oriented(np.vstack([vertices, [[3, 0.5, 0]]]), np.array([[0, 2, 1], [0, 2, 3], [1, 4, 2]]))
    assert sheet.faces.tolist() == [[1, 2, 0], [0, 2, 3], [1, 4, 2]]


def test_a_moebius_strip_has_no_outside():
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rims = [np.column_stack([(10 + s * np.cos(angle / 2)) * np.cos(angle), (10 + s * np.cos(angle / 2)) * np.sin(angle),
                             s * np.sin(angle / 2)]) for s in (-2, 2)]  # fmt: skip
    a, b = np.arange(24), np.arange(24) + 24
    na, nb = np.append(a[1:], 24), np.append(b[1:], 0)
    faces = np.concatenate([np.stack([a, na, b], axis=1), np.stack([na, nb, b], axis=1)])
    found = oriented(np.vstack(rims), faces)
    assert (found.turned, found.undecided) == (0, 48)


def test_triangles_that_are_there_twice_count_once():
    vertices, faces = BLOCK
    found = mended(Triangles(vertices, np.concatenate([faces, faces[:, [1, 2, 0]]])))
    assert found.notes == ("12 triangles that were there twice were left out",)
    found = mended(Triangles(vertices, np.concatenate([faces, faces[:, ::-1]])))
    assert volume(found.vertices, found.faces) == pytest.approx(12000)


def test_cavities_and_bodies_are_reported():
    vertices, faces = joined(BLOCK, CAVITY, CORE)
    assert mended(Triangles(vertices, faces)).notes == (
        "it has 1 cavity inside",
        "it has 2 bodies that do not touch, which are taken as one part",
    )
