"""What is known of a part does not depend on how finely, in which kind of file and which way round its mesh came."""

import functools
from dataclasses import dataclass
from pathlib import Path

import cascadio
import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import METRES_PER_UNIT, Mesh, load_mesh
from cadsight_core.parts.point_of_interest import propose_point
from cadsight_core.parts.symmetry_search import find_symmetries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

DATA = Path(__file__).parent / "data"
# OpenCASCADE's largest distance of triangles to the surface, in millimetres, and angle of neighbours.
FINENESSES = ((0.5, 0.5), (0.1, 0.4), (0.03, 0.3), (0.01, 0.2), (0.003, 0.1))


@dataclass(frozen=True)
class Solid:
    """A STEP file and what OpenCASCADE's GProp_GProps and BRepBndLib say of it: millimetres."""

    file: str
    volume: float
    area: float
    extents: tuple[float, float, float]
    # The largest radius of a round face: triangles lie so far within it.
    radius: float
    # Axis and order of all symmetries.
    symmetry: tuple[tuple[tuple[float, float, float], int], ...]
    # Distance of the point from the z axis, its height and its normal.
    aside: float
    height: float
    normal: tuple[float, float, float]


SOLIDS = (
    # Its largest face is the bottom; the middle of that lies on it.
    Solid("bearing_plate.step", 30364.389100962, 8045.026403553, (60, 40, 22), 10, (((0, 0, 1), 2),), 0, 0, (0, 0, -1)),
    # The middle of the bottom lies in a hole of radius 8: 2 % of the diameter of the part beside it.
    Solid("flange.step", 9852.03456165759, 4926.017280828796, (40, 40, 20), 20, (((0, 0, 1), 0),), 8.82, 0, (0, 0, -1)),
)  # fmt: skip


@functools.cache
def triangles(file, deflection, angle):
    data = cascadio.to_glb_bytes((DATA / file).read_bytes(), cascadio.FileType.STEP, deflection, angle)
    mesh = trimesh.load(trimesh.util.wrap_as_stream(data), file_type="glb", force="mesh")
    return 1000 * np.asarray(mesh.vertices), np.asarray(mesh.faces)


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda s: s.file)
@given(
    fineness=st.sampled_from(FINENESSES), suffix=st.sampled_from([".stl", ".ply", ".obj", ".glb"]),
    unit=st.sampled_from(["m", "mm", "inch"]), seed=st.none() | st.integers(0, 2**20), mirrored=st.booleans(),
)  # fmt: skip
@settings(max_examples=20)
def test_a_part_is_the_same_however_it_was_meshed(tmp_path_factory, solid, fineness, suffix, unit, seed, mirrored):
    vertices, faces = triangles(solid.file, *fineness)
    turn = np.eye(3) if seed is None else Rotation.random(random_state=seed).as_matrix()
    # Mirrored as a CAD program does that forgets to turn the triangles round.
    turn = turn * (-1 if mirrored else 1)
    file = tmp_path_factory.mktemp("mesh") / f"part{suffix}"
    metres = 1.0 if suffix == ".glb" else METRES_PER_UNIT[unit]
    trimesh.Trimesh(0.001 / metres * vertices @ turn.T, faces, process=False).export(file)
    mesh = load_mesh(file, unit)

    assert mesh.is_closed
    within = min(fineness[0], solid.radius * (1 - np.cos(fineness[1] / 2)))
    assert 1e9 * mesh.volume == pytest.approx(solid.volume, abs=within * solid.area)
    placed = 1000 * mesh.vertices @ turn
    assert np.ptp(placed, axis=0) == pytest.approx(solid.extents, abs=2 * within)

    found = find_symmetries(mesh)
    assert [f.order for f in found] == [order for _, order in solid.symmetry]
    for symmetry, (axis, _) in zip(found, solid.symmetry, strict=True):
        assert abs(symmetry.axis @ turn @ axis) == pytest.approx(1, abs=1e-5)

    proposed = propose_point(mesh)
    point = 1000 * proposed.point @ turn
    assert np.hypot(*point[:2]) == pytest.approx(solid.aside, abs=within + 0.02)
    assert point[2] == pytest.approx(solid.height, abs=0.01)
    assert proposed.normal @ turn == pytest.approx(solid.normal, abs=1e-3)


@pytest.mark.parametrize("count", [24, 60])
def test_a_nearly_round_part_has_its_three_half_turns_however_finely_it_is_meshed(count):
    made = trimesh.creation.uv_sphere(1.0, (count, count))
    mesh = mesh_of(made.vertices * (24, 26, 22), made.faces)
    found = find_symmetries(mesh)
    assert [f.order for f in found] == [2, 2, 2]
    axes = np.abs([f.axis for f in found])
    assert sorted(axes.argmax(axis=1)) == [0, 1, 2]
    assert axes.max(axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("sections", [11, 12, 13, 16, 40, 200])
def test_a_coarse_cylinder_is_as_round_as_a_fine_one(sections):
    made = trimesh.creation.cylinder(10, 40, sections=sections)
    mesh = mesh_of(made.vertices, made.faces)
    first, second = find_symmetries(mesh)
    assert (first.order, second.order) == (0, 2)
    assert abs(first.axis[2]) == pytest.approx(1, abs=1e-6)
    assert propose_point(mesh).point == pytest.approx([0, 0, 0.02], abs=1e-6)


def mesh_of(vertices, faces):
    return Mesh(0.001 * np.asarray(vertices, float), np.asarray(faces, np.int64))
