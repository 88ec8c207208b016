"""Labels of rendered scenes against values found by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part
from cadsight_synthesis.rendering.labels import LabelParameters, labelled
from cadsight_synthesis.rendering.raster.engine import RasterEngine
from cadsight_synthesis.rendering.scene import Body, Environment, Scene, View
from hand_made import CAMERA, box_ply

# The point of interest is the middle of the face that looks at the camera, whose outward normal is -z there.
BOX = Part(
    name="box", class_id=2, mesh="box.ply", unit="m", point_of_interest=(0.0, 0.0, -0.02), axis_of_interest=(0, 0, -1)
)


@pytest.fixture(scope="module")
def engine():  # type: ignore[no-untyped-def]
    made = RasterEngine()
    yield made
    made.close()


def at(x: float, y: float, z: float) -> Pose:
    return Pose(np.eye(3), np.array([x, y, z]))


def sample_of(engine, tmp_path, *others, position=(0.012, 0.009, 0.52), camera=CAMERA, parameters=None):  # type: ignore[no-untyped-def]
    body = Body("one", box_ply(tmp_path, "box", 0.1, 0.06, 0.04), at(*position), class_id=2)
    scene = Scene((body, *others), (View(camera, Pose.identity()),), (), Environment(1.0), record={"seed": 5})
    rendering = engine.render(scene)[0]
    return labelled(scene, scene.views[0], rendering, {2: BOX}, parameters, name="p", record={"number": 7})


def test_every_label_of_a_box_that_stands_free(engine: RasterEngine, tmp_path: Path) -> None:
    sample = sample_of(engine, tmp_path)
    assert (sample.origin, sample.record, sample.camera) == ("synthetic", {"seed": 5, "number": 7}, CAMERA)
    (label,) = sample.instances
    assert label.source == "render"
    assert label.class_id == 2
    # See test_raster: columns 274 to 393, rows 215 to 286.
    assert label.box.as_tuple() == (274.0, 215.0, 394.0, 287.0)
    assert label.attributes["visible_box"] == [274.0, 215.0, 394.0, 287.0]
    assert label.attributes["full_box"] == pytest.approx([274.0, 215.0, 394.0, 287.0], abs=1)
    assert label.attributes["visible_fraction"] == 1.0
    assert label.attributes["depth_m"] == pytest.approx(0.5, abs=1e-4)
    assert label.attributes["point_depth_m"] == pytest.approx(0.5)
    assert label.attributes["point_visible"] is True
    assert label.attributes["body"] == "one"
    # 319.5 + 600 * 0.012 / 0.5 and 239.5 + 600 * 0.009 / 0.5
    assert label.point == pytest.approx([333.9, 250.3])
    assert label.normal == pytest.approx([0, 0, -1])
    assert label.camera_from_part.translation == pytest.approx([0.012, 0.009, 0.52])


def test_half_hidden_keeps_the_full_box_and_half_of_the_pixels(engine: RasterEngine, tmp_path: Path) -> None:
    # A screen at 0.3 m that covers everything right of x = 333.9, where the box has its middle.
    screen = Body("screen", box_ply(tmp_path, "screen", 0.2, 0.2, 0.001), at(0.1 + 0.3 * 14.4 / 600, 0.0, 0.3005))
    (label,) = sample_of(engine, tmp_path, screen).instances
    assert label.attributes["visible_box"] == [274.0, 215.0, 334.0, 287.0]
    assert label.attributes["full_box"] == pytest.approx([274.0, 215.0, 394.0, 287.0], abs=1)
    assert label.attributes["visible_fraction"] == pytest.approx(0.5, abs=0.01)
    assert label.box.as_tuple() == (274.0, 215.0, 334.0, 287.0)
    whole = sample_of(engine, tmp_path, screen, parameters=LabelParameters(box="full")).instances[0]
    assert whole.box.as_tuple() == pytest.approx((274.0, 215.0, 394.0, 287.0), abs=1)


@pytest.mark.parametrize(("limit", "count"), [(0.4, 1), (0.6, 0)])
def test_what_is_hidden_beyond_the_limit_is_left_out(
    engine: RasterEngine, tmp_path: Path, limit: float, count: int
) -> None:
    screen = Body("screen", box_ply(tmp_path, "screen", 0.2, 0.2, 0.001), at(0.1 + 0.3 * 14.4 / 600, 0.0, 0.3005))
    sample = sample_of(engine, tmp_path, screen, parameters=LabelParameters(min_visible=limit))
    assert len(sample.instances) == count


def test_a_hidden_point_of_interest_is_said_to_be_hidden(engine: RasterEngine, tmp_path: Path) -> None:
    patch = Body("patch", box_ply(tmp_path, "patch", 0.01, 0.01, 0.001), at(0.3 * 14.4 / 600, 0.3 * 10.8 / 600, 0.3005))
    (label,) = sample_of(engine, tmp_path, patch).instances
    assert label.attributes["point_visible"] is False
    assert label.point == pytest.approx([333.9, 250.3])


def test_a_part_that_leaves_the_image_has_its_full_box_outside(engine: RasterEngine, tmp_path: Path) -> None:
    # Front from 319.5 + 600 (0.25 - 0.05) / 0.5 = 559.5 to 679.5; the image ends at 639.5.
    (label,) = sample_of(engine, tmp_path, position=(0.25, 0.0, 0.52)).instances
    assert label.attributes["visible_box"][2] == 640.0
    # The side that is seen lies behind: at 0.54 m its left edge is at 319.5 + 600 * 0.2 / 0.54 = 541.7.
    assert label.attributes["full_box"] == pytest.approx([542.2, 203.5, 680.0, 276.5], abs=1)
    # 98.3 of 137.8 columns: not quite, for the side's are lower.
    assert label.attributes["visible_fraction"] == pytest.approx(97.5 / 137.5, abs=0.02)
    assert LabelParameters().box == "visible"
    full = sample_of(engine, tmp_path, position=(0.25, 0.0, 0.52), parameters=LabelParameters(box="full")).instances[0]
    assert full.box.x1 == 640.0


def test_a_lens_that_folds_back_far_outside_adds_nothing_to_the_full_box(engine: RasterEngine, tmp_path: Path) -> None:
    # r (1 - 0.2 r^2) falls again beyond r = 1.29: the far end at x / z = 3 would be at 319.5 - 600 * 2.4.
    folding = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5, (-0.2, 0.0, 0.0, 0.0))
    long = Body("long", box_ply(tmp_path, "long", 0.9, 0.02, 0.02), at(0.45, 0.0, 0.3), class_id=2)
    scene = Scene((long,), (View(folding, Pose.identity()),), (), Environment(1.0))
    (label,) = labelled(scene, scene.views[0], engine.render(scene)[0], {2: BOX}).instances
    assert label.attributes["visible_box"][2] == 640.0
    assert label.attributes["full_box"][0] == pytest.approx(319.5, abs=1.5)


def test_an_unknown_class_and_another_size_are_refused(engine: RasterEngine, tmp_path: Path) -> None:
    body = Body("one", box_ply(tmp_path, "box", 0.1, 0.06, 0.04), at(0, 0, 0.5), class_id=2)
    scene = Scene((body,), (View(CAMERA, Pose.identity()),), (), Environment(1.0))
    (rendering,) = engine.render(scene)
    with pytest.raises(CadsightError, match="'one' has the class 2"):
        labelled(scene, scene.views[0], rendering, {0: BOX})
    other = replace(scene.views[0], camera=Camera(ImageSize(320, 240), 300.0, 300.0, 159.5, 119.5))
    with pytest.raises(CadsightError, match="the rendering is 640 x 480"):
        labelled(scene, other, rendering, {2: BOX})
