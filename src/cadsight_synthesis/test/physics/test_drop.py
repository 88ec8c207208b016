"""Things fall, come to rest where physics says, and the same numbers drawn give the same landings."""

import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import Mesh
from cadsight_synthesis.assets.shape import Shape
from cadsight_synthesis.physics.convex import convex_pieces
from cadsight_synthesis.physics.drop import Room, drop
from cadsight_synthesis.physics.parameters import DropParameters
from scipy.spatial import ConvexHull


def shape(made):
    return Shape.of(Mesh(np.asarray(made.vertices, float), np.asarray(made.faces, np.int64)))


BRICK = shape(trimesh.creation.box((0.06, 0.04, 0.02)))
BALL = shape(trimesh.creation.icosphere(subdivisions=3, radius=0.02))


def test_a_brick_comes_to_rest_flat_on_one_of_its_faces():
    for seed in range(6):
        (landing,) = drop([BRICK], Room(0.3, 0.2, 0.05), DropParameters(), np.random.default_rng(seed))
        assert landing.trouble == ""
        corners = landing.pose.apply(BRICK.mesh.vertices)
        assert corners[:, 2].min() == pytest.approx(0.0, abs=5e-4)
        assert np.isclose(np.ptp(corners[:, 2]), [0.06, 0.04, 0.02], atol=1e-3).any()
        assert (np.abs(corners[:, 0]) < 0.15 + 1e-3).all()
        assert (np.abs(corners[:, 1]) < 0.10 + 1e-3).all()


@pytest.mark.parametrize("size", [0.01, 1.0, 8.0])
def test_things_of_any_size_fall_alike(size):
    brick = Shape.of(BRICK.mesh, size)
    (landing,) = drop([brick], Room(0.3 * size, 0.2 * size, 0.05 * size), DropParameters(height_m=0.05 * size),
                      np.random.default_rng(3))  # fmt: skip
    (usual,) = drop([BRICK], Room(0.3, 0.2, 0.05), DropParameters(height_m=0.05), np.random.default_rng(3))
    np.testing.assert_allclose(landing.pose.translation / size, usual.pose.translation, atol=1e-9)
    np.testing.assert_allclose(landing.pose.rotation, usual.pose.rotation, atol=1e-9)


def test_the_same_numbers_give_the_same_landings_and_others_give_others():
    def poses(seed):
        landings = drop([BRICK] * 5, Room(0.3, 0.2, 0.05), DropParameters(), np.random.default_rng(seed))
        return np.array([x.pose.matrix for x in landings])

    np.testing.assert_array_equal(poses(1), poses(1))
    assert not np.allclose(poses(1), poses(2))


def test_bricks_lie_beside_and_on_each_other_never_in_each_other():
    landings = drop([BRICK] * 6, Room(0.16, 0.12, 0.08), DropParameters(), np.random.default_rng(0))
    boxes = [trimesh.creation.box((0.058, 0.038, 0.018), transform=x.pose.matrix) for x in landings]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            shared = trimesh.boolean.intersection([one, other], engine="manifold")
            assert shared.volume < 1e-9


def test_a_ball_that_rolls_off_a_small_table_has_come_to_rest_outside():
    troubles = {
        drop([BALL], Room(0.001, 0.001, 0.0), DropParameters(friction=0.1), np.random.default_rng(seed))[0].trouble
        for seed in range(6)
    }
    assert "came to rest outside the box" in troubles


def test_what_has_no_time_to_fall_has_not_come_to_rest():
    (landing,) = drop([BRICK], Room(0.3, 0.2, 0.3), DropParameters(height_m=1.0, seconds=0.1), np.random.default_rng(0))
    assert landing.trouble == "did not come to rest in time"


def test_a_convex_body_is_one_piece_and_an_angle_is_several_that_leave_its_corner_free():
    assert len(convex_pieces(BRICK.mesh)) == 1
    foot, wall = trimesh.creation.box((0.06, 0.04, 0.01)), trimesh.creation.box((0.01, 0.04, 0.06))
    wall.apply_translation((-0.025, 0, 0.025))
    angle = trimesh.boolean.union([foot, wall], engine="manifold")
    pieces = convex_pieces(Mesh(np.asarray(angle.vertices, float), np.asarray(angle.faces, np.int64)))
    assert len(pieces) >= 2
    inside = np.array([0.0, 0.0, 0.02])  # in the hull, before the wall and above the foot
    assert _deep(angle.vertices, inside)
    assert not any(_deep(piece, inside) for piece in pieces)


def _deep(corners, point):
    """The point is in the convex hull of the corners."""
    equations = ConvexHull(corners).equations
    return bool((equations[:, :3] @ point + equations[:, 3] < 0).all())
