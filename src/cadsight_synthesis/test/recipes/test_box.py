"""Parts in a box, and its twin of a captured session."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.sample import Instance, Sample
from cadsight_synthesis.assets.shape import shape_of
from cadsight_synthesis.recipes.reader import read_recipe, scene_of
from cadsight_synthesis.recipes.scenery.lighting import light_of_table
from cadsight_synthesis.recipes.scenery.session import read_session
from cadsight_synthesis.rendering.colour import to_display

BRACKET = Path(__file__).parents[4] / "config/parts/bracket.yaml"
CAMERA = Camera(ImageSize(320, 240), 310.0, 310.0, 160.0, 118.0)
# Looking down: the image's right is the base's -y, its upper edge the base's +x.
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
BASE_FROM_CAMERA = Pose(DOWN, np.array([0.34, 0.0, 0.88]))
LAMP, AMBIENT, DIRECT = np.array([-0.1, 0.35, 1.5]), 0.3, 0.5


def table_image():
    """(H, W, 3) linear: a white table under a point lamp and even light."""
    v, u = np.mgrid[0:240, 0:320]
    rays = BASE_FROM_CAMERA.rotate(CAMERA.rays(np.column_stack([u.ravel(), v.ravel()])))
    points = BASE_FROM_CAMERA.translation + rays * (-0.88 / rays[:, 2])[:, None]

    def falloff(p):
        away = LAMP - p
        return away[..., 2] / np.linalg.norm(away, axis=-1) ** 3

    direct = DIRECT * falloff(points) / falloff(np.array([0.34, 0.0, 0.0]))
    return np.repeat((AMBIENT + direct).reshape(240, 320, 1), 3, axis=2) * (1.0, 0.9, 0.8)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A session of two images of an orange square that was held 0.3 m above the table."""
    folder = tmp_path_factory.mktemp("cell") / "train"
    folder.mkdir()
    empty = np.round(255 * to_display(table_image())).astype(np.uint8)
    cv2.imwrite(str(folder / "background.png"), empty[..., ::-1])
    record = {"base_from_camera": BASE_FROM_CAMERA.to_json()}
    labelled = Dataset.create(folder / "labelled", ["bracket"])
    for i in range(2):
        mask = np.zeros((240, 320), bool)
        mask[100:140, 140:200] = True
        image = empty.copy()
        white = np.percentile(table_image().reshape(-1, 3), 70, axis=0)
        image[mask] = np.round(255 * to_display(np.array([0.6, 0.2, 0.05]) * white)).astype(np.uint8)
        pose = BASE_FROM_CAMERA.inverse() @ Pose(np.eye(3), np.array([0.34, 0.0, 0.3]))
        instance = Instance(0, Box(140, 100, 200, 140), mask, pose, source="human")
        labelled.append(Sample(f"p{i}", Path(), CAMERA.size, CAMERA, (instance,), record=record), image)
    return folder


def recipe(tmp_path, text, **values):
    path = tmp_path / "mine.yaml"
    path.write_text(f"kind: box\nparts: [{BRACKET}]\n{text}")
    return replace(read_recipe(path), **values)


def test_dropped_parts_lie_between_the_walls_and_in_view(tmp_path):
    read = recipe(tmp_path, "count: [3, 3]\nviews_per_scene: 2\n")
    mesh = shape_of(read.parts[0]).mesh
    for number in range(4):
        scene = scene_of(read, number)
        assert [b.class_id for b in scene.bodies] == [0, 0, 0, None, None]
        assert [b.name for b in scene.bodies[3:]] == ["table", "box"]
        for body in scene.bodies[:3]:
            corners = body.world_from_body.apply(mesh.vertices)
            assert corners[:, 2].min() > -1e-3
            middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
            assert abs(middle[0]) < 0.2
            assert abs(middle[1]) < 0.15
            pixels = [v.camera.project(v.world_from_camera.inverse().apply(corners)) for v in scene.views]
            assert any(((p > 0) & (p < (640, 480))).all(axis=1).mean() > 0.3 for p in pixels)


def test_held_parts_face_the_camera_within_the_tilt_and_stand_above_the_floor(tmp_path):
    read = recipe(tmp_path, "held: {fraction: 1.0, count: [2, 2], tilt_deg: [10, 20], height_m: [0.02, 0.02]}\n")
    mesh = shape_of(read.parts[0]).mesh
    for number in range(6):
        scene = scene_of(read, number)
        assert [b.class_id for b in scene.bodies] == [0, 0, None, None, None]
        for body in scene.bodies[:2]:
            axis = body.world_from_body.rotate(read.parts[0].axis_of_interest)
            assert 10 - 1e-6 < angle_between(axis, [0, 0, 1]) < 20 + 1e-6
            assert body.world_from_body.apply(mesh.vertices)[:, 2].min() >= 0.02 - 1e-9


