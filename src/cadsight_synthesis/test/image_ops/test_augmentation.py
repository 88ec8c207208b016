import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.sample import Instance, Sample, encode_mask
from cadsight_core.shapes import fill, instance_mask
from cadsight_synthesis.image_ops.affine import ImageMap
from cadsight_synthesis.image_ops.augmentation import (
    AugmentationParameters,
    Steps,
    apply_steps,
    augment,
    image_map,
    noisy,
    recoloured,
    sample_steps,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = ImageSize(160, 120)
CAMERA = Camera(SIZE, 200.0, 190.0, 77.0, 63.0, (0.08, -0.05, 0.004, -0.003, 0.01))
POSE = Pose.from_rotvec((0.4, -0.7, 0.2), (0.02, -0.01, 0.6))
NORMAL = np.array([0.6, 0.0, -0.8])
PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE.height, SIZE.width, 3), np.uint8)


def sample(camera=CAMERA, **changes):
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[40:70, 50:90] = True
    mask[50:60, 60:70] = False
    given_ = {
        "source": "render",
        "mask": mask,
        "camera_from_part": POSE,
        "normal": NORMAL,
        "point": np.array([64.0, 55.0]),
        **changes,
    }
    box = Box.from_mask(given_["mask"]) if given_["mask"] is not None else Box(50, 40, 90, 70)
    return Sample("a", Path("a.png"), SIZE, camera=camera, instances=(Instance(0, box, **given_),))


@pytest.mark.parametrize("camera", [CAMERA, None])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (Steps(flip_horizontal=True), (-0.6, 0, -0.8)),
        (Steps(flip_vertical=True), (0.6, 0, -0.8)),
        (Steps(flip_horizontal=True, flip_vertical=True), (-0.6, 0, -0.8)),
        (Steps(rotation_deg=90), (0, 0.6, -0.8)),  # clockwise: what points right points down
        (Steps(rotation_deg=-90), (0, -0.6, -0.8)),
        (Steps(rotation_deg=180), (-0.6, 0, -0.8)),
        (Steps(rotation_deg=30), (0.6 * math.cos(math.pi / 6), 0.3, -0.8)),
        (Steps(rotation_deg=90, flip_vertical=True), (0, -0.6, -0.8)),  # first the rotation, then the flip
        (Steps(zoom=1.3), (0.6, 0, -0.8)),
        (Steps(shift=(0.1, -0.2)), (0.6, 0, -0.8)),
        (Steps(crop=(0.2, 0.1, 0.7, 0.7)), (0.6, 0, -0.8)),
        (Steps(crop=(0.2, 0.1, 0.7, 0.7), keep_size=False), (0.6, 0, -0.8)),
        (Steps(scale=0.5), (0.6, 0, -0.8)),
        (Steps(brightness=0.3, contrast=2, hue_deg=40, saturation=2, blur_px=2, noise=9), (0.6, 0, -0.8)),
    ],
)
def test_a_known_normal_turns_with_the_mirror_and_the_rotation_and_with_nothing_else(camera, steps, expected):
    copy, _ = apply_steps(sample(camera), PIXELS, steps)
    np.testing.assert_allclose(copy.instances[0].normal, expected, atol=1e-12)


@pytest.mark.parametrize(("camera", "is_kept"), [(CAMERA, True), (None, False)])
def test_a_stretch_keeps_the_normal_only_with_a_camera_that_says_so(camera, is_kept):
    copy, _ = apply_steps(sample(camera), PIXELS, Steps(stretch=1.44))
    assert copy.size == ImageSize(192, 100)
    assert (copy.instances[0].normal is not None) == is_kept
    if camera is not None:
        assert (copy.camera.fx, copy.camera.fy) == (pytest.approx(240), pytest.approx(190 / 1.2))


def test_a_shear_is_not_rigid_and_drops_normal_pose_and_camera_but_not_box_and_mask():
    copy, _ = apply_steps(sample(), PIXELS, Steps(shear_deg=10))
    (instance,) = copy.instances
    assert (instance.normal, instance.camera_from_part, copy.camera) == (None, None, None)
    assert instance.mask.sum() == pytest.approx(1100, rel=0.02)
    assert instance.box == Box.from_mask(instance.mask)


def test_a_mirror_image_has_a_normal_and_a_camera_but_no_pose():
    copy, _ = apply_steps(sample(), PIXELS, Steps(flip_horizontal=True))
    assert copy.instances[0].camera_from_part is None
    assert (copy.camera.cx, copy.camera.cy) == (159 - 77, 63)
    # The tangential terms p1, p2: the sideways one changes its sign.
    assert copy.camera.distortion == (0.08, -0.05, 0.004, 0.003, 0.01)


