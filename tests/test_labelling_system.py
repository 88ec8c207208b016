"""The labelling node as a program of its own: one image on request, every image when live, and bad messages."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import rclpy
from cadsight_cell.arm import JOINT_NAMES, Arm
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.parts.part import load_part, load_part_mesh
from cadsight_core.parts.silhouette import silhouette
from cadsight_ros.clients import spinning
from cadsight_ros.convert.images import to_message
from cadsight_ros.convert.messages import camera_to_info, stamp_from_ns, transform_to_message
from cadsight_ros.convert.qos import DRIVER, RESULTS, STATIC_TRANSFORMS, TRANSFORMS
from cadsight_ros.domains import own_domain
from cell_nodes import PART, Program
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import BoundingBox2D, Detection2DArray

from cadsight_interfaces.srv import LabelImage

JOINTS = dict(zip(JOINT_NAMES, [-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489], strict=True))
CAMERA = Camera(ImageSize(640, 480), 615.0, 615.0, 319.5, 239.5)
# Above the table, looking straight down, the image's right along the base's -y.
BASE_FROM_CAMERA = Pose(np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]), np.array([0.34, 0.0, 0.88]))
BASE_FROM_TOOL = Arm().forward(JOINTS)
CAMERA_FROM_PART = BASE_FROM_CAMERA.inverse() @ BASE_FROM_TOOL @ Pose(np.eye(3), np.array([0.0, 0.0, 0.06]))
STAMP = stamp_from_ns(1_700_000_000_500_000_000)
FRAME = CAMERA.frame


def joint_state(positions: Mapping[str, float]) -> JointState:
    return JointState(header=Header(stamp=STAMP), name=list(positions), position=list(positions.values()))


def box_of(message: BoundingBox2D) -> Box:
    x, y, w, h = message.center.position.x, message.center.position.y, message.size_x, message.size_y
    return Box(x - w / 2, y - h / 2, x + w / 2, y + h / 2)


def image() -> tuple[np.ndarray, Box]:
    mesh = load_part_mesh(load_part(PART["part"]))
    mask = silhouette(mesh, CAMERA_FROM_PART, CAMERA)
    box = Box.from_mask(mask)
    assert box is not None
    return np.where(mask[..., None], (215, 70, 10), (235, 235, 235)).astype(np.uint8), box


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A tester beside a running labelling node; transforms are latched, so the node has them before an image."""
    log = tmp_path_factory.mktemp("labelling") / "labelling.log"
    program = Program("cadsight_capture.labelling_node", log, {**PART, "live": True}, own_domain())
    rclpy.init(args=[], domain_id=own_domain())
    tester = rclpy.create_node("tester")
    static = tester.create_publisher(TFMessage, "/tf_static", STATIC_TRANSFORMS)
    static.publish(TFMessage(transforms=[transform_to_message(BASE_FROM_CAMERA, STAMP, "base_link", FRAME)]))
    try:
        with spinning(tester):
            yield tester
    finally:
        tester.destroy_node()
        rclpy.try_shutdown()
        assert program.end() == 0, log.read_text()
        assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def ask(node) -> Callable[..., LabelImage.Response]:
    client = node.create_client(LabelImage, "/cadsight/labelling/label_image")
    assert client.wait_for_service(60)

    def call(**changes) -> LabelImage.Response:
        request = LabelImage.Request(
            image=to_message(image()[0], Header(stamp=STAMP, frame_id=FRAME)),
            camera_info=camera_to_info(CAMERA, STAMP),
            joint_state=joint_state(JOINTS),
        )
        for name, value in changes.items():
            setattr(request, name, value)
        future = client.call_async(request)
        end = time.monotonic() + 120
        while not future.done():
            assert time.monotonic() < end
            time.sleep(0.01)
        return future.result()

    # The service is there before the node has activated itself.
    end = time.monotonic() + 120
    while "not active" in call().message:
        assert time.monotonic() < end
        time.sleep(0.1)
    return call


