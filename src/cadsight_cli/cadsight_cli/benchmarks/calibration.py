"""How near a hand-eye calibration comes to the truth of the simulated cell, and whether a knocked camera is told.

The cells have the errors of real ones: a lens, blur, noise, and joints that read wrong. The board is drawn flat and
bent into the image, with nothing of the arm in view.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from cadsight_calibration.boards.chessboard import Chessboard
from cadsight_calibration.boards.drawing import board_image
from cadsight_calibration.boards.found import Found
from cadsight_calibration.data.loading import ArmPoses, CameraImages
from cadsight_calibration.data.reading import ArmNumbers, Reading
from cadsight_calibration.hand_eye.drift import check_place
from cadsight_calibration.hand_eye.evaluation import EvaluationParameters, evaluate
from cadsight_calibration.hand_eye.hand_eye_file import HandEye
from cadsight_calibration.hand_eye.solving import SolveParameters, solve_hand_eye
from cadsight_cell.arm import Arm
from cadsight_cell.simulation.sensor import Imager
from cadsight_cell.simulation.world import World, WorldParameters, make_world
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.imaging.lens import Lens
from numpy.random import Generator
from numpy.typing import NDArray

Show = Callable[[str, dict[str, Any]], None]

_HOME = np.array([-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489])
_SPREAD = np.array([0.35, 0.15, 0.15, 0.6, 0.6, 1.5])
_BOARD = Chessboard((9, 7), 20.0)
# The board lies 60 mm before the flange, its middle on the tool's axis and its front to where the tool points.
_TOOL_FROM_BOARD = Pose(np.diag([1.0, -1.0, -1.0]), np.array([-0.08, 0.06, 0.06]))
_PIXELS_PER_MM = 4.0
_BORDER_PX = 10
_STEEPEST = 0.6
_KNOCKS = {"still": (0.0, 0.0), "2 mm": (2.0, 0.0), "0.3 degrees": (0.0, 0.3)}
_CHECKED = 5


@dataclass(frozen=True)
class CalibrationBenchmark:
    """Cells of several seeds, each calibrated once and checked after some knocks."""

    seeds: int = parameter(10, "cells", minimum=1, maximum=1000)
    poses: int = parameter(15, "poses of a calibration", minimum=5, maximum=1000)
    checks: int = parameter(10, "checks of each cell, of each kind", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Mean distance of the calibrated camera from the true one, and how many checks of each kind alarmed."""
        off, alarms = [], dict.fromkeys(_KNOCKS, 0)
        for seed in range(self.seeds):
            cell = _Cell(make_world(WorldParameters(seed=seed)), np.random.default_rng([seed, 0xCA1]))
            true = cell.world.base_from_camera
            hand_eye, own = _calibrated(cell, self.poses)
            off.append(own)
            show(f"cell {seed}", own)
            for kind, (mm, deg) in _KNOCKS.items():
                for _ in range(self.checks):
                    turn, move = unit(cell.rng.normal(size=(2, 3)))
                    knock = Pose.from_rotvec(turn * np.radians(deg), move * mm * 1e-3)
                    alarms[kind] += check_place(hand_eye, *cell.take(_CHECKED, true @ knock)).moved
        speeds: dict[str, dict[str, Any]] = {
            "calibration": {key: float(np.mean([own[key] for own in off])) for key in off[0]},
            **{f"check, {kind}": {"alarms": n, "of": self.seeds * self.checks} for kind, n in alarms.items()},
        }
        for name, figures in speeds.items():
            show(name, figures)
        return speeds


