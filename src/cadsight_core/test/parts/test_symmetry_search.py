import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.symmetry_search import find_symmetries

MAKE = trimesh.creation


def mesh_of(made):
    return Mesh(np.asarray(made.vertices, float), np.asarray(made.faces, np.int64))


def found(made):
    return [(f.order, np.round(np.abs(f.axis), 3).tolist()) for f in find_symmetries(mesh_of(made))]


def test_a_brick_can_be_turned_half_about_each_of_its_axes_and_no_other():
    assert sorted(found(MAKE.box((0.03, 0.02, 0.01)))) == [(2, [0, 0, 1]), (2, [0, 1, 0]), (2, [1, 0, 0])]


def test_a_square_plate_has_one_axis_of_four_and_four_of_two():
    orders = [order for order, _ in found(MAKE.box((0.03, 0.03, 0.01)))]
    assert orders == [4, 2, 2, 2, 2]
    assert found(MAKE.box((0.03, 0.03, 0.01)))[0] == (4, [0, 0, 1])


def test_a_cube_has_thirteen_axes():
    orders = [order for order, _ in found(MAKE.box((0.02, 0.02, 0.02)))]
    assert sorted(orders) == [2] * 6 + [3] * 4 + [4] * 3


@pytest.mark.parametrize("sections", [5, 6, 8])
def test_a_prism_has_the_order_of_its_outline(sections):
    assert found(MAKE.annulus(0.01, 0.02, 0.03, sections=sections))[0] == (sections, [0, 0, 1])


def test_a_cylinder_is_a_body_of_revolution_about_its_axis_alone():
    cylinder = MAKE.cylinder(0.01, 0.04, sections=128)
    assert found(cylinder)[0] == (0, [0, 0, 1])
    assert all(order == 2 for order, _ in found(cylinder)[1:])


def test_a_cone_has_no_axis_but_its_own():
    assert found(MAKE.cone(0.01, 0.04, sections=128)) == [(0, [0, 0, 1])]


def test_a_notch_takes_the_symmetry_away():
    brick, notch = MAKE.box((0.03, 0.02, 0.01)), MAKE.box((0.004, 0.03, 0.004))
    notch.apply_translation((0.011, 0.0, 0.005))
    left = trimesh.boolean.difference([brick, notch], engine="manifold")
    assert found(left) == []


def test_the_axis_goes_through_the_middle_of_the_surface_wherever_the_origin_is():
    brick = MAKE.box((0.03, 0.02, 0.01))
    brick.apply_translation((0.1, 0.0, 0.0))
    symmetries = {tuple(np.round(np.abs(f.axis)).astype(int)): f for f in find_symmetries(mesh_of(brick))}
    assert symmetries[1, 0, 0].offset == pytest.approx(0.0, abs=1e-9)
    assert symmetries[0, 0, 1].offset == pytest.approx(0.1)


def test_a_brick_in_any_pose_keeps_its_axes():
    brick = MAKE.box((0.03, 0.02, 0.01))
    turn = trimesh.transformations.random_rotation_matrix(np.array([0.2, 0.5, 0.7]))
    brick.apply_transform(turn)
    axes = np.array([f.axis for f in find_symmetries(mesh_of(brick))])
    assert axes.shape == (3, 3)
    np.testing.assert_allclose(np.sort(np.abs(axes @ turn[:3, :3]), axis=1), np.tile([0, 0, 1], (3, 1)), atol=1e-3)