def test_an_image_gets_both_labels_and_a_normal(ask):
    response = ask()
    assert response.success, response.message
    assert response.agreement > 0.95
    (colour,), (kinematic,) = response.colour.detections, response.kinematic.detections
    _, box = image()
    assert box_of(kinematic.bbox) == box
    assert box_of(colour.bbox).iou(box) > 0.95
    assert kinematic.results[0].hypothesis.class_id == "bracket"
    assert response.kinematic.header.frame_id == FRAME
    assert response.kinematic.header.stamp == STAMP
    normal = response.normals.normals[0].normal
    assert angle_between((normal.x, normal.y, normal.z), CAMERA_FROM_PART.rotate((0.0, 0.0, 1.0))) < 1e-3


def test_joints_that_do_not_fit_the_image_are_said(ask):
    wrong = JOINTS | {"wrist_1_joint": JOINTS["wrist_1_joint"] + np.radians(2)}
    response = ask(joint_state=joint_state(wrong))
    assert not response.success
    assert "expected at most" in response.message or "expected at least" in response.message


def test_joints_of_a_gripper_do_no_harm(ask):
    more = {"finger_joint": 0.1, **dict(reversed(JOINTS.items()))}
    assert ask(joint_state=joint_state(more)).success


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": Image()}, "encoded as ''"),
        ({"image": Image(width=640, height=480, encoding="rgb8", step=1920)}, "transform|bytes"),
        ({"camera_info": camera_to_info(CAMERA.resized(ImageSize(320, 240)), STAMP)}, "320 x 240"),
        ({"camera_info": CameraInfo(width=640, height=480)}, "calibrated"),
        ({"joint_state": joint_state({"elbow_joint": 1.0})}, "lacks shoulder_pan_joint"),
        ({"joint_state": joint_state(JOINTS | {"elbow_joint": float("nan")})}, "finite"),
    ],
    ids=["empty image", "no bytes", "other camera", "no calibration", "one joint", "no number"],
)
def test_a_bad_message_is_answered_with_a_sentence_and_the_node_lives_on(ask, changes, words):
    response = ask(**changes)
    assert not response.success
    assert any(word in response.message for word in words.split("|")), response.message
    assert ask().success


def test_a_live_image_is_labelled_by_the_transforms_at_its_stamp(node, ask):
    received: list[Detection2DArray] = []
    node.create_subscription(Detection2DArray, "/cadsight/labelling/kinematic", received.append, RESULTS)
    transforms = node.create_publisher(TFMessage, "/tf", TRANSFORMS)
    infos = node.create_publisher(CameraInfo, "/camera/camera/color/camera_info", DRIVER)
    images = node.create_publisher(Image, "/camera/camera/color/image_raw", DRIVER)
    stamp = stamp_from_ns(1_700_000_001_000_000_000)
    around = [stamp_from_ns(1_700_000_000_900_000_000), stamp_from_ns(1_700_000_001_100_000_000)]
    end = time.monotonic() + 120
    while not any(message.header.stamp == stamp and message.detections for message in received):
        assert time.monotonic() < end
        for moment in around:
            tool = transform_to_message(BASE_FROM_TOOL, moment, "base_link", "tool0")
            transforms.publish(TFMessage(transforms=[tool]))
        infos.publish(camera_to_info(CAMERA, stamp))
        images.publish(to_message(image()[0], Header(stamp=stamp, frame_id=FRAME)))
        time.sleep(0.2)
    found = next(m for m in received if m.header.stamp == stamp and m.detections)
    assert box_of(found.detections[0].bbox) == image()[1]


def test_a_part_that_cannot_be_read_ends_the_node_though_nothing_is_sent_to_it(tmp_path):
    log = tmp_path / "labelling.log"
    program = Program("cadsight_capture.labelling_node", log, {"part": str(tmp_path / "no.yaml")}, own_domain())
    try:
        assert program.process.wait(60) == 2, log.read_text()
    finally:
        program.kill()
    errors = [line for line in log.read_text().splitlines() if line.startswith("cadsight: ")]
    assert len(errors) == 1
    assert f"the part {tmp_path / 'no.yaml'} could not be read" in errors[0]
    assert log.read_text().count("could not be read") == 1
    assert "Traceback" not in log.read_text()
