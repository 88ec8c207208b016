import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose
from cadsight_core.silhouette import silhouette
from cadsight_learning.solids import KINDS, draw, random_scene, solid

CAMERA = Camera(ImageSize(160, 128), 150.0, 150.0, 79.5, 63.5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_solid_is_a_decimetre_across_and_drawn_where_its_silhouette_is(kind):
    mesh = solid(kind, np.random.default_rng(2))
    assert mesh.diameter <= 0.2
    pose = Pose.from_rotvec((0.4, 0.7, 0.1), (0.01, 0.0, 0.3))
    background = np.full((128, 160, 3), 200, np.uint8)
    drawing = draw([(4, mesh)], [pose], CAMERA, background, np.random.default_rng(0))
    (instance,) = drawing.instances
    assert instance.class_id == 4
    expected = Box.from_mask(silhouette(mesh, pose, CAMERA))
    assert instance.box.iou(expected) > 0.85
    assert (drawing.image[~instance.mask] == 200).mean() > 0.95


def test_the_same_seed_draws_the_same_scene():
    one, again = (random_scene(CAMERA, np.random.default_rng(3)) for _ in range(2))
    assert (one.image == again.image).all()
    assert [i.box for i in one.instances] == [i.box for i in again.instances]


def test_what_hides_behind_another_body_is_not_labelled():
    mesh = solid("block", np.random.default_rng(2))
    poses = [Pose.from_rotvec((0, 0, 0), (0, 0, z)) for z in (0.2, 0.6)]
    background = np.zeros((128, 160, 3), np.uint8)
    drawing = draw([(0, mesh), (1, mesh)], poses, CAMERA, background, np.random.default_rng(0))
    assert [i.class_id for i in drawing.instances] == [0]
