"""What is built in is there without a download, and what the user names is found."""

import cv2
import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.imaging.images import image_size, read_image
from cadsight_core.parts.mesh import load_mesh
from cadsight_synthesis.assets import built_in, procedural
from cadsight_synthesis.assets.pools import EnvironmentEntry, ImageEntry, MeshEntry, Source, sample_entry
from cadsight_synthesis.recipes.scenery.looks import Look, sample_material
from cadsight_synthesis.recipes.scenery.placing import aimed, distance_that_fills, looking_at, on_sphere
from cadsight_synthesis.recipes.scenery.temperature import of_temperature

CAMERA = Camera(ImageSize(640, 480), 600.0, 600.0, 320.0, 240.0, (0.05, -0.02, 0.0, 0.0, 0.0))


def test_built_in_photographs_cover_a_large_image():
    files = ImageEntry(Source("built-in:photographs")).files()
    assert len(files) >= 16
    assert len(set(files)) == len(files)
    for path in files:
        size = image_size(path)
        assert size.width >= 1280
        assert size.height >= 960


def test_built_in_textures_are_all_different():
    files = Look(Source("built-in:textures")).files()
    assert len(files) >= 24
    assert len({read_image(p).tobytes() for p in files}) == len(files)


def test_built_in_distractors_are_closed_and_take_the_size_that_is_asked():
    entry = MeshEntry(Source("built-in:distractors"))
    assert len(entry.files()) == 12
    for path in entry.files():
        assert load_mesh(path, "m").is_closed
        shape = entry.shape(path, 0.05)
        assert shape.mesh.diameter == pytest.approx(0.05, rel=1e-5)
        assert load_mesh(shape.ply, "m").diameter == pytest.approx(0.05, rel=1e-4)


def test_without_blender_environments_are_made_and_light_mostly_from_above(tmp_path, monkeypatch):
    monkeypatch.setenv("CADSIGHT_ROOT", str(tmp_path))
    monkeypatch.setenv("CADSIGHT_CACHE", str(tmp_path / "cache"))
    built_in.environments.cache_clear()
    try:
        files = EnvironmentEntry(Source("built-in:environments")).source.files((".hdr",), "environments")
    finally:
        built_in.environments.cache_clear()
    assert [p.stem for p in files] == list(procedural.ENVIRONMENTS)
    for path in files:
        radiance = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
        assert radiance.shape == (256, 512, 3)
        assert radiance[:128].mean() > radiance[128:].mean()
        assert radiance.max() > 0.9


