import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES, Arm
from cadsight_cell.motion.collision import BoxBody, CollisionModel
from cadsight_cell.motion.planner import NoPathError
from cadsight_cell.reaching.joints import Reaching
from cadsight_core.geometry import Pose
from hypothesis import given, settings
from hypothesis import strategies as st

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
TABLE = BoxBody("table", (2.0, 2.0, 0.1), (0.0, 0.0, -0.06))
DOWN = np.diag([1.0, -1.0, -1.0])


def reaching(*bodies: BoxBody) -> Reaching:
    arm = Arm()
    return Reaching(arm, CollisionModel(arm, bodies))


FREE = reaching()


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-0.4, 0.4)] * 6))
def test_the_joints_that_are_found_bring_the_tool_to_the_pose(offset: tuple[float, ...]) -> None:
    pose = Arm().forward(HOME + np.array(offset))
    found = FREE.find(pose, HOME)
    error = pose.inverse() @ Arm().forward(found)
    assert np.abs(error.translation).max() < 2e-5
    assert np.abs(error.rotvec).max() < 2e-5


def test_of_all_ways_the_nearest_is_taken_also_a_whole_turn_away() -> None:
    near = HOME + np.array([0.0, 0.0, 0.0, 0.0, 0.0, 2 * np.pi])
    np.testing.assert_allclose(FREE.find(Arm().forward(HOME), near), near, atol=1e-4)


def test_a_free_turn_is_used_to_stay_near() -> None:
    turned = Arm().forward(HOME) @ Pose.from_rotvec([0.0, 0.0, np.pi / 2])
    free, bound = (np.abs(FREE.find(turned, HOME, free_turn=free) - HOME).max() for free in (True, False))
    assert free == pytest.approx(0.0, abs=1e-3)
    assert bound == pytest.approx(np.pi / 2, abs=1e-3)


def test_an_arm_of_its_own_calibration_is_met_too() -> None:
    joint = JOINT_NAMES[2]
    moved = Arm().joint_frame(joint) @ Pose.from_rotvec([0.0, 0.01, 0.0], [0.002, 0.0, 0.001])
    arm = Arm({joint: moved})
    pose = Arm().forward(HOME)
    found = Reaching(arm, CollisionModel(arm)).find(pose, HOME)
    assert np.abs((pose.inverse() @ arm.forward(found)).translation).max() < 2e-5


@pytest.mark.parametrize(
    ("position", "reason", "sentence"),
    [
        (
            (0.9, 0.0, 0.1),
            "unreachable",
            "the pose at 900, 0, 100 mm in base_link, 906 mm away, is out of the",
        ),
        ((0.33, 0.1, -0.05), "colliding", "and table in each of the"),
        # Behind the arm's own base.
        ((0.0, 0.0, 0.1), "unreachable|colliding", "the pose at 0, 0, 100 mm"),
    ],
)
def test_a_goal_out_of_reach_or_inside_a_body_is_refused_with_a_sentence(position, reason, sentence) -> None:
    with pytest.raises(NoPathError, match=sentence) as refused:
        reaching(TABLE).find(Pose(DOWN, np.array(position)), HOME, free_turn=True)
    assert refused.value.reason in reason.split("|")
