"""MuJoCo's distances beside numbers by hand and beside the planner's own checks."""

import numpy as np
import pytest
from cadsight_cell.arm import Arm
from cadsight_cell.motion.clearance import Clearance
from cadsight_cell.motion.collision import MARGIN_M, BoxBody, CollisionModel, HeldPart
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])


def ball(name, place, metres=0.02):
    return BoxBody(name=name, size_m=(metres,) * 3, centre_m=tuple(map(float, place)))


def test_a_box_at_the_tool_is_as_far_from_a_box_in_the_cell_as_kinematics_say():
    tool = Arm().forward(HOME)
    held = BoxBody(name="held", size_m=(0.02, 0.02, 0.02), centre_m=(0.0, 0.0, 0.2), attached_to="tool0")
    # Along the tool's axis, turned as the tool is: faces 0.3 - 0.2 - 0.02 apart.
    wall = BoxBody(
        name="wall",
        size_m=(0.02, 0.02, 0.02),
        centre_m=tuple(tool.apply([0.0, 0.0, 0.3])),
        rotation_rad=tuple(tool.rotvec),
    )
    metres, a, b = Clearance(Arm(), [held, wall]).at(HOME)
    assert (a, b) == ("held_0", "wall_1")
    assert metres == pytest.approx(0.08, abs=1e-6)


def test_a_held_part_counts_where_it_is_held():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.03 + [0.01, 0.0, 0.0]
    faces = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6],
                      [0, 6, 4], [1, 5, 7], [1, 7, 3]])  # fmt: skip
    part = HeldPart(Mesh(corners, faces), Pose.from_rotvec([0, 0, 0], [0, 0, 0.2]))
    tool = Arm().forward(HOME)
    wall = BoxBody(
        name="wall",
        size_m=(0.02, 0.02, 0.02),
        centre_m=tuple(tool.apply([0.01, 0.0, 0.3])),
        rotation_rad=tuple(tool.rotvec),
    )
    metres, a, _ = Clearance(Arm(), [wall], part).at(HOME)
    assert a == "held_part"
    assert metres == pytest.approx(0.06, abs=1e-6)


def test_it_agrees_with_the_planners_checks_where_those_leave_no_doubt():
    rng = np.random.default_rng(4)
    bodies = [
        BoxBody(name="table", size_m=(2.0, 2.0, 0.1), centre_m=(0.0, 0.0, -0.06)),
        ball("post", (0.3, 0.1, 0.3), 0.2),
    ]
    model, clearance = CollisionModel(Arm(), bodies), Clearance(Arm(), bodies)
    names = {body.name for body in bodies}
    near = far = 0
    for _ in range(400):
        joints = HOME + rng.uniform(-1.2, 1.2, 6)
        metres, _, _ = clearance.at(joints)
        touching = any(
            set(pair) & names and not set(pair) & {"base_link_inertia", "shoulder_link"}
            for pair in model.touching(joints)
        )
        if metres < MARGIN_M - 1e-3:
            near += 1
            assert touching
        elif metres > MARGIN_M + 1e-3:
            far += 1
            assert not touching
    assert min(near, far) > 50
