"""A cell whose arm jumps and whose camera draws the part: all of a session but the hardware."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from cadsight_capture.session import Control, Frame, Session, SessionParameters, SessionPlan
from cadsight_cell.arm import Arm, joint_mapping
from cadsight_cell.motion.poses import PoseSampler
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.mesh import Mesh
from drawn import MOUNT, draw

HOME = np.array([0.0, -1.2, 1.5, -1.87, -1.57, 0.0])
SPREAD = np.array([0.1, 0.0, 0.0, 0.2, 0.2, 1.0])
BACKGROUND = np.array([1.5, *HOME[1:]])
CAMERA = Camera(ImageSize(160, 120), 150.0, 150.0, 79.5, 59.5)
PLATE = Mesh(np.array([[x, y, 0.0] for x in (-0.03, 0.03) for y in (-0.02, 0.02)]), np.array([[0, 1, 2], [1, 3, 2]]))
# Straight above the tool at home, looking down.
BASE_FROM_CAMERA = Pose(np.diag([1.0, -1.0, -1.0]), Arm().forward(HOME).translation + np.array([0, 0, 0.4]))


class DrawnCell:
    """``fault(calls)`` may raise before the n-th call (from 1) of move, settle or image is carried out."""

    def __init__(self, control: Control, fault: Callable[[str, int], None] = lambda call, number: None) -> None:
        self.control, self._fault = control, fault
        self.arm, self.joints, self.stamp = Arm(), HOME, 0
        self.calls: dict[str, int] = {}
        self.moves: list[Array] = []

    def _call(self, name: str) -> None:
        self.control.check()
        self.calls[name] = self.calls.get(name, 0) + 1
        self._fault(name, self.calls[name])

    def move(self, joints: Array) -> None:
        self._call("move")
        self.joints = joints
        self.moves.append(joints)
        self.stamp += 10

    def settle(self) -> int:
        self._call("settle")
        return self.stamp

    def image_after(self, stamp_ns: int) -> Frame:
        self._call("image")
        self.stamp = stamp_ns + 1
        base_from_tool = self.arm.forward(self.joints)
        return Frame(
            image(self.joints), CAMERA, self.stamp, joint_mapping(self.joints), BASE_FROM_CAMERA, base_from_tool
        )


def image(joints: Array) -> np.ndarray:
    """What the camera shows at joint angles (6,)."""
    camera_from_part = BASE_FROM_CAMERA.inverse() @ Arm().forward(joints) @ MOUNT
    return draw(PLATE, camera_from_part, CAMERA)


def poses(seed: int) -> Callable[[Camera, Pose], PoseSampler]:
    return lambda camera, base_from_camera: PoseSampler(HOME, SPREAD, seed)


def session(folder: Path, count: int, cell: DrawnCell, seed: int = 1, **more) -> Session:
    plan = SessionPlan("drawn", "train", count, seed)
    parameters = more.pop("parameters", SessionParameters(retry_s=0.0))
    control = more.pop("control", cell.control)
    return Session(
        folder, ("plate",), plan, cell, BACKGROUND, poses(seed), parameters=parameters, control=control, **more
    )


def run_and_report(folder: str, count: int, pipe) -> None:
    """The body of a process that is killed: tells how many images it knows to be on disk."""

    def report(progress) -> None:
        pipe.send(progress.captured)

    session(Path(folder), count, DrawnCell(Control()), report=report).run()
    pipe.send("done")
