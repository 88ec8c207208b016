from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample, encode_mask
from cadsight_core.shapes import instance_mask
from cadsight_synthesis.image_ops.occlusion import uncovered
from cadsight_synthesis.image_ops.weather import (
    WeatherParameters,
    apply_weather,
    darkened,
    fogged,
    glared,
    occluded,
    rained,
    snowed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = ImageSize(160, 120)
CLEAR = {"rain": 0.0, "snow": 0.0, "fog": 0.0, "darkness": 0.0, "glare": 0.0, "max_occluders": 0}
GREY = np.full((SIZE.height, SIZE.width, 3), 100, np.uint8)


def sample(**changes):
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[40:70, 50:90] = True
    mask[50:60, 60:70] = False
    given_ = {"source": "render", "mask": mask, "normal": np.array([0.6, 0, -0.8]), **changes}
    instance = Instance(0, Box(50, 40, 90, 70), **given_)
    return Sample("a", Path("a.png"), SIZE, instances=(instance,), record={"seed": 3})


def cover(x0, y0, x1, y1):
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize("kind", ["rain", "snow", "fog", "darkness", "glare"])
def test_weather_changes_the_image_and_leaves_the_labels(kind):
    given_ = sample()
    p = WeatherParameters(**{**CLEAR, kind: 1.0})
    copy, pixels = apply_weather(given_, GREY, p, 7)
    assert (pixels.shape, pixels.dtype) == (GREY.shape, np.uint8)
    assert (pixels != GREY).mean() > 0.02
    assert copy.instances[0].to_json() == given_.instances[0].to_json()
    assert set(copy.record["weather"]) == {"seed", kind, "occluders"}
    assert copy.record["seed"] == 3
    assert 0.3 <= copy.record["weather"][kind] <= 1.0


def test_no_weather_is_the_image_itself():
    copy, pixels = apply_weather(sample(), GREY, WeatherParameters(**CLEAR), 1)
    np.testing.assert_array_equal(pixels, GREY)
    assert copy.record["weather"] == {"seed": 1, "occluders": 0}


def test_each_kind_does_what_it_is_called():
    rng = np.random.default_rng
    stripes = np.repeat(np.where(np.arange(160) % 20 < 10, 60, 180).astype(np.uint8)[None], 120, 0)
    image = np.repeat(stripes[..., None], 3, axis=2)
    assert 0.1 < darkened(image, 1.0, rng(0)).mean() / image.mean() < 0.25
    assert fogged(image, 1.0, rng(0)).std() < 0.7 * image.std()
    assert glared(image, 1.0, rng(0)).mean() > image.mean()
    dark = image // 3
    # Drops and flakes are brighter than what was there, and thin: most pixels only lose a little light.
    for falling in (rained, snowed):
        out = falling(dark, 1.0, rng(0)).astype(int) - dark
        assert out.max() > 60
        assert np.median(out) <= 10


def test_heavier_weather_is_told_by_its_strength():
    for effect in (rained, snowed, fogged, darkened):
        light, heavy = (effect(GREY, s, np.random.default_rng(2)).astype(int) - GREY for s in (0.2, 1.0))
        assert np.abs(heavy).mean() > np.abs(light).mean()


def test_rain_falls_mostly_downwards():
    rain = rained(np.full((480, 640, 3), 40, np.uint8), 1.0, np.random.default_rng(4))[..., 0].astype(int)
    down, across = np.abs(np.diff(rain, axis=0)).mean(), np.abs(np.diff(rain, axis=1)).mean()
    assert down < 0.7 * across


def test_the_same_seed_gives_the_same_image_whatever_else_is_switched_on():
    first, pixels = apply_weather(sample(), GREY, WeatherParameters(), 5)
    again, same = apply_weather(sample(), GREY, WeatherParameters(), 5)
    np.testing.assert_array_equal(pixels, same)
    assert first.to_json() == again.to_json()
    only_fog = [apply_weather(sample(), GREY, WeatherParameters(**{**CLEAR, "fog": 1.0}), s)[0] for s in (5, 6)]
    assert only_fog[0].record["weather"]["fog"] != only_fog[1].record["weather"]["fog"]
    both = apply_weather(sample(), GREY, WeatherParameters(**{**CLEAR, "fog": 1.0, "glare": 1.0}), 5)[0]
    assert both.record["weather"]["fog"] == only_fog[0].record["weather"]["fog"]


def test_an_image_has_rain_or_snow_not_both():
    p = WeatherParameters(rain=1.0, snow=1.0)
    entry = apply_weather(sample(), GREY, p, 1)[0].record["weather"]
    assert "rain" in entry
    assert "snow" not in entry


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(-20, 180), st.floats(-20, 140))
def test_an_occluder_covers_just_the_pixels_that_it_changes(seed, x, y):
    # On a colour that no occluder can have by chance in all pixels: each differs, if only by its noise and texture.
    out, hidden = occluded(GREY, (x, y), 0.4, np.random.default_rng(seed))
    changed = (out != GREY).any(axis=-1)
    rim = changed & ~hidden
    assert not (hidden & ~changed).sum() > 0.02 * max(hidden.sum(), 50)
    assert rim.sum() <= 4 * (np.sqrt(hidden.sum()) + 200)
    assert hidden.sum() <= 0.4 * 120 * 0.4 * 120 * 1.7


