import numpy as np
import pytest
from builtin_interfaces.msg import Time
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.sample import Instance
from cadsight_ros.convert import messages
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, JointState
from std_msgs.msg import Header

CAMERA = Camera(ImageSize(640, 480), 600.0, 610.0, 320.5, 239.5, (0.1, -0.2, 0.001, 0.002, 0.05), "optical")
STAMP = Time(sec=12, nanosec=345_678_901)
CLASSES = ("bracket", "plate")


@pytest.mark.parametrize(("sec", "nanosec"), [(0, 0), (12, 345_678_901), (1_795_000_000, 999_999_999), (-1, 5)])
def test_a_stamp_goes_to_nanoseconds_and_back(sec, nanosec):
    stamp = Time(sec=sec, nanosec=nanosec)
    assert messages.stamp_ns(stamp) == sec * 10**9 + nanosec
    assert messages.stamp_from_ns(messages.stamp_ns(stamp)) == stamp


def test_the_stamp_of_serialised_bytes_is_read_without_the_rest():
    info = messages.camera_to_info(CAMERA, STAMP)
    assert messages.serialized_stamp_ns(serialize_message(info)) == 12_345_678_901
    big_endian = bytes([0, 0, 0, 0, 0, 0, 0, 12, *(345_678_901).to_bytes(4, "big")])
    assert messages.serialized_stamp_ns(big_endian) == 12_345_678_901
    with pytest.raises(CadsightError, match="11 bytes"):
        messages.serialized_stamp_ns(bytes(11))


@pytest.mark.parametrize("camera", [CAMERA, Camera(ImageSize(64, 48), 60.0, 60.0, 31.5, 23.5, (), "optical")])
def test_a_camera_survives_its_camera_info(camera):
    info = messages.camera_to_info(camera, STAMP)
    assert messages.camera_from_info(info, camera.size) == camera
    assert info.p[0] == camera.fx
    assert info.p[6] == camera.cy
    assert info.header.stamp == STAMP


def changed(**fields) -> CameraInfo:
    info = messages.camera_to_info(CAMERA, STAMP)
    for name, value in fields.items():
        setattr(info, name, value)
    return info


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (changed(width=1280, height=720), "for 1280 x 720 pixels, expected its image's 640 x 480"),
        (changed(k=[0.0] * 9), "expected positive focal lengths"),
        (changed(k=[600.0, 0, 900.0, 0, 600.0, 240.0, 0, 0, 1.0]), "a centre inside 640 x 480"),
        (changed(k=[600.0, 5.0, 320.0, 0, 600.0, 240.0, 0, 0, 1.0]), "no skew"),
        (changed(k=[np.nan, 0, 320.0, 0, 600.0, 240.0, 0, 0, 1.0]), "expected positive focal lengths"),
        (changed(distortion_model="equidistant"), "expected plumb_bob"),
        (changed(d=[np.inf, 0.0, 0.0, 0.0, 0.0]), "expected plumb_bob"),
        (changed(d=[0.1] * 8), "8 distortion coefficients"),
    ],
)
def test_a_camera_info_that_does_not_fit_is_refused(info, sentence):
    with pytest.raises(CadsightError) as refused:
        messages.camera_from_info(info, CAMERA.size)
    assert sentence in str(refused.value)
    assert "optical" in str(refused.value)


def test_no_distortion_in_another_model_is_no_distortion():
    assert messages.camera_from_info(changed(distortion_model="equidistant", d=[0.0] * 4)).distortion == ()


def test_a_transform_goes_there_and_back():
    pose = Pose.from_rotvec([0.1, -0.4, 0.9], [1.0, 2.0, -3.0])
    message = messages.transform_to_message(pose, STAMP, "base_link", "camera_link")
    assert (message.header.frame_id, message.child_frame_id) == ("base_link", "camera_link")
    assert messages.transform_from_message(message).matrix == pytest.approx(pose.matrix)


def test_a_quarter_turn_about_z_has_the_quaternion_of_the_books():
    message = messages.pose_to_message(Pose.from_rotvec([0, 0, np.pi / 2]))
    q = message.orientation
    assert (q.x, q.y, q.z, q.w) == pytest.approx((0, 0, np.sqrt(0.5), np.sqrt(0.5)))


@pytest.mark.parametrize(("w", "x"), [(0.0, 0.0), (1.0, np.nan), (2.0, 0.0)])
def test_a_transform_that_is_no_rotation_is_refused(w, x):
    message = TransformStamped(child_frame_id="camera_link")
    message.header.frame_id = "base_link"
    message.transform.rotation.w, message.transform.translation.x = w, x
    with pytest.raises(CadsightError, match=r"from 'camera_link' to 'base_link'.*expected finite numbers"):
        messages.transform_from_message(message)


def test_joints_are_taken_by_name_not_by_place():
    state = JointState(name=["elbow", "pan", "gripper"], position=[0.5, -1.0, 0.04])
    assert messages.joints_by_name(state, ["pan", "elbow"]).tolist() == [-1.0, 0.5]
    assert messages.joint_positions(state) == {"elbow": 0.5, "pan": -1.0, "gripper": 0.04}


@pytest.mark.parametrize(
    ("names", "positions", "sentence"),
    [
        (["pan"], [0.0], "lacks elbow, it has pan"),
        (["pan", "elbow"], [0.0], "1 positions for 2 names"),
        (["pan", "elbow"], [0.0, np.nan], "the joint elbow is at nan"),
        ([], [], "it has no joint"),
    ],
)
def test_joints_that_are_not_there_are_named(names, positions, sentence):
    with pytest.raises(CadsightError, match=sentence):
        messages.joints_by_name(JointState(name=names, position=positions), ["pan", "elbow"])


INSTANCES = (
    Instance(1, Box(10.0, 20.0, 30.0, 60.0), score=0.75, source="model", normal=np.array([0.0, 0.6, -0.8])),
    Instance(0, Box(0.0, 0.0, 5.0, 5.0), score=0.5, source="model"),
)


def test_detections_carry_the_header_and_centre_and_size():
    header = Header(stamp=STAMP, frame_id="optical")
    message = messages.detections_to_message(INSTANCES, header, CLASSES)
    first = message.detections[0]
    assert message.header == first.header == header
    assert (first.bbox.center.position.x, first.bbox.center.position.y) == (20.0, 40.0)
    assert (first.bbox.size_x, first.bbox.size_y) == (20.0, 40.0)
    assert (first.results[0].hypothesis.class_id, first.results[0].hypothesis.score) == ("plate", 0.75)
    assert [d.id for d in message.detections] == ["0", "1"]


def test_normals_go_with_the_detection_of_the_same_id():
    covariance = np.arange(9.0).reshape(3, 3)
    message = messages.normals_to_message(INSTANCES, Header(frame_id="optical"), CLASSES, [covariance, None])
    (normal,) = message.normals
    assert (normal.id, normal.class_id, normal.score) == ("0", "plate", 0.75)
    assert (normal.normal.x, normal.normal.y, normal.normal.z) == (0.0, 0.6, -0.8)
    assert normal.covariance.tolist() == list(range(9))