def test_two_mirrors_are_half_a_turn_and_keep_the_pose():
    copy, _ = apply_steps(sample(), PIXELS, Steps(flip_horizontal=True, flip_vertical=True))
    turned, _ = apply_steps(sample(), PIXELS, Steps(rotation_deg=180))
    np.testing.assert_allclose(copy.instances[0].camera_from_part.matrix, turned.instances[0].camera_from_part.matrix)
    np.testing.assert_allclose(copy.instances[0].camera_from_part.rotation, np.diag([-1, -1, 1]) @ POSE.rotation)


def test_a_crop_moves_the_principal_point_and_leaves_the_pose():
    steps = Steps(crop=(0.25, 0.25, 0.5, 0.5), keep_size=False)
    copy, pixels = apply_steps(sample(), PIXELS, steps)
    np.testing.assert_array_equal(pixels, PIXELS[30:90, 40:120])
    assert (copy.camera.fx, copy.camera.cx, copy.camera.cy) == (200, 77 - 40, 63 - 30)
    assert copy.instances[0].box == Box(10, 10, 50, 40)
    np.testing.assert_allclose(copy.instances[0].camera_from_part.matrix, POSE.matrix)
    np.testing.assert_array_equal(copy.instances[0].mask, sample().instances[0].mask[30:90, 40:120])
    np.testing.assert_allclose(copy.instances[0].point, (24, 25))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 1))
def test_a_crop_of_whole_pixels_stays_in_the_image(x, y, side):
    steps = Steps(crop=(x * (1 - side), y * (1 - side), side, side), keep_size=False)
    copy, pixels = apply_steps(sample(), PIXELS, steps)
    left, top = np.round(-image_map(sample(), steps).matrix[:2, 2]).astype(int)
    np.testing.assert_array_equal(pixels, PIXELS[top : top + copy.size.height, left : left + copy.size.width])
    assert left >= 0
    assert left + copy.size.width <= SIZE.width
    assert top + copy.size.height <= SIZE.height


def test_halving_the_scale_is_what_the_camera_calls_resized():
    copy, pixels = apply_steps(sample(), PIXELS, Steps(scale=0.5))
    assert pixels.shape == (60, 80, 3)
    new, resized = copy.camera, CAMERA.resized(ImageSize(80, 60))
    assert (new.size, new.distortion) == (resized.size, resized.distortion)
    np.testing.assert_allclose(new.matrix, resized.matrix)


@pytest.mark.parametrize(
    ("steps", "turned"),
    [
        (Steps(flip_horizontal=True), lambda a: a[:, ::-1]),
        (Steps(flip_vertical=True), lambda a: a[::-1]),
        (Steps(rotation_deg=180), lambda a: a[::-1, ::-1]),
        (Steps(), lambda a: a),
    ],
)
def test_a_flip_moves_whole_pixels(steps, turned):
    copy, pixels = apply_steps(sample(camera=None), PIXELS, steps)
    np.testing.assert_array_equal(pixels, turned(PIXELS))
    np.testing.assert_array_equal(copy.instances[0].mask, turned(sample().instances[0].mask))


def test_a_quarter_turn_of_a_square_image_moves_whole_pixels():
    size = ImageSize(40, 40)
    square = Sample("s", Path("s.png"), size, instances=(Instance(0, Box(3, 5, 10, 30), source="human"),))
    copy, pixels = apply_steps(square, PIXELS[:40, :40], Steps(rotation_deg=90))
    np.testing.assert_array_equal(pixels, np.rot90(PIXELS[:40, :40], -1))
    assert copy.instances[0].box.as_tuple() == pytest.approx((10, 3, 35, 10))


amounts = st.floats(0.0, 1.0)
rigid_steps = st.builds(
    Steps,
    flip_horizontal=st.booleans(),
    flip_vertical=st.booleans(),
    rotation_deg=st.floats(-180, 180),
    zoom=st.floats(0.5, 2),
    shift=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    crop=st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.just(0.6), st.just(0.6)),
    keep_size=st.booleans(),
    scale=st.floats(0.5, 2),
    stretch=st.sampled_from([1.0, 1.0, 0.8, 1.5]),
)


