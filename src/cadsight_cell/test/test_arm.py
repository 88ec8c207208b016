"""The arm's kinematics against the manufacturer's published numbers."""

from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

import numpy as np
import pinocchio
import pytest
import yaml
from cadsight_cell.arm import (
    JOINT_NAMES,
    LINK_NAMES,
    UR3E_LIMITS,
    Arm,
    ArmParameters,
    joint_mapping,
    load_calibration,
)
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from hypothesis import given, settings
from hypothesis import strategies as st

# Denavit-Hartenberg parameters that Universal Robots publishes for the UR3e: a, d in metres, alpha in radians.
DENAVIT_HARTENBERG = [
    (0.0, 0.15185, np.pi / 2),
    (-0.24355, 0.0, 0.0),
    (-0.2132, 0.0, 0.0),
    (0.0, 0.13105, np.pi / 2),
    (0.0, 0.08535, -np.pi / 2),
    (0.0, 0.0921, 0.0),
]
BASE_LINK_FROM_BASE = Pose.from_rotvec([0.0, 0.0, np.pi])

angles = st.lists(st.floats(-2 * np.pi, 2 * np.pi), min_size=6, max_size=6)


@pytest.fixture(scope="module")
def arm() -> Arm:
    return Arm()


def published(joints: list[float]) -> Pose:
    pose = BASE_LINK_FROM_BASE
    for theta, (a, d, alpha) in zip(joints, DENAVIT_HARTENBERG, strict=True):
        c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
        link = [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]]
        pose = pose @ Pose.from_matrix(link)
    return pose


@settings(deadline=None)
@given(angles)
def test_the_tool_is_where_the_published_numbers_put_it(joints):
    ours, expected = Arm().forward(joints), published(joints)
    np.testing.assert_allclose(ours.matrix, expected.matrix, atol=2e-9)


def test_stretched_out_the_tool_lies_at_the_sum_of_the_links(arm):
    tool = arm.forward(np.zeros(6))
    np.testing.assert_allclose(tool.translation, [0.24355 + 0.2132, 0.13105 + 0.0921, 0.15185 - 0.08535], atol=1e-9)


def test_the_order_of_a_mapping_does_not_matter(arm):
    joints = dict(zip(JOINT_NAMES, [0.1, -1.2, 1.3, -0.4, 0.5, -0.6], strict=True))
    turned = dict(reversed(joints.items()))
    np.testing.assert_array_equal(arm.forward(turned).matrix, arm.forward(joints).matrix)
    assert joint_mapping(turned) == joints


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        ({**dict.fromkeys(JOINT_NAMES, 0.0), "finger_joint": 0.0}, "'finger_joint' is unknown"),
        (dict.fromkeys(JOINT_NAMES[:5], 0.0), "'wrist_3_joint' has no value"),
        ([0.0] * 5, r"shape \(5,\) came, expected 6 values"),
    ],
)
def test_joints_that_do_not_fit_are_refused_by_name(arm, joints, words):
    with pytest.raises(CadsightError, match=words):
        arm.forward(joints)


@pytest.mark.parametrize(
    ("index", "value", "words"),
    [
        (0, 6.3, r"shoulder_pan_joint at 361.0 degrees, expected -360 to 360 degrees"),
        (2, -3.2, r"elbow_joint at -183.3 degrees, expected -180 to 180 degrees"),
        (4, np.nan, r"wrist_2_joint at nan degrees"),
        (5, np.inf, r"wrist_3_joint at inf degrees, expected a finite angle"),
    ],
)
def test_a_joint_past_its_limit_is_named_with_value_and_limits(index, value, words):
    joints = np.zeros(6)
    joints[index] = value
    with pytest.raises(CadsightError, match="the goal has " + words):
        UR3E_LIMITS.check(joints, "the goal")


def test_wrist_3_turns_without_end():
    UR3E_LIMITS.check([0, 0, 0, 0, 0, 20.0], "the goal")


