import dataclasses
from pathlib import Path

import numpy as np
import pytest
import trimesh
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.parts.part import Part
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Instance, Sample
from cadsight_learning.data.painter import draw
from cadsight_learning.normals.cad_views import drawn_views
from cadsight_learning.pretraining.solids import KINDS, random_scene, solid

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


def block_part(folder, **changes) -> Part:
    """A block of 100 x 60 x 40 mm as a part with its STL."""
    trimesh.creation.box((100.0, 60.0, 40.0)).export(folder / "block.stl")
    given = {"mesh": str(folder / "block.stl"), "unit": "mm", "axis_of_interest": (0.0, 0.0, 1.0)}
    return Part("block", **{**given, **changes})


def posed(pose: Pose, **changes) -> Sample:
    instance = Instance(0, Box(40, 40, 120, 90), camera_from_part=pose, source="human")
    return Sample("one", Path("one.png"), CAMERA.size, CAMERA, (instance,), **changes)


def test_drawn_views_look_like_the_poses_that_they_are_drawn_around(tmp_path):
    facing = Pose.from_rotvec((np.pi, 0, 0), (0.01, 0.0, 0.3))
    found = drawn_views(block_part(tmp_path), [posed(facing)], 12, 64, seed=3)
    tilts = angle_between(np.stack([v.normal for v in found]), [0, 0, -1])
    assert len(found) == 12
    assert 0 < tilts.mean() < 30
    for view in found:
        assert np.linalg.norm(view.normal) == pytest.approx(1)
        assert view.mask is not None
        # 100 mm of the block at 300 mm: the longer side fills the crop.
        assert 0.3 < (view.mask > 127).sum() / (64 * 64 * view.scale**2) < 1


def test_the_same_seed_draws_the_same_views_and_a_set_without_poses_none(tmp_path):
    part, sample = block_part(tmp_path), posed(Pose.from_rotvec((np.pi, 0, 0), (0.0, 0.0, 0.3)))
    one, again = (drawn_views(part, [sample], 3, 64, seed=5) for _ in range(2))
    assert all((a.crop == b.crop).all() for a, b in zip(one, again, strict=True))
    with pytest.raises(CadsightError, match="none of 1 samples has a camera and the pose of block"):
        drawn_views(part, [dataclasses.replace(sample, instances=())], 3, 64, seed=5)