def test_a_folder_s_images_are_found_in_its_folders_too_and_nothing_else(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.png", "deep/a.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("no image")
    found = ImageEntry(Source.read(".", tmp_path)).files()
    assert [p.name for p in found] == ["b.png", "a.jpg"]


@pytest.mark.parametrize(
    ("value", "words"), [(3, "the source is 3"), ("", "expected a file, a folder or built-in:NAME"), (None, "is None")]
)
def test_a_source_that_is_no_name_is_refused(tmp_path, value, words):
    with pytest.raises(CadsightError, match=words):
        Source.read(value, tmp_path)


def test_a_look_is_sampled_within_its_ranges_and_keeps_the_hue_of_dark_channels():
    look = Look(colour=(0.6, 0.1, 0.0), spread=0.2, roughness=(0.2, 0.4), metallic=(0.5, 0.5))
    rng = np.random.default_rng(0)
    sampled = [sample_material(rng, [look]) for _ in range(200)]
    colours = np.array([m.colour for m in sampled])
    assert (np.abs(colours - (0.6, 0.1, 0.0)) <= np.array([0.12, 0.02, 0.0]) + 1e-12).all()
    assert colours[:, 0].min() < 0.5 < 0.7 < colours[:, 0].max()
    assert all(0.2 <= m.roughness <= 0.4 and m.metallic == 0.5 for m in sampled)


def test_a_thing_without_a_colour_of_its_own_has_the_part_s_and_white_under_a_texture():
    rng = np.random.default_rng(0)
    assert sample_material(rng, [Look()], (0.2, 0.3, 0.4)).colour == (0.2, 0.3, 0.4)
    textured = sample_material(rng, [Look(Source("built-in:textures"))], (0.2, 0.3, 0.4))
    assert textured.colour == (1.0, 1.0, 1.0)
    assert textured.texture is not None


def test_a_thing_with_colours_of_its_own_keeps_them_where_the_look_says_nothing():
    rng = np.random.default_rng(0)
    plain = sample_material(rng, [Look()], (0.2, 0.3, 0.4), coloured=True)
    assert (plain.colour, plain.painted) == ((1.0, 1.0, 1.0), True)
    for look in (Look(colour=(0.1, 0.2, 0.3)), Look(Source("built-in:textures"))):
        assert not sample_material(rng, [look], (0.2, 0.3, 0.4), coloured=True).painted


def test_an_entry_of_no_weight_is_never_chosen():
    pool = [Look(weight=0.0), Look(weight=2.0), Look(weight=0.0)]
    rng = np.random.default_rng(0)
    assert {id(sample_entry(rng, pool)) for _ in range(50)} == {id(pool[1])}


@pytest.mark.parametrize(
    ("kelvin", "expected"),
    # Mitchell Charity's table of black bodies, CIE 1931 2 degrees, D65: #ff8912 at 2000 K, #fff9fd at 6500 K, #ccdbff
    # at 10000 K, as linear light.
    [(2000, (1.0, 0.251, 0.006)), (6500, (1.0, 0.95, 0.98)), (10000, (0.604, 0.708, 1.0))],
)
def test_a_colour_temperature_is_that_of_a_black_body(kelvin, expected):
    np.testing.assert_allclose(of_temperature(kelvin), expected, atol=0.04)


def test_a_camera_looks_at_its_target_with_up_up():
    pose = looking_at((1.0, 2.0, 3.0), (0.0, 0.0, 0.0))
    assert angle_between(pose.rotation[:, 2], [-1, -2, -3]) < 1e-6
    assert pose.rotation[2, 0] == pytest.approx(0.0)  # the image's right is level
    assert pose.rotation[2, 1] < 0  # and its down points down
    assert np.linalg.det(pose.rotation) == pytest.approx(1.0)


def test_straight_down_the_upper_edge_lies_towards_x():
    pose = looking_at((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    np.testing.assert_allclose(pose.rotation, [[0, -1, 0], [-1, 0, 0], [0, 0, -1]], atol=1e-12)


def test_a_camera_tilted_clockwise_sees_the_world_turned_the_other_way():
    level, tilted = (looking_at((0.0, -1.0, 0.0), (0.0, 0.0, 0.0), t) for t in (0.0, 10.0))
    right = CAMERA.project(tilted.inverse().apply([[0.2, 0.0, 0.0]]))[0]
    assert CAMERA.project(level.inverse().apply([[0.2, 0.0, 0.0]]))[0][1] == pytest.approx(240.0)
    assert right[1] < 240.0  # what was to the right is now higher


@pytest.mark.parametrize("pixel", [(320.0, 240.0), (100.0, 400.0), (600.0, 30.0)])
def test_an_aimed_camera_sees_its_target_at_the_pixel(pixel):
    pose = aimed(looking_at((0.3, -1.0, 0.4), (0.0, 0.0, 0.0), 25.0), CAMERA, pixel)
    np.testing.assert_allclose(CAMERA.project(pose.inverse().apply([[0.0, 0.0, 0.0]]))[0], pixel, atol=1e-6)


def test_directions_on_the_sphere():
    np.testing.assert_allclose(on_sphere(90.0, 0.0), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(on_sphere(0.0, 30.0), [np.sqrt(3) / 2, 0, 0.5], atol=1e-12)


def test_a_sphere_at_the_distance_fills_its_fraction():
    camera = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
    away = distance_that_fills(camera, 0.1, 0.5)
    directions = np.random.default_rng(0).normal(size=(20000, 3))
    points = 0.1 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    pixels = camera.project(Pose(np.eye(3), np.array([0.0, 0.0, away])).apply(points))
    assert np.ptp(pixels[:, 1]) == pytest.approx(240.0, rel=0.01)