def calibration_file(folder: Path, **changes: dict[str, float]) -> Path:
    """A file as ur_calibration writes it; turns near pi in all three angles are next to none, and come so."""
    kinematics = {
        "shoulder": [0, 0, 0.1519720094, 0, 0, -4.075256e-05],
        "upper_arm": [-0.00017417242, 0, 0, 1.571184458807471, 0, -3.780630e-05],
        "forearm": [-0.2434794139874107, 0, 0, 3.140880702024851, -3.1397251889124, -3.141567687120497],
        "wrist_1": [-0.2132902672678847, -0.00055, 0.1306, 0.004257494186500489, 0.000497233162916, 8.1e-06],
        "wrist_2": [4.1e-05, -0.0853, 0.00012, 1.5694, 0, -2.9e-05],
        "wrist_3": [-2.2e-05, 0.0922, -0.00021, 1.5730, 3.141592653589793, -3.1415],
    }
    named = {link: dict(zip(("x", "y", "z", "roll", "pitch", "yaw"), p, strict=True)) for link, p in kinematics.items()}
    for link, change in changes.items():
        named[link] |= change
    path = folder / "my_ur3e.yaml"
    path.write_text(yaml.safe_dump({"kinematics": {**named, "hash": "calib_1"}}))
    return path


def test_a_calibrated_arm_is_the_one_that_its_urdf_would_describe(tmp_path):
    """ur_description puts the file's numbers into the origins of the joints; pinocchio reads such a URDF."""
    path = calibration_file(tmp_path)
    robot = ElementTree.fromstring(Arm().description())
    joints = {j.get("name"): j for j in robot.findall("joint")}
    links = ("shoulder", "upper_arm", "forearm", "wrist_1", "wrist_2", "wrist_3")
    for joint, link in zip(JOINT_NAMES, links, strict=True):
        pose, origin = yaml.safe_load(path.read_text())["kinematics"][link], joints[joint].find("origin")
        origin.set("xyz", " ".join(repr(float(pose[k])) for k in "xyz"))
        origin.set("rpy", " ".join(repr(float(pose[k])) for k in ("roll", "pitch", "yaw")))
    model = pinocchio.buildModelFromXML(ElementTree.tostring(robot, encoding="unicode"))
    data, tool = model.createData(), model.getFrameId("tool0")
    calibrated = Arm(load_calibration(path))
    rng = np.random.default_rng(0)
    for _ in range(20):
        angles = rng.uniform(-np.pi, np.pi, 6)
        pinocchio.framesForwardKinematics(model, data, angles)
        np.testing.assert_allclose(calibrated.forward(angles).matrix, data.oMf[tool].homogeneous, atol=1e-12)
    assert 1e-4 < np.linalg.norm(calibrated.forward(angles).translation - Arm().forward(angles).translation) < 0.01


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"forearm": {"x": -0.42514603197}}, r"has elbow_joint 182 mm and 0.\d degrees from a UR3e's, expected"),
        ({"wrist_2": {"roll": -1.57}}, r"has wrist_2_joint 0 mm and 1\d\d.\d degrees from a UR3e's"),
        ({"wrist_1": {"z": float("nan")}}, "has wrist_1_joint nan mm"),
        ({"wrist_3": {"yaw": "a turn"}}, "has no usable .*a turn.*, expected kinematics: with x, y, z, roll"),
    ],
)
def test_a_calibration_of_another_arm_is_refused(tmp_path, changes, words):
    with pytest.raises(CadsightError, match=words):
        load_calibration(calibration_file(tmp_path, **changes))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        *((text, "has no usable") for text in ("", "kinematics:", "kinematics: {shoulder: {x: 0}}", "- 1", "a: 3")),
        ("a: [", "is not YAML: while parsing"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused_by_name(tmp_path, content, words):
    path = tmp_path / "my_ur3e.yaml"
    path.write_text(content)
    with pytest.raises(CadsightError, match=rf"the arm's calibration .*my_ur3e.yaml {words}"):
        load_calibration(path)
    with pytest.raises(CadsightError, match=r"calibration .*nowhere.yaml could not be read: No such file"):
        ArmParameters(calibration_file=str(tmp_path / "nowhere.yaml")).arm()


def test_the_description_names_meshes_that_are_there(arm):
    meshes = [m.get("filename") for m in ElementTree.fromstring(arm.description()).iter("mesh")]
    assert len(meshes) >= 7
    assert all(Path(unquote(urlparse(mesh).path)).is_file() for mesh in meshes)


def test_every_link_has_a_pose_and_the_last_is_the_tool(arm):
    joints = [0.3, -1.1, 1.4, -0.7, 0.9, 2.0]
    links = arm.links(joints)
    assert tuple(links) == LINK_NAMES
    np.testing.assert_array_equal(links["tool0"].matrix, arm.forward(joints).matrix)
    np.testing.assert_allclose(links["shoulder_link"].translation, [0, 0, 0.15185])
