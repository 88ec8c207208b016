"""Surfaces are cut finer without changing, and keep their edges."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import Mesh, load_mesh
from cadsight_synthesis.rendering.surface import read_surface, surface_of
from hand_made import box_ply, bracket_ply


def of(mesh: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def test_a_fine_surface_has_short_edges_and_the_same_volume_without_cracks(tmp_path: Path) -> None:
    for path in (box_ply(tmp_path, "board", 0.8, 0.4, 0.02), bracket_ply(tmp_path)):
        surface = surface_of(load_mesh(path, "m"))
        before = trimesh.Trimesh(surface.mesh.vertices, surface.mesh.faces, process=False)
        after = trimesh.Trimesh(surface.fine.vertices, surface.fine.faces, process=False)
        longest = after.edges_unique_length.max()
        assert longest <= np.linalg.norm(surface.mesh.extents) / 16 or len(before.faces) == len(after.faces) > 1500
        assert after.is_watertight
        assert after.is_winding_consistent
        assert after.volume == pytest.approx(before.volume, rel=1e-9)
        assert after.area == pytest.approx(before.area, rel=1e-9)


def test_the_edges_of_a_box_stay_sharp_and_a_ball_becomes_round() -> None:
    box = surface_of(of(trimesh.creation.box((1, 1, 1))))
    assert np.allclose(np.abs(box.normals).max(axis=1), 1.0)
    ball = surface_of(of(trimesh.creation.icosphere(2, 1.0)))
    outward = ball.fine.vertices[ball.fine.faces].reshape(-1, 3)
    cosine = np.einsum("ij,ij->i", outward / np.linalg.norm(outward, axis=1, keepdims=True), ball.normals)
    assert cosine.min() > np.cos(np.deg2rad(12))  # a facet's own normal is up to 18 degrees off
    assert np.allclose(np.linalg.norm(ball.normals, axis=1), 1.0, atol=1e-6)


def test_texture_places_are_metres_along_the_faces_own_sides() -> None:
    box = surface_of(of(trimesh.creation.box((0.3, 0.2, 0.1))))
    corners = box.fine.vertices[box.fine.faces].reshape(-1, 3)
    top = box.normals[:, 2] > 0.9
    np.testing.assert_allclose(box.texture_m[top], corners[top][:, :2] + (0.15, 0.1), atol=1e-6)
    side = box.normals[:, 0] > 0.9
    np.testing.assert_allclose(box.texture_m[side], corners[side][:, 1:] + (0.1, 0.05), atol=1e-6)


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = box_ply(tmp_path, "box", 0.1, 0.1, 0.1)
    first = read_surface(path)
    assert read_surface(path) is first
    box_ply(tmp_path, "box", 0.1, 0.1, 0.25)
    assert read_surface(path).mesh.extents == pytest.approx([0.1, 0.1, 0.25])
