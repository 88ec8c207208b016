from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from cadsight_synthesis.image_ops.composition import CompositionParameters, CutOut, compose, compose_set, cut_out
from hypothesis import given, settings
from hypothesis import strategies as st

ORANGE, WHITE = (220, 120, 30), (235, 235, 235)
CAMERA = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
NORMAL = np.array([0.0, 0.6, -0.8])
BACKGROUND = np.full((480, 640, 3), WHITE, np.uint8)


def one_part(x0: int = 200, y0: int = 150) -> CutOut:
    """An L, 80 wide and 60 high, whose point of interest is its top left pixel."""
    mask = np.zeros((480, 640), bool)
    mask[y0 : y0 + 60, x0 : x0 + 30] = True
    mask[y0 + 40 : y0 + 60, x0 : x0 + 80] = True
    image = np.where(mask[..., None], ORANGE, (90, 90, 90)).astype(np.uint8)
    box = Box.from_mask(mask)
    assert box is not None
    label = Instance(0, box, mask, normal=NORMAL, point=np.array([x0, y0], float), source="kinematic")
    sample = Sample("one", Path("one.png"), CAMERA.size, CAMERA, (label,))
    (found,) = cut_out(sample, image)
    return found


def test_a_cut_out_keeps_its_place_in_mind():
    found = one_part()
    assert found.offset == (194, 144)
    assert found.mask.shape == (72, 92)
    assert found.mask.sum() == 30 * 60 + 50 * 20


def test_box_mask_and_point_follow_a_part_that_is_moved():
    fixed = CompositionParameters(max_parts=1, min_scale=1.0, max_scale=1.0, max_shadow=0.0)
    sample, image = compose([one_part()], BACKGROUND, "c", fixed, seed=3)
    (instance,) = sample.instances
    assert (instance.box.width, instance.box.height) == (80, 60)
    np.testing.assert_allclose(instance.point, (instance.box.x0, instance.box.y0))
    x, y = int(instance.box.x0), int(instance.box.y0)
    assert image[y + 10, x + 10].tolist() == list(ORANGE)
    assert image[y + 10, x + 60].tolist() == list(WHITE)
    assert sample.origin == "composed"
    assert instance.camera_from_part is None


def test_nothing_of_the_old_background_comes_along():
    _, image = compose([one_part()], BACKGROUND, "c", CompositionParameters(max_shadow=0.0), seed=1)
    # Grey 90 outside the old mask: between orange and white no pixel has so little red.
    assert image[..., 0].min() >= 215


def test_the_point_follows_a_scale_of_two():
    doubled = CompositionParameters(max_parts=1, min_scale=2.0, max_scale=2.0)
    (instance,) = compose([one_part()], BACKGROUND, "c", doubled, seed=0)[0].instances
    assert (instance.box.width, instance.box.height) == pytest.approx((160, 120), abs=1)
    # The centre of the old top left pixel is half a pixel inside: one pixel inside at twice the size.
    np.testing.assert_allclose(instance.point, np.add((instance.box.x0, instance.box.y0), 0.5), atol=0.6)


def test_the_normal_turns_with_the_ray():
    sample, _ = compose([one_part()], BACKGROUND, "c", CompositionParameters(max_parts=1), seed=5)
    (instance,) = sample.instances
    old, new = np.subtract((240, 180), 0.5), np.subtract(instance.box.centre, 0.5)
    seen_before = viewing_rotation(CAMERA, old).T @ NORMAL
    seen_now = viewing_rotation(CAMERA, new).T @ instance.normal
    np.testing.assert_allclose(seen_now, seen_before, atol=2e-3)
    assert np.linalg.norm(instance.normal) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_to_four_parts_that_do_not_touch_each_other_or_the_border(seed: int):
    sample, image = compose([one_part(), one_part(400, 300)], BACKGROUND, "c", CompositionParameters(), seed)
    assert 1 <= len(sample.instances) <= 4
    assert sum(i.mask.astype(int) for i in sample.instances).max() == 1
    assert image.shape == BACKGROUND.shape
    for instance in sample.instances:
        assert Box.from_mask(instance.mask) == instance.box
        assert min(instance.box.x0, instance.box.y0, 640 - instance.box.x1, 480 - instance.box.y1) >= 4


def test_hidden_fractions_stay_below_the_limit_and_labels_show_what_is_left():
    crowded = CompositionParameters(min_parts=12, max_parts=12, max_overlap=0.3, min_scale=1.0, max_scale=1.0)
    hidden = []
    for seed in range(6):
        sample, _ = compose([one_part()], np.full((240, 320, 3), WHITE, np.uint8), "c", crowded, seed)
        assert sum(i.mask.astype(int) for i in sample.instances).max() == 1
        hidden += [1 - i.mask.sum() / 2800 for i in sample.instances]
    assert 0 < max(hidden) <= 0.3


def test_the_same_seed_gives_the_same_image_and_another_one_another():
    parts = [one_part()]
    first, image = compose(parts, BACKGROUND, "c", CompositionParameters(), seed=7)
    again, same = compose(parts, BACKGROUND, "c", CompositionParameters(), seed=7)
    np.testing.assert_array_equal(image, same)
    assert first.record == again.record
    assert first.record["seed"] == 7
    assert (image != compose(parts, BACKGROUND, "c", CompositionParameters(), seed=8)[1]).any()


def test_a_set_that_goes_on_is_the_set_made_at_once():
    parts, parameters = [one_part()], CompositionParameters(seed=4)
    whole = list(compose_set(parts, BACKGROUND, 4, parameters))
    rest = list(compose_set(parts, BACKGROUND, 4, parameters, first=2))
    assert [s.name for s, _ in whole[2:]] == [s.name for s, _ in rest]
    np.testing.assert_array_equal(whole[3][1], rest[1][1])


def test_no_normal_is_claimed_for_a_background_of_another_camera():
    sample, _ = compose([one_part()], BACKGROUND[:400], "c", CompositionParameters(max_parts=1), seed=0)
    assert sample.camera is None
    assert sample.instances[0].normal is None


@pytest.mark.parametrize(
    ("parts", "background", "message"),
    [([], BACKGROUND, "no part"), ([one_part()], BACKGROUND[:40, :40], "no part fits")],
    ids=["no cut-out", "background too small"],
)
def test_what_cannot_be_composed_is_refused(parts, background, message):
    with pytest.raises(CadsightError, match=message):
        compose(parts, background, "c", CompositionParameters(), seed=0)


def test_ranges_that_fall_are_refused():
    with pytest.raises(CadsightError, match="rise"):
        CompositionParameters(min_parts=5, max_parts=4)