@settings(max_examples=40)
@given(st.integers(0, 2**31))
def test_occluders_take_from_the_mask_and_the_box_follows(seed):
    p = WeatherParameters(**{**CLEAR, "max_occluders": 5, "max_occluder_size": 0.5, "min_visible": 0.3})
    before = sample().instances[0].mask
    copy, pixels = apply_weather(sample(), GREY, p, seed)
    for instance in copy.instances:
        lost = before & ~instance.mask
        assert not (instance.mask & ~before).any()
        assert instance.mask.sum() >= 0.3 * before.sum()
        assert instance.box == Box.from_mask(instance.mask)
        assert (pixels[lost] != 100).any(axis=-1).sum() >= 0.9 * lost.sum()
        np.testing.assert_array_equal(instance.normal, [0.6, 0, -0.8])


@pytest.mark.parametrize(
    ("covered", "min_visible", "box", "pixels"),
    [
        ((0, 0, 160, 45), 0.2, (50, 45, 90, 70), 1100 - 5 * 40),
        ((60, 50, 70, 60), 0.9, (50, 40, 90, 70), 1100),  # only the hole
        ((0, 0, 160, 65), 0.0, (50, 65, 90, 70), 200),
        ((0, 0, 160, 65), 0.2, None, 0),
        ((0, 0, 160, 120), 0.0, None, 0),
    ],
)
def test_what_is_covered_is_taken_away(covered, min_visible, box, pixels):
    instance = uncovered(sample(attributes={"visible_fraction": 0.8}).instances[0], cover(*covered), min_visible)
    if box is None:
        assert instance is None
    else:
        assert instance.box.as_tuple() == box
        assert instance.mask.sum() == pixels
        assert instance.attributes["visible_fraction"] == round(0.8 * pixels / 1100, 4)


def test_contours_and_codes_lose_what_is_covered_too():
    mask = sample().instances[0].mask
    square = [[50.0, 40.0, 90.0, 40.0, 90.0, 70.0, 50.0, 70.0]]
    for segmentation, shape in ((square, cover(50, 40, 90, 70)), (encode_mask(mask), mask)):
        given_ = sample(mask=None, attributes={"segmentation": segmentation, "point_visible": True, "area": 5})
        instance = uncovered(given_.instances[0], cover(70, 30, 80, 80))
        assert instance.mask is None
        assert "area" not in instance.attributes
        np.testing.assert_array_equal(instance_mask(instance, SIZE), shape & ~cover(70, 30, 80, 80))


def test_a_box_alone_stays_until_it_is_covered():
    instance = Instance(0, Box(50, 40, 90, 70), source="human")
    assert uncovered(instance, cover(50, 40, 80, 70), 0.2) is instance
    assert uncovered(instance, cover(50, 40, 89, 70), 0.2) is None
    assert uncovered(instance, cover(50, 40, 90, 70)) is None


def test_a_point_behind_an_occluder_is_told_as_hidden():
    given_ = sample(point=np.array([55.0, 45.0]), attributes={"point_visible": True}).instances[0]
    assert uncovered(given_, cover(53, 43, 58, 48)).attributes["point_visible"] is False
    assert uncovered(given_, cover(80, 43, 85, 48)).attributes["point_visible"] is True


def test_a_probability_beyond_one_is_refused_by_name():
    with pytest.raises(CadsightError, match=r"parameter rain is 1\.5, expected at least 0 and at most 1"):
        WeatherParameters(rain=1.5)
