"""What the arm holds and what stands around it, from parameters."""

import numpy as np
import pytest
import trimesh
from cadsight_cell.arm import Arm
from cadsight_cell.holder import HolderParameters, collision_model, held_part, pose_from_list
from cadsight_core.errors import CadsightError


def test_a_mount_is_a_position_and_a_quaternion():
    # A quarter turn about z takes the part's x to the tool's y.
    pose = pose_from_list((0.1, 0.2, 0.3, 0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)), "mount")
    np.testing.assert_allclose(pose.apply([1.0, 0.0, 0.0]), [0.1, 1.2, 0.3], atol=1e-12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), "expected 7 values: tool0_from_part: x, y, z"),
        ((0.0,) * 6, "expected 7 values: tool0_from_part: x, y, z"),
        ((0.0,) * 7, "expected a quaternion x, y, z, w that is not zero"),
    ],
)
def test_a_mount_that_is_no_pose_is_refused(values, expected):
    with pytest.raises(CadsightError, match=rf"mount is .* {expected}"):
        HolderParameters(mount=values)


def test_an_arm_that_holds_nothing_has_no_part():
    assert held_part(HolderParameters()) is None
    assert collision_model(HolderParameters(), Arm()).touching(np.array([0, -1.57, 0, -1.57, 0, 0])) == []


def test_the_part_at_the_tool_counts_where_the_mount_puts_it(tmp_path):
    trimesh.creation.box((0.04, 0.04, 0.04)).export(tmp_path / "cube.stl")
    (tmp_path / "cube.yaml").write_text("{name: cube, mesh: cube.stl, unit: m}")
    # Upright, the tool looks along base_link's y at (0, 0.22, 0.69); a shelf stands 10 to 20 cm before it.
    (tmp_path / "bodies.yaml").write_text("bodies: [{name: shelf, size_m: [1, 0.1, 1], centre_m: [0, 0.37, 0.7]}]")
    upright = np.array([0, -1.57, 0, -1.57, 0, 0])
    for reach, touching in ((0.05, []), (0.09, [("shelf", "part")])):
        mount = (0.0, 0.0, reach, 0.0, 0.0, 0.0, 1.0)
        parameters = HolderParameters(part="cube.yaml", bodies="bodies.yaml", mount=mount)
        model = collision_model(parameters, Arm(), lambda name: tmp_path / name)
        assert model.touching(upright) == touching