@settings(max_examples=50)
@given(rigid_steps)
def test_the_new_camera_sees_the_turned_scene_where_the_image_shows_it(steps):
    moved = image_map(sample(), steps)
    points = POSE.apply(np.random.default_rng(1).uniform(-0.1, 0.1, (40, 3)))
    seen = moved.camera.project(points @ moved.turn.T)
    np.testing.assert_allclose(seen, moved.points(CAMERA.project(points)), atol=1e-8)
    np.testing.assert_allclose(moved.turn @ moved.turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(moved.turn) == pytest.approx(-1 if steps.flip_horizontal != steps.flip_vertical else 1)
    copy, _ = apply_steps(sample(), PIXELS, steps)
    for instance in copy.instances:
        np.testing.assert_allclose(instance.normal, moved.turn @ NORMAL)
        if instance.camera_from_part is not None:
            np.testing.assert_allclose(instance.camera_from_part.rotation, moved.turn @ POSE.rotation)


@settings(max_examples=40)
@given(rigid_steps)
def test_pixels_mask_polygon_and_point_move_as_one(steps):
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width]
    position = np.array([70.0, 55.0])
    blob = np.exp(-((columns - position[0]) ** 2 + (rows - position[1]) ** 2) / (2 * 6.0**2))
    image = np.repeat((255 * blob).round().astype(np.uint8)[..., None], 3, axis=2)
    polygon = [[52.0, 37.0, 90.0, 37.0, 90.0, 72.0, 52.0, 72.0]]
    mask = fill([np.reshape(polygon, (-1, 2))], SIZE)
    given_ = sample(point=position, mask=mask, attributes={"segmentation": polygon})
    moved = image_map(given_, steps)
    copy, pixels = apply_steps(given_, image, Steps(**{**vars(steps), "border": "black"}))
    assert pixels.shape[:2] == (copy.size.height, copy.size.width)
    for instance in copy.instances:
        filled = instance_mask(Instance(0, instance.box, attributes=instance.attributes, source="human"), copy.size)
        # The border of the mask is nearest pixels, that of the polygon exact.
        rim = cv2.dilate(instance.mask.astype(np.uint8), np.ones((3, 3))) - cv2.erode(
            instance.mask.astype(np.uint8), np.ones((3, 3)), borderType=cv2.BORDER_REPLICATE
        )
        assert not (filled != instance.mask)[rim == 0].any()
        assert instance.box == Box.from_mask(instance.mask)
    x, y = moved.points(position)
    scale = math.sqrt(abs(np.linalg.det(moved.matrix[:2, :2])))
    if 20 * scale < x < copy.size.width - 20 * scale and 20 * scale < y < copy.size.height - 20 * scale:
        weights = pixels[..., 0].astype(float)
        new_rows, new_columns = np.mgrid[: copy.size.height, : copy.size.width]
        centroid = np.array([(weights * new_columns).sum(), (weights * new_rows).sum()]) / weights.sum()
        np.testing.assert_allclose(centroid, (x, y), atol=0.15)


def test_a_box_without_mask_grows_with_a_rotation_and_is_cut_at_the_border():
    square = Sample(
        "s", Path("s.png"), ImageSize(101, 101), instances=(Instance(0, Box(40, 40, 61, 61), source="human"),)
    )
    copy, _ = apply_steps(square, PIXELS[:101, :101].repeat(2, 0)[:101], Steps(rotation_deg=45))
    assert copy.instances[0].box.as_tuple() == pytest.approx([50.5 - 10.5 * 2**0.5] * 2 + [50.5 + 10.5 * 2**0.5] * 2)
    cut, _ = apply_steps(square, PIXELS[:101, :101].repeat(2, 0)[:101], Steps(shift=(-0.5, 0)))
    assert cut.instances[0].box.as_tuple() == pytest.approx((0, 40, 10.5, 61))


def test_a_run_length_code_of_a_file_is_mapped_like_a_mask():
    mask = sample().instances[0].mask
    coded = sample(mask=None, attributes={"segmentation": encode_mask(mask), "area": 1100, "id": 7, "iscrowd": 1})
    copy, _ = apply_steps(coded, PIXELS, Steps(flip_horizontal=True))
    (instance,) = copy.instances
    np.testing.assert_array_equal(instance_mask(instance, SIZE), mask[:, ::-1])
    assert instance.box == Box(70, 40, 110, 70)
    assert set(instance.attributes) == {"segmentation", "iscrowd"}  # area and id are another's


@pytest.mark.parametrize(("min_visible", "count"), [(0.2, 1), (0.3, 0), (0.0, 1)])
def test_what_has_left_the_image_loses_its_label(min_visible, count):
    # Shifted by 80 pixels, columns 80 to 90 of 50 to 90 stay: 300 of 1100 pixels.
    copy, _ = apply_steps(sample(camera=None), PIXELS, Steps(shift=(-0.5, 0), min_visible=min_visible))
    assert len(copy.instances) == count
    gone, _ = apply_steps(sample(camera=None), PIXELS, Steps(shift=(-0.9, 0)))
    assert gone.instances == ()


