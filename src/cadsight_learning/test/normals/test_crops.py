import dataclasses

import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.imaging.crops import crop
from cadsight_core.imaging.images import read_image, write_image
from cadsight_core.sample import Sample
from cadsight_learning.data.painter import draw
from cadsight_learning.normals.crops import in_plane, on_other_ground, recropped, seen_again, views, views_on_demand
from cadsight_learning.pretraining.solids import solid
from scipy.spatial.transform import Rotation

SIDE = 64


def test_an_unturned_view_is_the_crop_that_everybody_uses(block_samples):
    view = views(block_samples[:1], SIDE)[0]
    instance = block_samples[0].instances[0]
    expected = crop(read_image(block_samples[0].image), instance.box, SIDE).astype(int)
    again = recropped(view, 0.0, np.zeros(2), float(SIDE), SIDE).astype(int)
    assert np.abs(again - expected)[2:-2, 2:-2].max() <= 2


def test_a_quarter_turn_turns_the_image_clockwise_and_the_normal_with_it(block_samples):
    view = views(block_samples[:1], SIDE)[0]
    upright = recropped(view, 0.0, np.zeros(2), float(SIDE), SIDE).astype(int)
    turned = recropped(view, np.pi / 2, np.zeros(2), float(SIDE), SIDE).astype(int)
    assert np.abs(np.rot90(upright, -1) - turned)[2:-2, 2:-2].mean() < 1
    # What pointed right points down, which is y, and what pointed down points left.
    assert in_plane(np.pi / 2) @ [1.0, 0.0] == pytest.approx([0.0, 1.0])
    assert in_plane(np.pi / 2) @ [0.0, 1.0] == pytest.approx([-1.0, 0.0])


@pytest.mark.parametrize("degrees", [-70, 25, 120])
def test_a_turned_crop_is_what_a_camera_that_rolled_would_see(tmp_path, degrees):
    """The part is drawn again at a pose turned about the optical axis: same crop, same normal."""
    block = solid("angle", np.random.default_rng(5))
    pose = Pose(Rotation.from_euler("xy", (20, -15), degrees=True).as_matrix(), np.array([0.0, 0.0, 0.25]))
    roll = Pose(Rotation.from_euler("z", degrees, degrees=True).as_matrix(), np.zeros(3))
    camera = Camera(ImageSize(96, 64), 90.0, 90.0, 47.5, 31.5)
    background = np.full((64, 96, 3), 235, np.uint8)
    found = []
    for number, one in enumerate((pose, roll @ pose)):
        # Without a lamp to one side, which would not turn with the part.
        drawing = draw([(0, block)], [one], camera, background, _Overhead(), [np.array([230.0, 110.0, 30.0])])
        path = tmp_path / f"{number}.png"
        write_image(path, drawing.image)
        instances = tuple(dataclasses.replace(i, normal=-one.rotation[:, 2]) for i in drawing.instances)
        found.append(views([Sample(str(number), path, camera.size, camera, instances)], SIDE)[0])
    first, second = found
    turned_outline = first.outline @ in_plane(np.radians(degrees)).T
    low, high = turned_outline.min(axis=0), turned_outline.max(axis=0)
    again = recropped(first, np.radians(degrees), (low + high) / 2, float((high - low).max()), SIDE)
    # Edges of a part of 30 pixels, enlarged twice, differ by the pixel grid that they were drawn on.
    assert np.abs(again.astype(int) - second.crop).mean() < 10
    assert np.abs(first.crop.astype(int) - second.crop).mean() > 20
    normal = np.append(in_plane(np.radians(degrees)) @ first.normal[:2], first.normal[2])
    # The two boxes' centres lie on whole pixels, 0.6 degrees each.
    assert angle_between(normal, second.normal) < 5


class _Overhead:
    """Draws no noise at all: the lamp hangs at the camera."""

    def normal(self, *_, size=None, **__):
        return np.zeros(size)

    def uniform(self, *_, **__):
        return 0.5


def test_random_views_keep_unit_normals_and_their_angle_to_the_viewing_axis(block_samples):
    rng = np.random.default_rng(0)
    for view in views(block_samples[:4], SIDE):
        image, same = seen_again(view, rng, 180.0, SIDE)
        (normal,) = same.directions
        assert image.shape == (SIDE, SIDE, 3)
        assert np.linalg.norm(normal) == pytest.approx(1)
        assert normal[2] == pytest.approx(view.normal[2])


def test_a_normal_is_given_in_the_frame_of_its_crop(block_samples):
    """At the image's border the viewing ray leans: the same normal looks different there."""
    view = views(block_samples[:1], SIDE)[0]
    box, camera = block_samples[0].instances[0].box, block_samples[0].camera
    x, y = (box.centre[0] - 0.5 - camera.cx) / camera.fx, (box.centre[1] - 0.5 - camera.cy) / camera.fy
    facing = -np.array([x, y, 1.0]) / np.linalg.norm([x, y, 1.0])
    assert view.rotation.T @ facing == pytest.approx([0, 0, -1], abs=0.02)
    assert view.rotation @ view.normal == pytest.approx(block_samples[0].instances[0].normal)


def test_samples_without_normals_are_refused(block_samples):
    bare = dataclasses.replace(block_samples[0], instances=())
    with pytest.raises(CadsightError, match="none of 1 samples has a normal"):
        views([bare])


def test_another_ground_leaves_the_part_alone():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    mask = np.zeros((32, 32), np.uint8)
    mask[8:20, 10:24] = 255
    other = on_other_ground(image, mask, np.random.default_rng(1))
    assert (other[8:20, 10:24] == image[8:20, 10:24]).all()
    assert (other[mask == 0] == image[mask == 0]).all(axis=1).mean() < 0.05


def test_the_mask_of_a_view_lies_on_its_part(block_samples):
    view = views(block_samples[:1], SIDE)[0]
    mask = recropped(dataclasses.replace(view, around=view.mask), 0.0, np.zeros(2), float(SIDE), SIDE)
    orange = (view.crop[..., 0].astype(int) - view.crop[..., 2]) > 40
    assert (orange & (mask > 127)).sum() / (orange | (mask > 127)).sum() > 0.9


def test_views_on_demand_are_those_that_were_made_at_once(block_samples):
    expected = views(block_samples[:4], SIDE)
    seen = views_on_demand(block_samples[:4], SIDE, keep=expected[0].nbytes)
    assert [v.name for v in seen] == [v.name for v in expected]
    for one, other in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(one.crop, other.crop)
        np.testing.assert_array_equal(one.around, other.around)
        np.testing.assert_array_equal(one.normal, other.normal)
    with pytest.raises(CadsightError, match="none of 1 samples has a normal"):
        views_on_demand([dataclasses.replace(block_samples[0], instances=())])
