import numpy as np
import pytest
from cadsight_capture.labels.kinematic import KinematicLabel, camera_from_part_by_joints, label_by_kinematics
from cadsight_capture.labels.refusal import Refusal
from cadsight_core.camera import Camera
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from drawn import BASE_FROM_CAMERA

FACING = Pose(np.diag([1.0, -1.0, -1.0]), np.array([0.1, -0.05, 0.5]))


def test_the_pose_goes_through_base_and_tool():
    base_from_tool = Pose(np.eye(3), np.array([0.2, 0.1, 0.3]))
    tool_from_part = Pose(np.eye(3), np.array([0.0, 0.0, 0.05]))
    pose = camera_from_part_by_joints(BASE_FROM_CAMERA, base_from_tool, tool_from_part)
    # The camera is at z = 1 and looks down; its y axis points along the base's -y.
    np.testing.assert_allclose(pose.translation, (0.2, -0.1, 0.65), atol=1e-12)
    np.testing.assert_allclose(pose.rotate((0.0, 0.0, 1.0)), (0.0, 0.0, -1.0), atol=1e-12)


def test_point_normal_and_box_of_a_plate_that_faces_the_camera(part: Part, mesh: Mesh, camera: Camera):
    label = label_by_kinematics(part, mesh, camera, FACING)
    assert isinstance(label, KinematicLabel)
    np.testing.assert_allclose(label.normal, (0.0, 0.0, -1.0), atol=1e-12)
    # The point of interest, 5 mm towards the camera, lies at a depth of 495 mm: 319.5 + 600 * 0.1 / 0.495.
    np.testing.assert_allclose(label.point, (440.712, 178.894), atol=1e-3)
    # The plate's lower face, at a depth of 505 mm, is outermost left and below, the foot's top, at 465 mm, elsewhere.
    expected = (
        319.5 + 600 * 0.06 / 0.505,
        239.5 + 600 * -0.075 / 0.465,
        319.5 + 600 * 0.14 / 0.465,
        239.5 + 600 * -0.025 / 0.505,
    )
    np.testing.assert_allclose(label.box.as_tuple(), np.add(expected, 0.5), atol=0.6)
    assert label.instance(3).source == "kinematic"
    assert label.instance(3).class_id == 3


@pytest.mark.parametrize(
    ("translation", "kind"),
    [
        ((0.0, 0.0, -0.5), "kinematic_behind"),
        ((0.28, 0.0, 0.5), "kinematic_border"),
        ((0.0, 0.0, 0.0), "kinematic_behind"),
    ],
    ids=["behind", "half outside", "around the camera"],
)
def test_a_part_that_is_not_wholly_in_view_is_refused(part, mesh, camera, translation, kind):
    refusal = label_by_kinematics(part, mesh, camera, Pose(np.eye(3), np.array(translation)))
    assert isinstance(refusal, Refusal)
    assert refusal.kind == kind


def test_the_normal_turns_with_the_part(part: Part, mesh: Mesh, camera: Camera):
    tilted = FACING @ Pose.from_rotvec((np.radians(20), 0.0, 0.0))
    label = label_by_kinematics(part, mesh, camera, tilted)
    assert isinstance(label, KinematicLabel)
    assert angle_between(label.normal, (0.0, 0.0, -1.0)) == pytest.approx(20.0)
