"""Which poses give a useful image."""

import numpy as np
import pytest
from cadsight_capture.views.view import ViewCheck, ViewParameters
from cadsight_cell.arm import UR3E_LIMITS, Arm
from cadsight_cell.motion.collision import BoxBody, CollisionModel, HeldPart
from cadsight_cell.motion.planner import RrtPlanner
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part

# The tool looks up at (0.32, 0, 0.3); the camera looks down on it from 0.88 m, its upper edge towards +x.
HOME = np.array([-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489])
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
BASE_FROM_CAMERA = Pose(DOWN, np.array([0.32, 0.0, 0.88]))
MOUNT = Pose.from_rotvec([0, 0, 0], [0, 0, 0.06])


def turned(pan=0.0, wrist_1=0.0):
    return HOME + np.array([pan, 0, 0, wrist_1, 0, 0])


@pytest.fixture(scope="module")
def check(mesh, camera):
    arm, held = Arm(), HeldPart(mesh, MOUNT)
    table = BoxBody(name="table", size_m=(2.0, 2.0, 0.1), centre_m=(0.0, 0.0, -0.06))
    planner = RrtPlanner(CollisionModel(arm, [table], held), UR3E_LIMITS)
    part = Part(name="plate", mesh="plate.stl", point_of_interest=(0.0, 0.0, 0.005))

    def made(**parameters):
        return ViewCheck(arm, planner, part, held, camera, BASE_FROM_CAMERA, ViewParameters(**parameters))

    return made


@pytest.mark.parametrize(
    ("joints", "reason"),
    [
        (HOME, ""),
        (turned(pan=0.2), ""),
        (turned(pan=1.0), "out_of_view"),
        (turned(wrist_1=0.4), ""),
        # A whole turn of wrist 1 shows the same image, but lies past its limit.
        (turned(wrist_1=-2 * np.pi), "unreachable"),
    ],
)
def test_a_pose_is_refused_in_a_word(check, joints, reason):
    assert check(largest_tilt_deg=90.0)(joints) == reason


def test_a_part_that_looks_away_by_more_than_the_limit_is_refused(check):
    # Wrist 1 tilts the part by its own angle about a level axis; the rays to the part differ by some degrees.
    joints = turned(wrist_1=np.deg2rad(25))
    assert check(largest_tilt_deg=40.0)(joints) == ""
    assert check(largest_tilt_deg=10.0)(joints) == "turned_away"


@pytest.mark.parametrize(("axis", "least"), [((0, 0, 1), 0), ((1, 0, 0), 90), ((0, 0, -1), 180)])
def test_an_axis_that_no_pose_turns_to_the_camera_is_refused_at_once(mesh, camera, axis, least):
    arm, held = Arm(), HeldPart(mesh, MOUNT)
    planner = RrtPlanner(CollisionModel(arm, [], held), UR3E_LIMITS)
    part = Part(name="plate", mesh="plate.stl", point_of_interest=(0.0, 0.0, 0.005), axis_of_interest=axis)
    view_check = ViewCheck(arm, planner, part, held, camera, BASE_FROM_CAMERA, ViewParameters(largest_tilt_deg=60.0))
    # At home the tool looks at the camera; only the last joint turns, about the tool's own axis.
    spread = (0, 0, 0, 0, 0, 1.0)
    if least == 0:
        view_check.check_axis(HOME, spread)
        return
    with pytest.raises(CadsightError) as caught:
        view_check.check_axis(HOME, spread)
    words = str(caught.value)
    assert "expected at most 60" in words
    assert abs(float(words.split("no nearer than ")[1].split()[0]) - least) < 3
    view_check.check_axis(HOME, (0, 0, 0, 2.5, 2.5, 1.0))


def test_the_whole_part_must_lie_inside_the_border(check):
    # Some pan between 0 and 1 rad brings the part's outline to the border: a wider border comes sooner.
    def last_seen(border):
        return max(pan for pan in np.linspace(0, 1, 101) if not check(border_px=border)(turned(pan=pan)))

    assert 0 < last_seen(100.0) < last_seen(0.0) < 1


def test_a_pose_into_the_table_is_colliding(mesh, camera):
    arm, held = Arm(), HeldPart(mesh, MOUNT)
    high_table = BoxBody(name="table", size_m=(0.2, 0.2, 0.1), centre_m=(0.32, 0.0, 0.3))
    planner = RrtPlanner(CollisionModel(arm, [high_table], held), UR3E_LIMITS)
    part = Part(name="plate", mesh="plate.stl")
    assert ViewCheck(arm, planner, part, held, camera, BASE_FROM_CAMERA)(HOME) == "colliding"
