"""Each fault is put into an image or its joints; the label must then be dropped, and kept where nothing is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_capture.labels.agreement import Agreement, AgreementParameters, disagreement
from cadsight_capture.labels.kinematic import camera_from_part_by_joints
from cadsight_capture.labels.labelling import ImageLabels, LabellingParameters, label_image
from cadsight_core.box import Box
from cadsight_core.geometry import Pose
from cadsight_core.parts.silhouette import silhouette
from drawn import BASE_FROM_CAMERA, MOUNT, ORANGE, base_from_tool, draw, some_joints

GOOD = Agreement(box_iou=0.98, mask_iou=0.97, centre=0.003, outline_px=0.4, diagonal_px=120.0)


def test_labels_that_agree_are_kept():
    assert disagreement(GOOD) is None


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"box_iou": 0.91}, "disagree_box"),
        ({"mask_iou": 0.87}, "disagree_mask"),
        ({"centre": 0.016}, "disagree_centre"),
        ({"outline_px": 0.9}, "disagree_outline"),
        ({"box_iou": float("nan")}, "disagree_box"),
    ],
)
def test_each_limit_holds_alone(change: dict[str, float], kind: str):
    refusal = disagreement(replace(GOOD, **change))
    assert refusal is not None
    assert refusal.kind == kind


def test_half_a_pixel_is_allowed_however_small_the_part_is():
    small = replace(GOOD, outline_px=0.45, diagonal_px=20.0)
    assert disagreement(small) is None
    assert disagreement(small, AgreementParameters(outline_floor_px=0.3)).kind == "disagree_outline"


class Scene:
    """One image of the drawn part, with joints in the middle of their ranges."""

    def __init__(self, part, mesh, camera, seed: int) -> None:
        self.part, self.mesh, self.camera = part, mesh, camera
        rng = np.random.default_rng(seed)
        while True:
            self.joints = some_joints(rng) | {"x": rng.uniform(-0.08, 0.08), "y": rng.uniform(-0.08, 0.08)}
            self.pose = self.pose_of(self.joints)
            self.mask = silhouette(mesh, self.pose, camera)
            self.box = Box.from_mask(self.mask)
            if self.box is not None and self.box.x0 > 8 and self.box.y0 > 8 and self.box.x1 < 632 and self.box.y1 < 472:
                break
        self.image = draw(mesh, self.pose, camera, seed)

    @staticmethod
    def pose_of(joints) -> Pose:
        return camera_from_part_by_joints(BASE_FROM_CAMERA, base_from_tool(joints), MOUNT)

    def label(self, image=None, pose=None) -> ImageLabels:
        image = self.image if image is None else image
        pose = self.pose if pose is None else pose
        return label_image(image, self.camera, pose, self.part, self.mesh, LabellingParameters())


@pytest.fixture(scope="module", params=range(5))
def scene(request, part, mesh, camera) -> Scene:
    return Scene(part, mesh, camera, request.param)


def test_a_good_image_is_kept(scene: Scene):
    assert scene.label().refusal is None


@pytest.mark.parametrize("joint", ["x", "y"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_part_that_is_three_millimetres_elsewhere_is_dropped(scene: Scene, joint: str, sign: int):
    wrong = scene.joints | {joint: scene.joints[joint] + sign * 0.003}
    assert scene.label(pose=scene.pose_of(wrong)).refusal is not None


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_joint_that_is_two_degrees_off_is_dropped(scene: Scene, axis: int):
    # Every joint of an arm lies some way from the part: here 20 cm below it or beside it.
    pivot = np.array([0.0, 0.2, 0.0]) if axis == 2 else np.array([0.0, 0.0, -0.2])
    turn = Pose.from_rotvec(np.eye(3)[axis] * np.radians(2))
    about_pivot = Pose(turn.rotation, pivot - turn.rotate(pivot))
    assert scene.label(pose=scene.pose @ about_pivot).refusal is not None


def test_the_joints_of_another_image_are_dropped(scene: Scene):
    other = scene.joints | {"x": scene.joints["x"] + 0.02}
    assert scene.label(pose=scene.pose_of(other)).refusal is not None


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("fraction", [0.1, 0.3])
def test_a_part_that_something_hides_is_dropped(scene: Scene, side: str, fraction: float):
    image = scene.image.copy()
    x0, y0, x1, y1 = map(int, scene.box.as_tuple())
    w, h = round((x1 - x0) * fraction), round((y1 - y0) * fraction)
    window = {
        "left": np.s_[y0 - 5 : y1 + 5, x0 - 5 : x0 + w],
        "right": np.s_[y0 - 5 : y1 + 5, x1 - w : x1 + 5],
        "top": np.s_[y0 - 5 : y0 + h, x0 - 5 : x1 + 5],
        "bottom": np.s_[y1 - h : y1 + 5, x0 - 5 : x1 + 5],
    }[side]
    image[window] = (60, 60, 60)
    assert scene.label(image).refusal is not None


def test_a_cable_across_the_part_is_dropped(scene: Scene):
    image = scene.image.copy()
    x0, y0, x1, y1 = map(int, scene.box.as_tuple())
    middle, width = (x0 + x1) // 2, round(0.2 * (x1 - x0))
    image[y0 - 5 : y1 + 5, middle - width // 2 : middle + width // 2] = (40, 40, 40)
    assert scene.label(image).refusal is not None


@pytest.mark.parametrize("where", ["beside", "touching"])
def test_a_larger_thing_of_the_same_colour_is_never_labelled_as_the_part(scene: Scene, where: str):
    image = scene.image.copy()
    x0, y0, x1, y1 = map(int, scene.box.as_tuple())
    if where == "beside":
        column = np.s_[10:200] if x0 > 320 else np.s_[440:630]
        image[10:470, column] = ORANGE
    else:
        image[y0:y1, x1 - 4 : min(x1 + 60, 630)] = ORANGE
    assert scene.label(image).refusal is not None


@pytest.mark.parametrize(("gain", "bias"), [(3.0, 0), (1.0, 190), (0.1, 0)], ids=["burnt out", "washed out", "dark"])
def test_an_image_that_is_exposed_so_badly_is_dropped(scene: Scene, gain: float, bias: int):
    image = (scene.image * gain + bias).clip(0, 255).astype(np.uint8)
    labels = scene.label(image)
    assert labels.refusal is not None or labels.colour.box.iou(scene.box) > 0.95


def test_an_empty_image_is_dropped(scene: Scene):
    assert scene.label(np.full_like(scene.image, 235)).refusal.kind == "colour_nothing"


def test_an_image_of_another_size_than_its_camera_is_dropped(scene: Scene):
    assert scene.label(scene.image[:400]).refusal.kind == "camera_size"
