"""What a seed decides: the same cell each time, errors of exactly the asked size, a record that reads back."""

import json

import numpy as np
import pytest
from cadsight_cell.simulation.world import World, WorldParameters, make_world
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between


def test_the_same_seed_makes_the_same_cell_and_another_seed_another_one() -> None:
    first, again, other = (json.dumps(make_world(WorldParameters(seed=s)).to_json()) for s in (4, 4, 5))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("millimetres", "degrees"), [(1.0, 0.2), (0.0, 0.0), (5.0, 1.5)])
def test_the_calibration_errs_by_exactly_the_given_amount(millimetres: float, degrees: float) -> None:
    for seed in range(5):
        world = make_world(WorldParameters(seed=seed, hand_eye_error_mm=millimetres, hand_eye_error_deg=degrees))
        error = world.base_from_camera.inverse() @ world.base_from_camera_calibrated
        assert np.linalg.norm(error.translation) * 1000 == pytest.approx(millimetres, abs=1e-9)
        assert np.rad2deg(np.linalg.norm(error.rotvec)) == pytest.approx(degrees, abs=1e-9)


def test_a_cell_reads_back_from_its_json_as_it_was() -> None:
    world = make_world(WorldParameters(seed=9, width=1280, height=720))
    data = json.loads(json.dumps(world.to_json()))
    again = World.from_json(data)
    for name in ("seed", "joint_noise", "light", "sensor", "record"):
        assert getattr(again, name) == getattr(world, name)
    assert again.camera.to_json() == world.camera.to_json()
    for name in ("base_from_camera", "base_from_camera_calibrated"):
        np.testing.assert_allclose(getattr(again, name).matrix, getattr(world, name).matrix, atol=1e-12)


def test_the_camera_hangs_within_its_spread_and_looks_down() -> None:
    for seed in range(20):
        pose = make_world(WorldParameters(seed=seed)).base_from_camera
        assert np.abs(pose.translation - (0.34, 0.0, 0.88)).max() <= 0.01
        # Two degrees about each of three axes.
        assert angle_between(pose.rotate([0.0, 0.0, 1.0]), np.array([0.0, 0.0, -1.0])) <= 2.0 * np.sqrt(2)


def test_the_focal_length_is_that_of_a_d435_within_a_percent() -> None:
    assert make_world(WorldParameters(seed=1)).camera.fx == pytest.approx(615, rel=0.011)
    assert make_world(WorldParameters(seed=1, width=1280, height=720)).camera.fx == pytest.approx(920, rel=0.011)


def test_a_camera_position_of_two_numbers_is_refused() -> None:
    with pytest.raises(CadsightError, match=r"camera_position is \[0\.3, 0\.8\], expected 3 values"):
        WorldParameters(camera_position=(0.3, 0.8))
