"""Paths around obstacles, and the sentences where there is none."""

import itertools

import numpy as np
import pytest
from cadsight_cell.arm import JOINT_NAMES, UR3E_LIMITS, Arm
from cadsight_cell.motion.collision import BoxBody, CollisionModel, HeldPart, load_bodies
from cadsight_cell.motion.planner import NoPathError, RrtPlanner
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from trimesh.creation import icosphere

TABLE = BoxBody(name="table", size_m=(1.0, 1.0, 0.02), centre_m=(0.0, 0.0, -0.06))
# The tool looks down at x 0.45 m, 0.25 m above the base, to the left and to the right of a wall.
WALL = BoxBody(name="wall", size_m=(0.3, 0.02, 0.35), centre_m=(0.45, 0.0, 0.125))
MIDDLE = np.array([-0.3, -1.0, 1.2, -1.8, -1.57, 0.0])
ASIDE = np.array([0.7, 0, 0, 0, 0, 0])
LEFT, RIGHT = MIDDLE + ASIDE, MIDDLE - ASIDE


def ball(radius):
    sphere = icosphere(2, radius)
    return Mesh(np.asarray(sphere.vertices), np.asarray(sphere.faces))


@pytest.fixture(scope="module")
def arm():
    return Arm()


@pytest.fixture(scope="module")
def collisions(arm):
    part = HeldPart(ball(0.03), Pose.from_rotvec([0, 0, 0], [0, 0, 0.05]))
    return CollisionModel(arm, [TABLE, WALL], part)


@pytest.fixture(scope="module")
def planner(collisions):
    return RrtPlanner(collisions, UR3E_LIMITS)


def test_a_free_path_is_a_straight_line(planner):
    path = planner.plan(LEFT, LEFT + 0.1)
    np.testing.assert_array_equal(path, [LEFT, LEFT + 0.1])


def test_a_blocked_path_leads_around_and_touches_nothing(planner, collisions):
    start, goal = LEFT, RIGHT
    assert not collisions.is_edge_free(start, goal)
    path = planner.plan(start, goal, seed=3)
    assert len(path) > 2
    np.testing.assert_array_equal(path[[0, -1]], [start, goal])
    for a, b in itertools.pairwise(path):
        assert all(not collisions.touching(a + s * (b - a)) for s in np.linspace(0, 1, 200))


def test_the_same_seed_gives_the_same_path(planner):
    first, again = (planner.plan(LEFT, RIGHT, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_goal_inside_a_body_is_refused_with_the_bodies_names(planner):
    with pytest.raises(NoPathError, match=r"the goal of the motion brings together .* and wall") as caught:
        planner.plan(LEFT, MIDDLE)
    assert caught.value.reason == "colliding"


def test_an_arm_folded_into_itself_is_refused(planner):
    with pytest.raises(NoPathError, match="upper_arm_link") as caught:
        planner.plan(LEFT, [3.0, -1.57, 3.0, 0.0, 0.0, 0.0])
    assert caught.value.reason == "colliding"


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ([0.0, -1.0, 3.3, 0.0, 0.0, 0.0], r"the goal of the motion has elbow_joint at 189.1 degrees, expected -180"),
        ({**dict.fromkeys(JOINT_NAMES[1:], 0.0), "hip_joint": 1.0}, "'hip_joint' is unknown"),
    ],
)
def test_a_goal_past_a_limit_or_of_another_robot_is_unreachable(planner, goal, words):
    with pytest.raises(NoPathError, match=words) as caught:
        planner.plan(LEFT, goal)
    assert caught.value.reason == "unreachable"


def test_that_no_path_was_found_in_time_is_reported(planner):
    with pytest.raises(NoPathError, match=r"no path around the obstacles was found in 1e-06 s") as caught:
        planner.plan(LEFT, RIGHT, timeout_s=1e-6)
    assert caught.value.reason == "no_path"


@settings(deadline=None, max_examples=100)
@given(arrays(float, (2, 6), elements=st.floats(-3, 3)))
def test_no_point_of_the_arm_or_the_part_moves_further_than_the_travel(ends):
    arm = Arm()
    mesh, tool0_from_part = ball(0.03), Pose.from_rotvec([0, 0, 0], [0, 0, 0.05])
    model = CollisionModel(arm, [], HeldPart(mesh, tool0_from_part))

    def points(joints):
        links = arm.links(joints)
        part = (links["tool0"] @ tool0_from_part).apply(mesh.vertices)
        return np.vstack([part, *(pose.translation for pose in links.values())])

    start, goal = ends
    assert np.linalg.norm(points(goal) - points(start), axis=1).max() <= model.travel(start, goal) + 1e-9


def test_the_margin_is_kept_to_the_table(arm):
    # The part's lowest point is read from the kinematics; the table comes to 5 mm and to 15 mm of it.
    part = HeldPart(ball(0.03), Pose.from_rotvec([0, 0, 0], [0, 0, 0.05]))
    joints = LEFT
    lowest = (arm.forward(joints) @ part.tool0_from_part).apply(part.mesh.vertices)[:, 2].min()
    for gap, expected in ((0.005, [("table", "part")]), (0.015, [])):
        table = BoxBody(name="table", size_m=(2.0, 2.0, 0.02), centre_m=(0.0, 0.0, lowest - gap - 0.01))
        assert [pair for pair in CollisionModel(arm, [table], part).touching(joints) if "part" in pair] == expected


def test_bodies_come_from_a_file(tmp_path):
    file = tmp_path / "bodies.yaml"
    file.write_text("bodies:\n- {name: table, size_m: [1, 1, 0.02], centre_m: [0, 0, -0.06]}\n")
    assert load_bodies(file) == (TABLE,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bodies: 3", "holds no list 'bodies'"),
        ("bodies: [{size_m: [1, 1, 1]}]", r"bodies\[0\]: a body has no name"),
        ("bodies: [{name: table, size_m: [1, 1, 0]}]", r"bodies\[0\]: parameter size_m is 0"),
        ("bodies: [{name: table, colour: red}]", "unknown key 'colour'"),
        ("bodies: [", "is not YAML"),
    ],
)
def test_a_file_of_bodies_that_makes_no_sense_is_refused(tmp_path, text, words):
    file = tmp_path / "bodies.yaml"
    file.write_text(text)
    with pytest.raises(CadsightError, match=words):
        load_bodies(file)


def test_a_missing_file_of_bodies_is_named(tmp_path):
    with pytest.raises(CadsightError, match=r"bodies\.yaml could not be read"):
        load_bodies(tmp_path / "bodies.yaml")
