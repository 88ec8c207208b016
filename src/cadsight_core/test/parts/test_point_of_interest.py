"""Where the first proposal of a point lies: worked out by hand."""

import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.point_of_interest import propose_point

MAKE = trimesh.creation


def mesh_of(made):
    return Mesh(0.001 * np.asarray(made.vertices, float), np.asarray(made.faces, np.int64))


def cut(made, *others):
    return trimesh.boolean.difference([made, *others], engine="manifold")


def moved(made, *by):
    made.apply_translation(by)
    return made


def test_of_equal_faces_the_upper_one_is_taken():
    found = propose_point(mesh_of(MAKE.box((40, 30, 10))))
    assert found.point == pytest.approx([0, 0, 0.005])
    assert found.normal == pytest.approx([0, 0, 1])
    assert found.what == "the middle of its largest flat face"


@pytest.mark.parametrize("sections", [12, 32, 200])
def test_in_a_plate_with_a_hole_the_point_is_just_beside_the_hole(sections):
    plate = cut(MAKE.box((60, 40, 8)), MAKE.cylinder(5, 20, sections=sections))
    found = propose_point(mesh_of(plate))
    # 2 % of the diameter, sqrt(60^2 + 40^2 + 8^2) = 72.55, from the rim; of all ways the one along x.
    assert 1000 * found.point == pytest.approx([5 + 1.451, 0, 4], abs=0.2)
    assert found.normal == pytest.approx([0, 0, 1])
    assert found.what == "beside the hole in the middle of its largest flat face"


def test_where_a_web_is_narrower_than_the_clearance_the_point_lies_in_its_middle():
    # A frame of 1 mm around a window of 58 x 38.
    found = propose_point(mesh_of(cut(MAKE.box((60, 40, 2)), MAKE.box((58, 38, 20)))))
    assert 1000 * abs(found.point[1]) == pytest.approx(19.5, abs=1e-3)
    assert 1000 * found.point[0] == pytest.approx(0, abs=7)


def test_pieces_of_one_plane_are_one_face():
    slotted = cut(MAKE.box((60, 40, 8)), moved(MAKE.box((6, 50, 4)), 0, 0, 4), moved(MAKE.box((54, 34, 4)), 0, 0, -4))
    found = propose_point(mesh_of(slotted))
    # The top in two pieces of 27 x 40 is larger than what is left of the bottom; its middle lies over the slot.
    assert found.normal == pytest.approx([0, 0, 1])
    assert 1000 * found.point == pytest.approx([3 + 1.451, 0, 4], abs=1e-3)


@pytest.mark.parametrize("sections", [10, 24, 100])
def test_the_facets_of_a_round_side_are_no_flat_faces(sections):
    # With 10 sections a facet of the side is 247 mm2 and each end 73 mm2.
    rod = MAKE.cylinder(5, 80, sections=sections)
    found = propose_point(mesh_of(rod))
    if sections >= 11:
        assert found.point == pytest.approx([0, 0, 0.04], abs=1e-9)
    else:  # sides that meet at 36 degrees are meant
        assert abs(found.normal[2]) < 1e-9


def test_a_roof_of_two_slopes_has_flat_faces():
    slopes = np.array([[-20, -15, 0], [-20, 15, 0], [0, -15, 5], [0, 15, 5], [20, -15, 0], [20, 15, 0]], float)
    found = propose_point(mesh_of(trimesh.Trimesh(slopes, [[0, 2, 1], [1, 2, 3], [2, 4, 3], [3, 4, 5]], process=False)))
    assert found.what == "the middle of its largest flat face"
    assert 1000 * found.point == pytest.approx([10, 0, 2.5])


@pytest.mark.parametrize("fineness", [2, 3, 4])
def test_a_ball_has_the_point_at_its_top(fineness):
    found = propose_point(mesh_of(moved(MAKE.icosphere(fineness, 20), 5, 6, 7)))
    assert 1000 * found.point == pytest.approx([5, 6, 27], abs=0.3)
    assert found.normal == pytest.approx([0, 0, 1], abs=0.01)
    assert found.what == "above its middle, as it has no flat face"


def test_a_ring_without_flat_faces_has_the_point_on_its_rim():
    found = propose_point(mesh_of(MAKE.torus(20, 5)))
    assert found.point[2] == pytest.approx(0.005, abs=1e-4)
    assert found.what == "its top, as it has no flat face"
