import numpy as np
import pytest
import trimesh
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.silhouette import silhouette

CAMERA = Camera(ImageSize(640, 480), 600, 600, 320, 240)


def mesh(solid):
    return Mesh(np.array(solid.vertices, float), np.array(solid.faces, np.int64))


CUBE = mesh(trimesh.creation.box((0.1, 0.1, 0.1)))


def at(x, y, z):
    return Pose(np.eye(3), np.array([x, y, z]))


def test_a_cube_seen_from_the_front_covers_the_pixels_computed_by_hand():
    # The front face, 0.6 m away, is 600 * 0.1 / 0.6 = 100 pixels wide; moved by 0.3 mm it reaches from pixel
    # centre 270.3 to 370.3: columns 271 to 370, and rows 190 to 290 (both ends lie on the outline).
    mask = silhouette(CUBE, at(0.0003, 0, 0.65), CAMERA)
    assert Box.from_mask(mask) == Box(271, 190, 371, 291)
    assert mask.sum() == 100 * 101


def test_distortion_moves_the_outline_as_it_moves_its_points():
    camera = Camera(CAMERA.size, 600, 600, 320, 240, (0.5, 0, 0, 0))
    # The corner at (50, 50) / 600 from the axis moves out by 1 + 0.5 * 2 * (1/12)^2 = 1.00694, to 50.35.
    box = Box.from_mask(silhouette(CUBE, at(0.0005, 0.0005, 0.65), camera))
    assert box.as_tuple() == pytest.approx((270.5, 190.5, 371.5, 291.5), abs=0.6)
    corner = camera.project([[0.0505, 0.0505, 0.6]])[0]
    assert corner[0] > 320 + 50.5 * 1.006


def test_a_cube_that_reaches_out_of_the_image_is_cut_at_its_border():
    mask = silhouette(CUBE, at(-0.32, 0, 0.65), CAMERA)  # centre at pixel 0
    assert Box.from_mask(mask).x0 == 0
    # The back edge on the right, at x = -0.27 and z = 0.7, is seen at 600 * -0.27 / 0.7 + 320 = 88.6.
    assert Box.from_mask(mask).x1 == 89


@pytest.mark.parametrize("position", [(0, 0, -0.65), (5, 0, 0.65), (0, -5, 0.65)], ids=["behind", "right", "above"])
def test_a_part_out_of_sight_covers_nothing(position):
    mask = silhouette(CUBE, at(*position), CAMERA)
    assert mask.shape == (480, 640)
    assert not mask.any()


def test_a_hole_stays_open():
    ring = mesh(trimesh.creation.annulus(0.02, 0.04, 0.01))
    mask = silhouette(ring, at(0, 0, 0.5), CAMERA)
    assert not mask[240, 320]
    assert mask[240, 320 + 36]  # 0.03 * 600 / 0.5 from the middle
    # Front rim at 0.495 m, hole seen through the back rim at 0.505 m.
    area = np.pi * ((0.04 * 600 / 0.495) ** 2 - (0.02 * 600 / 0.505) ** 2)
    assert mask.sum() == pytest.approx(area, rel=0.02)


def test_an_open_sheet_is_seen_from_both_sides():
    sheet = Mesh(np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    front = silhouette(sheet, at(0, 0, 0.6), CAMERA)
    back = silhouette(sheet, Pose.from_rotvec((np.pi, 0, 0), (0, 0.1, 0.6)), CAMERA)
    assert front.sum() == pytest.approx(100 * 100, rel=0.03)
    np.testing.assert_array_equal(front, back)


def test_a_sphere_has_the_outline_of_its_tangent_cone():
    mask = silhouette(mesh(trimesh.creation.icosphere(5, 0.05)), at(0, 0, 0.65), CAMERA)
    radius = 600 * 0.05 / np.sqrt(0.65**2 - 0.05**2)
    assert mask.sum() == pytest.approx(np.pi * radius**2, rel=0.01)
