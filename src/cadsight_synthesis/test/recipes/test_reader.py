"""Recipes are read strictly, and a scene is a function of recipe, seed and number."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.parts.mesh import load_mesh
from cadsight_core.sample import Instance, Sample
from cadsight_synthesis.assets.shape import shape_of
from cadsight_synthesis.recipes.base import SceneRecipe
from cadsight_synthesis.recipes.kinds import KINDS
from cadsight_synthesis.recipes.reader import read_recipe, scene_of

CONFIG = Path(__file__).parents[4] / "config"
BRACKET = CONFIG / "parts/bracket.yaml"
SCENES = ("box", "randomised", "views", "weather")


def recipe(tmp_path, text, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(text.replace("PART", str(BRACKET)))
    return read_recipe(path)


def flat(scene):
    """All numbers of a scene."""
    return [
        (b.name, b.mesh, b.material, b.class_id, b.world_from_body.matrix.tolist()) for b in scene.bodies
    ] + [(v.camera, v.world_from_camera.matrix.tolist(), v.backdrop) for v in scene.views] + [
        scene.lamps, scene.environment, scene.seed
    ]  # fmt: skip


@pytest.mark.parametrize("kind", SCENES)
def test_a_shipped_recipe_gives_the_same_scene_again_and_another_one_for_another_number_or_seed(kind):
    read = read_recipe(CONFIG / "recipes" / f"{kind}.yaml")
    assert isinstance(read, SceneRecipe)
    assert read.name == kind
    assert read.classes == ("bracket",)
    first = scene_of(read, 3)
    assert len(first.views) == read.views_per_scene
    assert flat(first) == flat(scene_of(read_recipe(CONFIG / "recipes" / f"{kind}.yaml"), 3))
    assert flat(first) != flat(scene_of(read, 4))
    assert flat(first) != flat(scene_of(replace(read, seed=1), 3))
    assert first.record == {"recipe": kind, "kind": kind, "seed": 0, "scene": 3}


def test_every_kind_has_a_shipped_recipe_of_its_kind():
    assert {p.stem for p in (CONFIG / "recipes").glob("*.yaml")} == set(KINDS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: cube\nparts: [PART]\n", "line 1, kind is 'cube', expected one of box, composed, randomised, views"),
        ("parts: [PART]\n", "kind is None, expected one of"),
        ("kind: views\nparts: [PART]\nstep: 3\n", "line 3 has the unknown key 'step'"),
        ("kind: views\nparts: []\n", "line 1: the recipe names no parts"),
        ("kind: views\nparts: [none.yaml]\n", "line 2, parts[0]: the part"),
        ("kind: views\nparts:\n- PART\n- PART\n", "two of the parts have the name 'bracket'"),
        ("kind: views\nparts: [PART]\nfill: [0.8, 0.5]\n", "line 3, fill: parameter fill goes from 0.8 to 0.5"),
        ("kind: views\nparts: [PART]\nsweep:\n  azimuth_step: 0\n", "line 4, sweep.azimuth_step: parameter azimuth_st"),
        ("kind: box\nparts: [PART]\ncount: [1, 2.5]\n", "line 3, count: parameter count is (1, 2.5)"),
        ("kind: randomised\nparts: [PART]\nlooks: []\n", "the pool looks is empty"),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- weight: 0\n- weight: 0\n",
            "line 3, looks: the pool is empty, for all its weights are 0",
        ),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- source: empty\n",
            "line 4, looks[0]: the pool",
        ),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- source: nowhere\n",
            "nowhere does not exist, expected a folder or a file of textures",
        ),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- source: built-in:photographs\n",
            "no built-in pool 'photographs' of textures, expected built-in:textures",
        ),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- source: text.png\n",
            "text.png could not be read: it is truncated or in no known format",
        ),
        (
            "kind: randomised\nparts: [PART]\nlooks:\n- source: half.png\n",
            "half.png could not be read",
        ),
        (
            "kind: views\nparts: [PART]\nbackground:\n  photographs:\n  - source: small.png\n",
            "line 5, background.photographs[0]: the background",
        ),
        (
            "kind: randomised\nparts: [PART]\nenvironment:\n  images:\n  - source: text.exr\n",
            "text.exr is no image, expected OpenEXR or Radiance HDR",
        ),
        ('kind: views\nparts: ["a\\0.yaml"]\n', "is that of no file"),
        ("kind: {a: 1}\nparts: [PART]\n", "kind is {'a': 1}, expected one of box"),
        ("kind: views\nparts: [PART]\n? {a: 1}\n: 2\n", "line 3 has the unknown key {'a': 1}, expected one of"),
        (f"kind: composed\nsource: {'a' * 300}\nbackground: text.png\n", "does not exist, expected a file or folder"),
        (
            f"kind: randomised\nparts: [PART]\nbackground:\n  photographs:\n  - source: {'a' * 300}\n",
            "does not exist, expected a folder or a file",
        ),
        (
            "kind: randomised\nparts: [PART]\ndistractors:\n  meshes:\n  - source: no_triangles.obj\n",
            "line 5, distractors.meshes[0]: the mesh",
        ),
    ],
)
def test_a_recipe_that_is_wrong_is_refused_with_the_line_at_fault(tmp_path, text, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "text.exr").write_text("no image")
    (tmp_path / "no_triangles.obj").write_text("v 0 0 0\n")
    whole = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))[1].tobytes()
    (tmp_path / "small.png").write_bytes(whole)
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CadsightError) as caught:
        recipe(tmp_path, text)
    assert words in str(caught.value)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_background_that_is_too_small_is_told_with_both_sizes(tmp_path):
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((200, 640, 3), np.uint8))
    with pytest.raises(CadsightError, match=r"small\.png is 640 x 200 pixels, expected at least the image's 640 x 48"):
        recipe(tmp_path, "kind: views\nparts: [PART]\nbackground:\n  photographs:\n  - source: small.png\n")


def test_weights_decide_how_often_a_pool_is_chosen(tmp_path):
    for name in ("often", "seldom", "never"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.zeros((64, 64, 3), np.uint8))
    pools = "".join(f"  - {{source: {n}, weight: {w}}}\n" for n, w in (("often", 3), ("seldom", 1), ("never", 0)))
    read = recipe(
        tmp_path,
        "kind: randomised\nparts: [PART]\nimage: {width: 64, height: 48}\ndistractors: {count: [0, 0]}\n"
        "environment: {images: []}\nbackground:\n  photographs:\n" + pools,
    )
    chosen = [scene_of(read, i).views[0].backdrop.parent.name for i in range(400)]
    assert chosen.count("never") == 0
    # 300 expected of 400 with a standard deviation of 8.7.
    assert 265 < chosen.count("often") < 335


def test_the_sweep_shows_every_view_once_before_it_begins_again(tmp_path):
    sweep = "sweep: {azimuth_step: 90, elevation: [-40, 40], elevation_step: 40, tilt: [-15, 15], tilt_step: 15}\n"
    read = recipe(tmp_path, "kind: views\nparts: [PART]\nviews_per_scene: 4\n" + sweep)
    assert read.images == 4 * 3 * 3
    seen = [v for n in range(18) for v in scene_of(read, n).views]
    positions = np.array([v.world_from_camera.translation for v in seen])
    azimuth = np.round(np.degrees(np.arctan2(positions[:, 1], positions[:, 0]))) % 360
    elevation = np.round(np.degrees(np.arcsin(positions[:, 2] / np.linalg.norm(positions, axis=1))))
    # The tilt is the angle between the image's right and the horizon.
    tilt = np.round([np.degrees(np.arcsin(-v.world_from_camera.rotation[2, 0] / np.cos(np.radians(e))))
                     for v, e in zip(seen, elevation, strict=True)])  # fmt: skip
    first = set(zip(azimuth[:36], elevation[:36], tilt[:36], strict=True))
    assert len(first) == 36
    assert first == set(zip(azimuth[36:], elevation[36:], tilt[36:], strict=True))
    assert {a for a, _, _ in first} == {0, 90, 180, 270}
    assert {e for _, e, _ in first} == {-40, 0, 40}
    assert len({t for _, _, t in first}) == 3


def test_the_parts_of_a_sweep_take_turns(tmp_path):
    shutil.copytree(CONFIG / "parts", tmp_path / "parts")
    text = (tmp_path / "parts/bracket.yaml").read_text()
    (tmp_path / "parts/other.yaml").write_text(text.replace("name: bracket", "name: other").replace("id: 0", "id: 1"))
    read = recipe(tmp_path, "kind: views\nparts: [parts/bracket.yaml, parts/other.yaml]\n")
    assert read.classes == ("bracket", "other")
    assert [scene_of(read, n).bodies[0].class_id for n in range(4)] == [0, 1, 0, 1]


def test_the_sphere_around_a_swept_part_fills_the_fraction_of_the_image_that_is_set(tmp_path):
    read = recipe(tmp_path, "kind: views\nparts: [PART]\nfill: [0.8, 0.8]\n")
    view = scene_of(read, 0).views[0]
    radius = shape_of(read.parts[0]).radius
    away = float(np.linalg.norm(view.world_from_camera.translation))
    # The sphere's outline lies at the angle asin(r / d) from the axis: 0.8 * 480 / 2 pixels from the middle.
    assert view.camera.fx * np.tan(np.arcsin(radius / away)) == pytest.approx(192.0)


def test_a_randomised_part_lies_no_farther_outside_than_the_filter_allows(tmp_path):
    read = recipe(
        tmp_path,
        "kind: randomised\nparts: [PART]\nshell: {aside: 1.0}\nplacement: {most_outside: 0.1}\n"
        "environment: {images: []}\nbackground: {photographs: []}\ndistractors: {count: [0, 0]}\n",
    )
    mesh = shape_of(read.parts[0]).mesh
    for number in range(30):
        scene = scene_of(read, number)
        view, body = scene.views[0], scene.bodies[0]
        pixels = view.camera.project((view.world_from_camera.inverse() @ body.world_from_body).apply(mesh.vertices))
        low, high = pixels.min(axis=0) + 0.5, pixels.max(axis=0) + 0.5
        inside = np.clip(np.minimum(high, (640, 480)) - np.maximum(low, 0), 0, None).prod()
        assert inside >= 0.9 * (high - low).prod() - 1e-6


def test_a_part_that_never_falls_into_view_is_named_after_a_bounded_number_of_tries(tmp_path):
    read = recipe(
        tmp_path,
        "kind: randomised\nparts: [PART]\ntries: 7\nshell: {distance: [0.6, 0.6]}\nplacement: {most_outside: 0.0}\n"
        "image: {field_of_view_deg: [5, 5]}\n",
    )
    with pytest.raises(CadsightError, match=r"the part bracket never falls into view: .* in 7 of 7 tries"):
        scene_of(read, 0)


def test_distractors_stand_clear_of_the_part_and_of_the_camera(tmp_path):
    read = recipe(tmp_path, "kind: randomised\nparts: [PART]\ndistractors: {count: [3, 3], gap: [0.0, 0.0]}\n")
    reach = shape_of(read.parts[0]).radius
    seen = 0
    for number in range(10):
        scene = scene_of(read, number)
        for body in scene.bodies[1:]:
            assert body.class_id is None
            corners = body.world_from_body.apply(load_mesh(body.mesh, "m").vertices)
            assert np.linalg.norm(corners, axis=1).min() > reach - 1e-6
            assert np.linalg.norm(corners - scene.views[0].world_from_camera.translation, axis=1).min() > 0
            seen += 1
    assert seen > 20


def test_the_weather_of_an_image_is_its_own_and_the_same_again():
    read = read_recipe(CONFIG / "recipes/weather.yaml")
    read = replace(read, weather=replace(read.weather, snow=1.0, rain=0.0, max_occluders=0))
    mask = np.zeros((48, 64), bool)
    mask[10:30, 20:40] = True
    plain = np.full((48, 64, 3), 120, np.uint8)
    sample = Sample("p", Path(), ImageSize(64, 48), instances=(Instance(0, Box(20, 10, 40, 30), mask, source="human"),))
    drawn = [read.finished(sample, plain, number) for number in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])
    assert (drawn[0][1] != drawn[2][1]).any()
    assert (drawn[0][1] != plain).any()
    assert drawn[0][0].instances[0].box == Box(20, 10, 40, 30)
    assert drawn[0][0].record["weather"]["snow"] >= read.weather.min_strength
    other = replace(read, seed=1).finished(sample, plain, 0)[1]
    assert (other != drawn[0][1]).any()


def test_other_recipes_leave_their_images_as_they_were_drawn():
    read = read_recipe(CONFIG / "recipes/views.yaml")
    plain = np.full((48, 64, 3), 120, np.uint8)
    sample = Sample("p", Path(), ImageSize(64, 48))
    finished, image = read.finished(sample, plain, 0)
    assert finished is sample
    assert image is plain