def test_a_point_that_has_left_is_dropped_and_fractions_follow():
    given_ = sample(attributes={"visible_fraction": 0.5, "full_box": [50, 40, 90, 70], "point_visible": True})
    copy, _ = apply_steps(given_, PIXELS, Steps(shift=(-0.5, 0)))
    (instance,) = copy.instances
    assert instance.point is None
    assert instance.attributes == {
        "visible_fraction": round(0.5 * 300 / 1100, 4),
        "full_box": [-30, 40, 10, 70],
        "point_visible": False,
    }


@pytest.mark.parametrize(("visible", "told"), [(1.0, True), (0.9, False)])
def test_a_turned_copy_tells_the_full_box_only_where_all_of_it_is_seen(visible, told):
    boxes = {"visible_box": [50, 40, 90, 70], "full_box": [50, 40, 90, 70]}
    given_ = sample(attributes={**boxes, "visible_fraction": visible})
    (instance,) = apply_steps(given_, PIXELS, Steps(rotation_deg=20))[0].instances
    around = list(Box.from_mask(instance.mask).as_tuple())
    assert instance.attributes["visible_box"] == around
    assert instance.attributes.get("full_box") == (around if told else None)
    (upright,) = apply_steps(given_, PIXELS, Steps(zoom=1.25))[0].instances
    assert upright.attributes["full_box"] == pytest.approx([42.5, 35.0, 92.5, 72.5])  # about (80, 60)


def test_what_was_cut_away_is_filled_as_asked():
    image = np.full((SIZE.height, SIZE.width, 3), (10, 20, 30), np.uint8)
    for border, colour in (("mean", (10, 20, 30)), ("edge", (10, 20, 30)), ("black", (0, 0, 0))):
        _, pixels = apply_steps(sample(), image, Steps(shift=(0.3, 0), border=border))
        assert tuple(pixels[60, 10]) == colour


@pytest.mark.parametrize(
    ("steps", "colour", "expected"),
    [
        (Steps(brightness=0.2), (100, 150, 250), (151, 201, 255)),
        (Steps(contrast=2), (100, 150, 250), (72, 172, 255)),
        (Steps(hue_deg=120), (200, 0, 0), (0, 200, 0)),
        (Steps(hue_deg=-120), (200, 0, 0), (0, 0, 200)),
        (Steps(hue_deg=180), (200, 0, 0), (0, 133, 133)),
        (Steps(hue_deg=50), (90, 90, 90), (90, 90, 90)),
        (Steps(saturation=0.0), (200, 100, 90), (130, 130, 130)),  # the mean
        (Steps(saturation=2), (180, 150, 150), (200, 140, 140)),
        (Steps(saturation=0.0, contrast=2, brightness=0.1), (90, 120, 90), (98, 98, 98)),
        (Steps(blur_px=3), (7, 8, 9), (7, 8, 9)),
        (Steps(), (1, 2, 3), (1, 2, 3)),
    ],
)
def test_colours_change_as_computed_by_hand(steps, colour, expected):
    out = recoloured(np.full((8, 8, 3), colour, np.uint8), steps)
    assert np.abs(out[4, 4].astype(int) - expected).max() <= 1


def test_noise_has_the_deviation_that_is_asked_for_and_no_mean():
    noise = noisy(np.full((200, 200, 3), 128, np.uint8), 10.0, 3).astype(float) - 128
    assert noise.std() == pytest.approx(10, rel=0.03)
    assert abs(noise.mean()) < 0.15
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


def test_a_blur_spreads_a_point_by_its_deviation():
    image = np.zeros((41, 41, 3), np.uint8)
    image[20, 20] = 255
    out = recoloured(image, Steps(blur_px=1.5))[..., 0].astype(float)
    rows = np.arange(41)[:, None]
    assert math.sqrt((out * (rows - 20) ** 2).sum() / out.sum()) == pytest.approx(1.5, rel=0.1)


def test_the_same_seed_gives_the_same_copy_and_another_one_another():
    first, pixels = augment(sample(), PIXELS, AugmentationParameters(), 5, "a-1")
    again, same = augment(sample(), PIXELS, AugmentationParameters(), 5, "a-1")
    _, other = augment(sample(), PIXELS, AugmentationParameters(), 6, "a-1")
    np.testing.assert_array_equal(pixels, same)
    assert first.to_json() == again.to_json()
    assert other.shape != pixels.shape or (other != pixels).any()