class _Cell:
    """A simulated cell whose arm holds a board."""

    def __init__(self, world: World, rng: Generator) -> None:
        self.world, self.rng = world, rng
        self._arm, self._lens = Arm(), Lens(world.camera)
        self._imager = Imager(world.sensor, world.camera, world.seed)
        self._flat = board_image(_BOARD, _PIXELS_PER_MM)
        self._frame = 0

    def take(self, count: int, base_from_camera: Pose) -> tuple[CameraImages, ArmPoses]:
        """Images of the board by a camera, and the poses that the joints as they are read give."""
        found: list[Found] = []
        tools: list[Array] = []
        while len(found) < count:
            joints = _HOME + _SPREAD * self.rng.uniform(-1, 1, 6)
            camera_from_board = base_from_camera.inverse() @ self._arm.forward(joints) @ _TOOL_FROM_BOARD
            edge = self._edge(camera_from_board)
            if not self._in_view(edge, camera_from_board):
                continue
            # Looked for where it is: the rest of the image is empty and would take ten times as long.
            left, top = (int(v) for v in edge.min(axis=0) - _BORDER_PX)
            right, bottom = (int(v) for v in edge.max(axis=0) + _BORDER_PX)
            seen = _BOARD.find(np.ascontiguousarray(self._photograph(camera_from_board)[top:bottom, left:right]))
            if isinstance(seen, Found):
                found.append(replace(seen, pixels=seen.pixels + np.array([left, top])))
                tools.append(self._arm.forward(joints + self.rng.normal(0, self.world.joint_noise, 6)).matrix)
        names = tuple(f"{i:02d}.png" for i in range(count))
        camera, poses = self.world.camera, np.array(tools)
        images = CameraImages("camera", camera, camera.size, names, np.arange(count), tuple(found), ())
        numbers = ArmNumbers(position=poses[:, :3, 3], rotation=poses[:, :3, :3].reshape(-1, 9))
        reading = Reading("eye_to_hand", "radians", rotation_form="matrix")
        return images, ArmPoses(tuple({"name": n} for n in names), names, numbers, reading)

    def _edge(self, camera_from_board: Pose) -> Array:
        """(4, 2) pixels of the board's corners, with the squares around the inner ones."""
        s, (columns, rows) = _BOARD.square_mm / 1e3, _BOARD.corners
        edge = [(x * s, y * s, 0.0) for x in (-1, columns) for y in (-1, rows)]
        return self.world.camera.project(camera_from_board.apply(edge))

    def _in_view(self, edge: Array, camera_from_board: Pose) -> bool:
        size = self.world.camera.size
        inside = (edge > _BORDER_PX).all() and (edge < (size.width - _BORDER_PX, size.height - _BORDER_PX)).all()
        return bool(inside and camera_from_board.rotation[2, 2] > _STEEPEST)

    def _photograph(self, camera_from_board: Pose) -> NDArray[np.uint8]:
        first = _BOARD.printed().margin_mm + _BOARD.square_mm
        to_board = np.diag([1e-3 / _PIXELS_PER_MM, 1e-3 / _PIXELS_PER_MM, 1.0])
        to_board[:2, 2] = 0.5e-3 / _PIXELS_PER_MM - first * 1e-3
        flat = np.column_stack([camera_from_board.rotation[:, :2], camera_from_board.translation]) @ to_board
        lens = self._lens
        pinhole = np.array(
            [[lens.focal, 0, (lens.width - 1) / 2], [0, lens.focal, (lens.height - 1) / 2], [0.0, 0.0, 1.0]]
        )
        # Drawn twice as fine and averaged, as a pixel averages the light on it.
        finer = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
        size = (2 * lens.width, 2 * lens.height)
        large = cv2.warpPerspective(self._flat, finer @ pinhole @ flat, size, borderValue=(150,))
        drawn = np.asarray(cv2.resize(large, (lens.width, lens.height), interpolation=cv2.INTER_AREA), np.uint8)
        self._frame += 1
        bent = self._lens.bend(np.repeat(drawn[..., None], 3, axis=2))
        return np.asarray(cv2.cvtColor(self._imager.expose(bent, self._frame), cv2.COLOR_RGB2GRAY), np.uint8)


def _calibrated(cell: _Cell, poses: int) -> tuple[HandEye, dict[str, Any]]:
    """The calibration of a cell, and how far it is from the truth."""
    solved = solve_hand_eye(*cell.take(poses, cell.world.base_from_camera), SolveParameters())
    figures = evaluate(solved.problem, solved.kept_solution, EvaluationParameters())
    camera, board = (Pose.from_matrix(m) for m in (solved.solution.camera, solved.solution.boards[-1]))
    apart = camera.inverse() @ cell.world.base_from_camera
    own = {
        "mm": float(np.linalg.norm(apart.translation) * 1e3),
        "degrees": float(np.degrees(np.linalg.norm(apart.rotvec))),
        "known_to_mm": figures.position_mm,
        "known_to_degrees": figures.turn_deg,
        "left_out_px": figures.left_out_px.value,
        "faults": len(solved.faults),
    }
    hand_eye = HandEye(
        "eye_to_hand",
        "base_link",
        camera,
        cell.world.camera,
        "",
        board,
        figures.joint_covariance,
        figures.noise_px,
        len(solved.kept),
        {},
        (),
    )
    return hand_eye, own