def test_parts_are_held_as_those_of_the_session_were(tmp_path, session):
    text = f"from_session: {session}\nheld: {{fraction: 1.0, as_captured_deg: 5.0}}\nviews_per_scene: 1\n"
    read = recipe(tmp_path, text)
    captured = read.session.poses[0]
    middle, turns = shape_of(read.parts[0]).middle, []
    for number in range(10):
        part = next(b for b in scene_of(read, number).bodies if b.class_id is not None)
        away = [np.linalg.norm(part.world_from_body.apply(middle) - c.apply(middle)) for c in captured]
        assert min(away) <= 0.02 * np.sqrt(3)
        apart = [np.linalg.norm((c.inverse() @ part.world_from_body).rotvec) for c in captured]
        assert min(apart) <= np.deg2rad(5.0)
        turns.append(min(apart))
    assert np.deg2rad(0.2) < np.ptp(turns)


def test_poses_of_a_session_that_has_none_are_refused(tmp_path):
    read = recipe(tmp_path, "held: {fraction: 1.0, as_captured_deg: 5.0}\n")
    with pytest.raises(CadsightError, match="the poses of the part bracket in a session, expected from_session"):
        scene_of(read, 0)


def test_a_box_without_room_is_given_up_with_the_part_and_the_reason(tmp_path):
    read = recipe(tmp_path, "count: [12, 12]\ntries: 3\nbox: {length_m: 0.03, width_m: 0.03, height_m: 0.01}\n")
    with pytest.raises(CadsightError, match=r"given up after 3 tries: the part bracket came to rest outside the box"):
        scene_of(read, 0)


def test_a_part_that_no_camera_sees_is_given_up_with_its_name(tmp_path):
    read = recipe(tmp_path, "count: [1, 1]\ntries: 3\ncamera: {spread_m: 0, tilt_deg: 0, height_m: 0.02}\n")
    with pytest.raises(CadsightError, match="the part bracket never falls into view"):
        scene_of(read, 0)


def test_a_twin_takes_lens_pose_colour_and_height_from_its_session(tmp_path, session):
    read = recipe(
        tmp_path,
        f"from_session: {session}\ncount: [1, 1]\nimage: {{width: 640, height: 480}}\n"
        "camera: {spread_m: 0, tilt_deg: 0}\nlooks: [{spread: 0.0}]\n",
    )
    scene = scene_of(read, 0)
    view = scene.views[0]
    assert view.camera == CAMERA.resized(ImageSize(640, 480))
    np.testing.assert_allclose(view.world_from_camera.matrix, BASE_FROM_CAMERA.matrix, atol=1e-9)
    # The parts' colour as a fraction of white, on a table that sends 0.9 back.
    np.testing.assert_allclose(scene.bodies[0].material.colour, 0.9 * np.array([0.6, 0.2, 0.05]), atol=0.02)
    shape = shape_of(read.parts[0])
    floor = 0.3 + shape.middle[2] - shape.mesh.extents.min() / 2
    table = next(b for b in scene.bodies if b.name == "table")
    assert table.world_from_body.translation[2] == pytest.approx(floor)
    held = scene_of(replace(read, held=replace(read.held, fraction=1.0)), 0)
    assert next(b for b in held.bodies if b.name == "table").world_from_body.translation[2] == pytest.approx(0.0)


def test_a_twin_s_table_is_as_bright_as_the_session_s(tmp_path, session):
    read = recipe(tmp_path, f"from_session: {session}\nheld: {{fraction: 1.0}}\nlight: {{variation: 0.0}}\n")
    scene = scene_of(read, 0)
    (lamp,) = scene.lamps
    away = np.subtract(lamp.position, lamp.target)
    distance = np.linalg.norm(away)
    # An area lamp of P watts: P / (pi^2 r^2) times the cosine is what a white surface under it shows.
    direct = 0.9 * lamp.energy / (np.pi**2 * distance**2) * away[2] / distance
    total = 0.9 * scene.environment.strength + direct
    assert total == pytest.approx(0.8, abs=0.02)


def test_the_lamp_over_a_table_is_found_from_its_image():
    found = light_of_table(table_image(), CAMERA, BASE_FROM_CAMERA)
    np.testing.assert_allclose(found.middle[:2], [0.34, 0.0], atol=0.01)
    np.testing.assert_allclose(found.ambient + found.direct, 0.8 * np.array([1.0, 0.9, 0.8]), atol=0.01)
    assert found.error < 0.01
    assert angle_between(found.position - found.middle, LAMP - [0.34, 0.0, 0.0]) < 10


def test_a_folder_that_is_no_session_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="is no captured session, expected raw/ or a data set"):
        read_session(str(tmp_path))
    with pytest.raises(CadsightError, match=r"line 3, from_session: .*nowhere is no captured session"):
        recipe(tmp_path, "from_session: nowhere\n")
