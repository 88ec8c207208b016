"""The YAML in which a user says what lies where in a set, and in which units; nothing of it is guessed."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cadsight_core.config.parameters import check, parameter
from cadsight_core.config.strict_yaml import Document
from cadsight_core.errors import CadsightError, ParameterError

from cadsight_calibration.boards.board import Board, board_from, load_board

NAME = "hand-eye.yaml"
AngleUnit = Literal["degrees", "radians"]
LengthUnit = Literal["m", "mm"]
Setup = Literal["eye_to_hand", "eye_in_hand"]
RotationForm = Literal[
    "rotation_vector",
    "quaternion_xyzw",
    "quaternion_wxyz",
    "matrix",
    "euler_xyz",
    "euler_zyx",
    "euler_zyz",
    "fixed_xyz",
    "fixed_zyx",
]


def needed(description: str) -> Any:
    """A field that the file must name, with a sentence that says what it is."""
    return dataclasses.field(metadata={"description": description})


@dataclass(frozen=True, kw_only=True)
class IntrinsicsEntry:
    """A camera's intrinsics; without keys the file is the YAML of ROS's camera_calibration."""

    file: str = needed("file of the intrinsics, in the set's folder")
    matrix: str = parameter("", "key of the 3 x 3 camera matrix, or of its nine numbers")
    distortion: str = parameter("", "key of OpenCV's coefficients k1, k2, p1, p2, k3; empty for none")
    size: tuple[str, ...] = parameter((), "keys of the width and the height in pixels")
    serial: str = parameter("", "key of the camera's serial number; empty where the file has none")

    def __post_init__(self) -> None:
        check(self)
        if self.matrix and len(self.size) != 2:
            raise ParameterError("size", f"is {list(self.size)}, expected the keys of width and height beside matrix")


@dataclass(frozen=True, kw_only=True)
class CameraEntry:
    """One camera of a set."""

    name: str = needed("name of the camera, also of its result")
    images: str = needed("image of a record, such as cam1/pose_{pose_id:02d}.png; {key} is the record's value")
    intrinsics: IntrinsicsEntry = needed("where its intrinsics are")
    serial: str = parameter("", "serial number of the camera that took the images; empty where it is not known")
    frame: str = parameter("camera_color_optical_frame", "name of its optical frame", kind="frame")

    def __post_init__(self) -> None:
        check(self)
        if not self.name.replace("-", "").replace("_", "").isalnum():
            raise ParameterError("name", f"is {self.name!r}, expected letters, digits, - and _")


@dataclass(frozen=True, kw_only=True)
class JointsEntry:
    """The arm's poses as joint angles."""

    keys: tuple[str, ...] = needed("key of each joint's angle from the base to the tool, or one of a list of them")
    unit: AngleUnit = needed("unit of the angles")


@dataclass(frozen=True, kw_only=True)
class ToolEntry:
    """The arm's poses as poses of its tool."""

    means: Literal["base_from_tool", "tool_from_base"] = needed("which of the two the numbers are")
    position: tuple[str, ...] = parameter((), "keys of x, y, z, or one of a list; empty with a 4 x 4 matrix")
    position_unit: LengthUnit = needed("unit of the position")
    rotation: tuple[str, ...] = needed("keys of the rotation's numbers, or one of a list or matrix of them")
    rotation_form: RotationForm = needed("what those numbers are; euler_ turns about moving axes, fixed_ about fixed")
    rotation_unit: AngleUnit = parameter("radians", "unit of angles and rotation vectors; quaternions have none")


@dataclass(frozen=True, kw_only=True)
class PosesEntry:
    """Where the arm's poses are."""

    file: str = needed("JSON, YAML or a table, in the set's folder")
    list: str = parameter("", "key of the list of records in JSON; empty where the file is that list")
    delimiter: str = parameter(",", "what divides a table's columns")
    header: bool = parameter(True, "whether a table's first row names its columns")
    name: str = needed("key that names a record")
    joints: JointsEntry | None = None
    tool: ToolEntry | None = None

    def __post_init__(self) -> None:
        if self.joints is None and self.tool is None:
            raise CadsightError("poses has neither joints nor tool, expected one of them, or both to compare them")
        if len(self.delimiter) != 1:
            raise ParameterError("delimiter", f"is {self.delimiter!r}, expected one character")


@dataclass(frozen=True, kw_only=True)
class TableEntry:
    """An arm's Denavit-Hartenberg table in a file."""

    file: str = needed("JSON, YAML or a table, in the set's folder")
    list: str = parameter("", "key of the list of joints; empty where the file is that list")
    a: str = parameter("a", "key of a")
    alpha: str = parameter("alpha", "key of alpha")
    d: str = parameter("d", "key of d")
    theta: str = parameter("theta", "key of what is added to the joint's angle; empty for nothing")
    length_unit: LengthUnit = needed("unit of a and d")
    angle_unit: AngleUnit = needed("unit of alpha and theta")
    convention: Literal["standard", "modified"] = needed("Denavit and Hartenberg's own, or Craig's modified one")


@dataclass(frozen=True, kw_only=True)
class ArmEntry:
    """The arm: one that is known by its model, or a table."""

    model: str = parameter("", "ur3, ur3e, ur5, ur5e, ur10, ur10e or ur16e")
    table: TableEntry | None = None

    def __post_init__(self) -> None:
        if bool(self.model) == (self.table is not None):
            raise CadsightError("arm has model and table, or none of them, expected one")


@dataclass(frozen=True, kw_only=True)
class ExpectedEntry:
    """Where the camera is thought to be: eye to hand in the arm's base, eye in hand in the tool."""

    position_m: tuple[float, float, float] = needed("x, y, z in metres")
    rotation_xyzw: tuple[float, float, float, float] = needed("quaternion of the optical frame")
    within_mm: float = parameter(50.0, "how far off it may be", minimum=0.0)
    within_deg: float = parameter(10.0, "how far turned it may be", minimum=0.0)


@dataclass(frozen=True, kw_only=True)
class Description:
    """A recorded set."""

    setup: Setup = needed("eye_to_hand: the camera stands and the arm holds the board; eye_in_hand: the other way")
    board: Board = needed("the board: its kind and sizes, or the name of its own YAML")
    cameras: tuple[CameraEntry, ...] = needed("the cameras, each with images of the same poses")
    poses: PosesEntry = needed("the arm's poses")
    arm: ArmEntry | None = None
    base_frame: str = parameter("base", "name of the frame that the arm's poses are given in", kind="frame")
    expected: ExpectedEntry | None = None

    def __post_init__(self) -> None:
        if not self.cameras:
            raise CadsightError("cameras is empty, expected at least one")
        names = [camera.name for camera in self.cameras]
        if len(set(names)) < len(names):
            raise CadsightError(f"two cameras have the same name among {', '.join(names)}, expected a name for each")
        if self.poses.joints is not None and self.arm is None:
            raise CadsightError("poses has joints and there is no arm, expected arm with a model or a table")


def load_description(path: str | Path) -> Description:
    """What the YAML at ``path`` says of a set.

    Raises:
        CadsightError: with file, line and key for whatever is missing, unknown or out of range.
    """

    def board(value: Any, folder: Path) -> Board:
        return load_board(folder / value) if isinstance(value, str) else board_from(value, "the board")

    return Document(path).build(Description, {Board: board})
