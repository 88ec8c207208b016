"""Sets whose truth is known, with the faults that a test plants."""

from dataclasses import dataclass, replace

import numpy as np
from cadsight_calibration.arm.chain import MODELS
from cadsight_calibration.boards.chessboard import Chessboard
from cadsight_calibration.boards.drawing import board_image
from cadsight_calibration.boards.found import Found
from cadsight_calibration.data.loading import ArmPoses, CameraImages
from cadsight_calibration.data.reading import ArmNumbers, Reading, inverse
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, Pose

SIZE = ImageSize(1280, 720)
CAMERA = Camera(SIZE, 1050.0, 1055.0, 636.0, 371.0, (-0.2, 0.05, 0.0005, -0.0004, 0.0))
HOME = np.array([1.9, -2.6, 1.0, -1.2, -1.9, 0.2])
BOARD = Chessboard()
TOOL_FROM_BOARD = Pose.from_rotvec([0.02, 3.1, -0.01], [0.08, -0.06, 0.012]).matrix


@dataclass(frozen=True, eq=False)
class Planted:
    """A set and the truth of it.

    Attributes:
        joints: (N, J) radians where the arm was; seen: (N, 4, 4) of the board in the camera, as the images show it.
    """

    images: CameraImages
    poses: ArmPoses
    camera: Array
    joints: Array
    seen: Array

    @property
    def names(self) -> tuple[str, ...]:
        return self.images.images


def planted(
    count: int = 20,
    seed: int = 0,
    *,
    in_hand: bool = False,
    noise_px: float = 0.15,
    joint_noise_deg: float = 0.02,
    board: Chessboard = BOARD,
    spread: Array | float = 0.4,
    moved: tuple[int, Array] | None = None,
    knocked: tuple[int, Array] | None = None,
    scale: float = 1.0,
) -> Planted:
    """A set of a UR3e with the board in its hand, or with the camera.

    Args:
        moved: from which view on the board's mount is moved by a pose (4, 4); knocked: likewise the camera.
        scale: how much larger the board is than it is said to be.
    """
    rng = np.random.default_rng(seed)
    chain = MODELS["ur3e"]
    true_board = board.scaled(scale)
    mount = TOOL_FROM_BOARD
    y, x = np.mgrid[: board.corners[1], : board.corners[0]]
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3) * true_board.square_mm / 1e3
    centre = points.mean(0)
    home = chain.forward(HOME[None])[0]
    # The camera stands 0.8 m before the board at home and looks at its front.
    facing = np.eye(4)
    facing[:3, 3] = -centre + (0.02, 0.01, 0.0)
    away = np.eye(4)
    away[2, 3] = -0.8
    eye = home @ mount @ inverse(facing) @ away @ Pose.from_rotvec([0.05, -0.08, 0.1]).matrix
    # In the hand, camera and board have changed places.
    camera = eye if not in_hand else TOOL_FROM_BOARD
    fixed_board = None if not in_hand else home @ camera @ inverse(eye) @ home @ mount
    joints, seen, found = [], [], []
    for _ in range(100 * count):
        if len(joints) == count:
            break
        q = HOME + spread * rng.uniform(-1, 1, 6)
        tool = chain.forward(q[None])[0]
        number = len(joints)
        own_mount = mount @ moved[1] if moved and number >= moved[0] else mount
        own_camera = camera @ knocked[1] if knocked and number >= knocked[0] else camera
        pose = (
            inverse(own_camera) @ tool @ own_mount
            if fixed_board is None
            else inverse(own_camera) @ inverse(tool) @ fixed_board
        )
        in_camera = points @ pose[:3, :3].T + pose[:3, 3]
        pixels = CAMERA.project(in_camera)
        inside = (
            np.isfinite(pixels).all() and (pixels > 20).all() and (pixels < (SIZE.width - 20, SIZE.height - 20)).all()
        )
        if not inside or pose[2, 2] < 0.5:
            continue
        joints.append(q)
        seen.append(pose)
        noisy = pixels + rng.normal(0, noise_px, pixels.shape)
        said = points / scale
        if rng.uniform() < 0.5 and board.looks_alike > 1:
            noisy, said = noisy[::-1], said[::-1]
        orders = np.stack([said, said[::-1]]) if board.looks_alike > 1 else said[None]
        found.append(Found(noisy, orders, 2.0))
    assert len(joints) == count, "the board is out of view at most poses"
    true = np.array(joints)
    read = np.degrees(true) + rng.normal(0, joint_noise_deg, true.shape)
    names = tuple(f"{i:02d}.png" for i in range(count))
    images = CameraImages("cam", CAMERA, SIZE, names, np.arange(count), tuple(found), ())
    poses = ArmPoses(
        tuple({"name": n} for n in names),
        names,
        ArmNumbers(read, chain),
        Reading("eye_in_hand" if in_hand else "eye_to_hand", "degrees"),
    )
    return Planted(images, poses, camera, true, np.array(seen))


def with_joints(one: Planted, joints: Array) -> Planted:
    """The set with other readings (N, J) in degrees."""
    return replace(one, poses=replace(one.poses, numbers=replace(one.poses.numbers, joints=joints)))


def photograph(pose: Array, board: Chessboard, camera: Camera = CAMERA, pixels_per_mm: float = 8.0) -> Array:
    """An image (H, W) of a printed board at a pose (4, 4) in the camera, without the lens's distortion."""
    import cv2

    flat = board_image(board, pixels_per_mm)
    margin = board.printed().margin_mm
    first = margin + (board.square_mm if isinstance(board, Chessboard) else 0.0)
    # From pixels of the drawing to metres in the board.
    to_board = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]) / pixels_per_mm * 1e-3
    to_board[:2, 2] -= first * 1e-3
    to_board[2] = (0, 0, 1)
    homography = camera.matrix @ np.column_stack([pose[:3, 0], pose[:3, 1], pose[:3, 3]]) @ to_board
    size = (camera.size.width, camera.size.height)
    large = cv2.warpPerspective(
        flat, np.diag([2.0, 2.0, 1.0]) @ homography, (2 * size[0], 2 * size[1]), flags=cv2.INTER_AREA, borderValue=150
    )
    return cv2.resize(large, size, interpolation=cv2.INTER_AREA)
