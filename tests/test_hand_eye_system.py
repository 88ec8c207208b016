"""A hand-eye file in the simulated cell: the real node publishes it where the cell's own calibration was."""

import numpy as np
import pytest
import rclpy
from cadsight_calibration.hand_eye.hand_eye_file import HandEye, write_hand_eye
from cadsight_cell.simulation.world import OPTICAL_FRAME
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_ros.clients import spinning
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener
from cell_nodes import HELD, Program, another_domain, wait

POSE = Pose.from_rotvec([0.1, 3.0, 0.2], [0.3, 0.1, 0.9])
CELL, HAND_EYE = "cadsight_cell.simulated_cell_node", "cadsight_cell.hand_eye_node"


def _file(folder, frame="base_link", serial=""):
    camera = Camera(ImageSize(640, 480), 600.0, 600.0, 320.0, 240.0, frame=OPTICAL_FRAME)
    hand_eye = HandEye("eye_to_hand", frame, POSE, camera, serial, Pose.identity(), np.eye(12), 1.0, 15, {}, ())
    return write_hand_eye(folder / "hand-eye.json", hand_eye)


@pytest.mark.parametrize(
    ("frame", "expected"),
    # The base of a Universal Robot is turned by pi about z against base_link.
    [("base_link", POSE), ("base", Pose(np.diag([-1.0, -1.0, 1.0]), np.zeros(3)) @ POSE)],
)
def test_the_optical_frame_is_where_the_file_says(frame, expected, tmp_path):
    with another_domain() as domain:
        context = rclpy.Context()
        rclpy.init(args=[], context=context, domain_id=domain)
        tester = rclpy.create_node("tester", context=context)
        buffer = TransformBuffer()
        TransformListener(tester, buffer)
        small = {**HELD, "width": 64, "height": 48, "fps": 1.0, "hand_eye": False}
        cell = Program(CELL, tmp_path / "cell.log", small, domain)
        node = Program(HAND_EYE, tmp_path / "node.log", {"hand_eye_file": _file(tmp_path, frame)}, domain)

        def there() -> bool:
            try:
                buffer.lookup("base_link", OPTICAL_FRAME)
            except CadsightError:
                return False
            return True

        try:
            with spinning(tester):
                wait(there, cell, node)
            found = buffer.lookup("base_link", OPTICAL_FRAME)
            np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-9)
        finally:
            tester.destroy_node()
            rclpy.try_shutdown(context=context)
            statuses = [cell.end(), node.end()]
        assert statuses == [0, 0], node.log.read_text()


def test_a_file_of_another_camera_is_refused(tmp_path):
    with another_domain() as domain:
        given = {"hand_eye_file": _file(tmp_path, serial="123"), "serial_no": "_456"}
        node = Program(HAND_EYE, tmp_path / "node.log", given, domain)
        assert node.process.wait(90) == 2
    log = node.log.read_text()
    assert "hand-eye.json is of the camera 123, expected one of the camera 456, which runs" in log
