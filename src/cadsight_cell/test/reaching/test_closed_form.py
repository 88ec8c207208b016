import numpy as np
from cadsight_cell.arm import Arm
from cadsight_cell.reaching.closed_form import nominal_joints
from cadsight_core.geometry import Pose
from hypothesis import given, settings
from hypothesis import strategies as st

ARM = Arm()
ANGLES = st.tuples(*[st.floats(-np.pi, np.pi)] * 6)


def apart(a: Pose, b: Pose) -> float:
    error = a.inverse() @ b
    return float(max(np.abs(error.translation).max(), np.abs(error.rotvec).max()))


@settings(max_examples=200, deadline=None)
@given(ANGLES)
def test_every_solution_brings_the_tool_to_the_pose_and_the_joints_are_among_them(joints):
    pose = ARM.forward(np.array(joints))
    found = list(nominal_joints(pose.matrix))
    assert all(apart(pose, ARM.forward(one)) < 1e-6 for one in found if abs(np.sin(one[4])) > 1e-4)
    # Near a singular pose the same pose has joints that are far away.
    if abs(np.sin(joints[4])) > 1e-2 and abs(np.sin(joints[2])) > 1e-2:
        differences = [np.abs(np.angle(np.exp(1j * (one - joints)))).max() for one in found]
        assert min(differences) < 1e-3


def test_an_ordinary_pose_has_eight_solutions():
    home = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
    assert len(list(nominal_joints(ARM.forward(home).matrix))) == 8


def test_a_pose_out_of_reach_has_none():
    assert list(nominal_joints(Pose.from_rotvec([0.0, 0.0, 0.0], [0.9, 0.0, 0.2]).matrix)) == []
