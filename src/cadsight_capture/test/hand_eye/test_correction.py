import numpy as np
import pytest
from cadsight_capture.hand_eye.correction import HandEyeParameters, Observation, fit_hand_eye
from cadsight_capture.outline import directions, reach_of_points
from cadsight_core.camera import Camera
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.parts.mesh import Mesh
from drawn import BASE_FROM_CAMERA, MOUNT, base_from_tool, some_joints

ERROR = Pose.from_rotvec(np.radians([0.2, -0.15, 0.1]), (1e-3, -0.5e-3, 0.8e-3))


def observations(
    mesh: Mesh, camera: Camera, error: Pose, count: int = 60, margin: float = 0.0, noise_px: float = 0.3, wrong: int = 0
) -> list[Observation]:
    """Outlines seen by a camera at ``error`` in its calibration; the first ``wrong`` ones are 40 px off."""
    rng = np.random.default_rng(1)
    along = directions(16)
    found = []
    for i in range(count):
        nominal = BASE_FROM_CAMERA.inverse() @ base_from_tool(some_joints(rng)) @ MOUNT
        pixels = camera.project((error.inverse() @ nominal).apply(mesh.hull_vertices))
        reach = reach_of_points(pixels, along) + margin + rng.normal(0, noise_px, 16)
        found.append(Observation(nominal, reach + along @ (40.0, 0.0) if i < wrong else reach))
    return found


def leftover(correction: Pose, error: Pose, nominal: Pose) -> tuple[float, float]:
    """Millimetres and degrees by which a corrected pose still differs from the true one."""
    true, corrected = error.inverse() @ nominal, correction.inverse() @ nominal
    offset = np.linalg.norm((true.translation - corrected.translation)[:2]) * 1e3
    return float(offset), float(angle_between(true.rotation[:, 2], corrected.rotation[:, 2]))


@pytest.mark.parametrize("margin", [0.0, 0.8, -0.6])
def test_a_usual_error_is_found_whatever_the_margin_of_the_masks(mesh: Mesh, camera: Camera, margin: float):
    seen = observations(mesh, camera, ERROR, margin=margin)
    result = fit_hand_eye(seen, mesh.hull_vertices, camera)
    assert result.applied, result.reason
    assert result.margin_px == pytest.approx(margin, abs=0.1)
    assert result.after_px < 0.4 < 1.0 < result.before_px
    for observation in seen:
        millimetres, degrees = leftover(result.nominal_from_corrected, ERROR, observation.camera_from_part)
        assert millimetres < 0.2
        assert degrees < 0.15


def test_images_that_are_wrong_do_not_pull_the_correction(mesh: Mesh, camera: Camera):
    seen = observations(mesh, camera, ERROR, count=80, wrong=12)
    result = fit_hand_eye(seen, mesh.hull_vertices, camera)
    assert result.applied, result.reason
    assert result.outliers >= 8
    assert leftover(result.nominal_from_corrected, ERROR, seen[-1].camera_from_part)[0] < 0.25


def test_no_correction_is_applied_where_there_is_no_error(mesh: Mesh, camera: Camera):
    result = fit_hand_eye(observations(mesh, camera, Pose.identity()), mesh.hull_vertices, camera)
    assert not result.applied
    assert "does not lower" in result.reason
    np.testing.assert_array_equal(result.nominal_from_corrected.matrix, np.eye(4))


@pytest.mark.parametrize("count", [0, 1, 11])
def test_too_few_images_are_reported_and_nothing_is_corrected(mesh: Mesh, camera: Camera, count: int):
    seen = observations(mesh, camera, ERROR, count=12)[:count]
    result = fit_hand_eye(seen, mesh.hull_vertices, camera)
    assert not result.applied
    assert f"{count} images" in result.reason
    assert result.to_json()["after_px"] is None


def test_images_of_one_single_pose_do_not_blow_the_correction_up(mesh: Mesh, camera: Camera):
    one = observations(mesh, camera, ERROR, count=1, noise_px=0.0)[0]
    result = fit_hand_eye([one] * 30, mesh.hull_vertices, camera)
    assert result.size_mm < 6
    assert result.size_deg < 1


def test_the_corrected_pose_is_the_one_of_the_moved_camera(mesh: Mesh, camera: Camera):
    seen = observations(mesh, camera, ERROR)
    result = fit_hand_eye(seen, mesh.hull_vertices, camera)
    corrected_base_from_camera = BASE_FROM_CAMERA @ result.nominal_from_corrected
    base_from_part = BASE_FROM_CAMERA @ seen[0].camera_from_part
    expected = corrected_base_from_camera.inverse() @ base_from_part
    np.testing.assert_allclose(result.correct(seen[0].camera_from_part).matrix, expected.matrix, atol=1e-12)


def test_a_parameter_out_of_range_is_refused_by_name():
    with pytest.raises(CadsightError, match="held_out"):
        HandEyeParameters(held_out=0.0)