def test_a_limit_that_is_changed_leaves_the_other_steps_as_they_were():
    few = sample_steps(AugmentationParameters(), 11)
    more = sample_steps(AugmentationParameters(rotation_deg=90.0, noise=0.0), 11)
    assert {**vars(few), "rotation_deg": 0, "noise": 0} == {**vars(more), "rotation_deg": 0, "noise": 0}


@settings(max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 1))
def test_steps_stay_within_their_limits_and_fit_a_record(seed, extreme):
    p = AugmentationParameters(probability=float(extreme), scale=2.0, stretch=1.5, shear_deg=5.0)
    steps = sample_steps(p, seed)
    json.dumps(steps.to_json(), allow_nan=False)
    if extreme == 0:
        assert set(steps.to_json()) <= {"flip_horizontal", "noise_seed", "min_visible"}
    x, y, width, height = steps.crop
    assert 0 <= x <= x + width <= 1 + 1e-12
    assert 0 <= y <= y + height <= 1 + 1e-12
    assert 0.8 - 1e-12 <= width <= 1
    assert 1 / 1.2 - 1e-12 <= steps.zoom <= 1.2 + 1e-12
    assert abs(steps.rotation_deg) <= 15
    assert 0 <= steps.blur_px <= 1.5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"zoom": 0.5}, "parameter zoom is 0.5, expected at least 1"),
        ({"crop": 1.0}, "parameter crop is 1.0, expected"),
        ({"noise": float("nan")}, "parameter noise is nan"),
        ({"border": "white"}, "parameter border is 'white', expected one of mean, edge, black"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_by_name(values, words):
    with pytest.raises(CadsightError, match=words):
        AugmentationParameters(**values)


def test_an_image_of_another_size_than_its_sample_is_refused():
    with pytest.raises(CadsightError, match="the image of 'a' is 160 x 100 pixels, expected 160 x 120"):
        apply_steps(sample(), PIXELS[:100], Steps())


@pytest.mark.parametrize(
    ("steps", "keypoints"),
    [
        (Steps(flip_horizontal=True), [90, 10, 2, 60, 50, 1, 0, 0, 0]),
        (Steps(flip_vertical=True), [10, 70, 2, 40, 30, 1, 0, 0, 0]),
    ],
)
def test_key_points_follow_the_image(steps, keypoints):
    labelled = {"keypoints": [10, 10, 2, 40, 50, 1, 0, 0, 0], "num_keypoints": 2}
    instance = Instance(0, Box(10, 10, 40, 50), attributes=labelled, source="human")
    one = Sample("a", Path("a.png"), ImageSize(100, 80), instances=(instance,))
    copy, _ = apply_steps(one, np.zeros((80, 100, 3), np.uint8), steps)
    assert copy.instances[0].attributes == {"keypoints": keypoints, "num_keypoints": 2}


def test_a_key_point_that_leaves_the_image_is_not_labelled_any_more():
    instance = Instance(
        0, Box(10, 10, 90, 50), attributes={"keypoints": [12, 12, 2, 80, 40, 2], "num_keypoints": 2}, source="human"
    )
    moved = ImageMap.of(np.array([[1, 0, -20], [0, 1, 0], [0, 0, 1]]), ImageSize(80, 80)).instance(
        instance, ImageSize(100, 80)
    )
    assert moved.attributes == {"keypoints": [0, 0, 0, 60, 40, 2], "num_keypoints": 1}


@pytest.mark.parametrize(
    ("steps", "keypoints"),
    [
        (Steps(flip_horizontal=True), [60, 50, 1, 90, 10, 2, 0, 0, 0]),
        (Steps(flip_vertical=True), [40, 30, 1, 10, 70, 2, 0, 0, 0]),
        (Steps(flip_horizontal=True, flip_vertical=True), [90, 70, 2, 60, 30, 1, 0, 0, 0]),
        (Steps(), [10, 10, 2, 40, 50, 1, 0, 0, 0]),
    ],
)
def test_in_a_mirror_the_left_key_point_is_the_right_one(steps, keypoints):
    labelled = {"keypoints": [10, 10, 2, 40, 50, 1, 0, 0, 0], "num_keypoints": 2}
    labels = tuple(Instance(n, Box(10, 10, 40, 50), attributes=labelled, source="human") for n in range(2))
    one = Sample("a", Path("a.png"), ImageSize(100, 80), instances=labels)
    copy, _ = apply_steps(one, np.zeros((80, 100, 3), np.uint8), steps, {0: (1, 0, 2)})
    plain, _ = apply_steps(one, np.zeros((80, 100, 3), np.uint8), steps)
    assert copy.instances[0].attributes == {"keypoints": keypoints, "num_keypoints": 2}
    assert copy.instances[1].attributes == plain.instances[1].attributes
