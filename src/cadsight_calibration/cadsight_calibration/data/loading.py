"""A described set read into numbers and boards that were found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.camera_file import read_camera_file
from cadsight_core.storage.files import inside
from numpy.typing import NDArray

from cadsight_calibration.arm.chain import Chain, model
from cadsight_calibration.boards.board import Board
from cadsight_calibration.boards.found import Found
from cadsight_calibration.boards.looking import look_for
from cadsight_calibration.data.description import ArmEntry, CameraEntry, Description, PosesEntry
from cadsight_calibration.data.reading import ArmNumbers, Reading
from cadsight_calibration.data.records import (
    Record,
    numbers_at,
    placed,
    read_document_of,
    read_records,
    value_at,
)
from cadsight_calibration.fault import Fault


@dataclass(frozen=True, eq=False)
class ArmPoses:
    """All records of a set: their names, numbers, and how they are read."""

    records: tuple[Record, ...]
    names: tuple[str, ...]
    numbers: ArmNumbers
    reading: Reading


@dataclass(frozen=True, eq=False)
class CameraImages:
    """What one camera saw.

    Attributes:
        camera: intrinsics as the file has them, of the size that the file says.
        size: of the images.
        images: their names; ``rows`` the record of each; ``found`` the board in each.
        faults: images without a board, and what is wrong with the intrinsics.
    """

    name: str
    camera: Camera
    size: ImageSize
    images: tuple[str, ...]
    rows: NDArray[np.intp]
    found: tuple[Found, ...]
    faults: tuple[Fault, ...]


def load_poses(description: Description, folder: Path) -> ArmPoses:
    """The arm's poses.

    Raises:
        CadsightError: for files and keys that are missing, numbers that are none, and two records of one name.
    """
    entry = description.poses
    path = inside(folder, entry.file)
    records = read_records(path, entry.list, entry.delimiter, entry.header)
    names = [str(value_at(record, entry.name, f"{path}, record {i + 1}")) for i, record in enumerate(records)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CadsightError(f"{path} has two records named {twice!r}, expected each to have its own")
    chain = _chain(description.arm, folder) if description.arm else None
    return ArmPoses(
        tuple(records),
        tuple(names),
        _numbers(entry, records, names, chain, path),
        Reading(
            description.setup,
            entry.joints.unit if entry.joints else entry.tool.rotation_unit,  # type: ignore[union-attr]
            entry.tool.position_unit if entry.tool else "m",
            entry.tool.rotation_form if entry.tool else "rotation_vector",
            entry.tool is not None and entry.tool.means == "tool_from_base",
        ),
    )


def look(entry: CameraEntry, poses: ArmPoses, board: Board, folder: Path, camera: Camera | None = None) -> CameraImages:
    """The boards in the images of one camera.

    Args:
        camera: intrinsics in place of those that the description names.

    Raises:
        CadsightError: when no image is there, images have several sizes, or the intrinsics cannot be used.
    """
    faults: list[Fault] = []
    if camera is None:
        camera, serial = _intrinsics(entry, folder)
        if serial and entry.serial and serial != entry.serial:
            raise CadsightError(
                f"the intrinsics {entry.intrinsics.file} are of the camera {serial}, expected those of {entry.serial}, "
                f"which took the images of {entry.name}"
            )
    names = [placed(entry.images, r, f"record {n}") for r, n in zip(poses.records, poses.names, strict=True)]
    paths = [inside(folder, name) for name in names]
    there = [i for i, path in enumerate(paths) if path.is_file()]
    if not there:
        raise CadsightError(f"{paths[0]} and the other images of {entry.name} are not there, expected one a record")
    if len(there) < len(paths):
        gone = [names[i] for i in range(len(paths)) if i not in there]
        faults.append(Fault("no_image", tuple(gone), f"{_listed(gone)} {_are(gone)} not there"))
    looked = look_for(board, [paths[i] for i in there], [names[i] for i in there])
    rows = [there[i] for i in looked.rows]
    return CameraImages(
        entry.name,
        camera,
        looked.size,
        tuple(names[i] for i in rows),
        np.array(rows, int),
        looked.found,
        (*faults, *looked.faults),
    )


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _numbers(
    entry: PosesEntry, records: Sequence[Record], names: Sequence[str], chain: Chain | None, path: Path
) -> ArmNumbers:
    def column(keys: Sequence[str], what: str, width: int | None) -> Array:
        rows = [numbers_at(r, keys, f"{path}, {n}") for r, n in zip(records, names, strict=True)]
        wrong = next((i for i, row in enumerate(rows) if len(row) != (width or len(rows[0]))), None)
        if wrong is not None:
            raise CadsightError(
                f"{path}, {names[wrong]}: {len(rows[wrong])} numbers of {what} came, expected {width or len(rows[0])}"
            )
        return np.array(rows)

    joints = position = rotation = None
    if entry.joints is not None:
        assert chain is not None
        joints = column(entry.joints.keys, "joints", chain.joints)
    if entry.tool is not None:
        rotation = column(entry.tool.rotation, "the rotation", None)
        if entry.tool.rotation_form == "matrix" and rotation.shape[1] in (12, 16) and not entry.tool.position:
            whole = rotation.reshape(len(rotation), -1, 4)
            rotation, position = whole[:, :3, :3].reshape(-1, 9), whole[:, :3, 3]
        else:
            position = column(entry.tool.position, "the position", 3)
    return ArmNumbers(joints, chain, position, rotation)


def _chain(entry: ArmEntry, folder: Path) -> Chain:
    table = entry.table
    if table is None:
        return model(entry.model)
    path = inside(folder, table.file)
    rows = read_records(path, table.list)
    keys = (table.a, table.alpha, table.d, table.theta)
    columns = [
        np.array([numbers_at(row, [key], f"{path}, joint {i + 1}")[0] for i, row in enumerate(rows)])
        if key
        else np.zeros(len(rows))
        for key in keys
    ]
    length = 1e-3 if table.length_unit == "mm" else 1.0
    angle = np.pi / 180 if table.angle_unit == "degrees" else 1.0
    a, alpha, d, theta = columns
    return Chain(a * length, alpha * angle, d * length, theta * angle, table.convention)


def _intrinsics(entry: CameraEntry, folder: Path) -> tuple[Camera, str]:
    keys, path = entry.intrinsics, inside(folder, entry.intrinsics.file)
    if not keys.matrix:
        return read_camera_file(path, entry.frame), ""
    found, where = read_document_of(path), str(path)
    width, height = (int(numbers_at(found, [key], where)[0]) for key in keys.size)
    matrix = numbers_at(found, [keys.matrix], where)
    if matrix.size != 9:
        raise CadsightError(f"{path}: {keys.matrix} has {matrix.size} numbers, expected the nine of a camera matrix")
    distortion = numbers_at(found, [keys.distortion], where).tolist() if keys.distortion else []
    serial = str(value_at(found, keys.serial, where)) if keys.serial else ""
    return _camera_of(ImageSize(width, height), matrix.reshape(3, 3), distortion, where, entry.frame), serial


def _camera_of(size: ImageSize, matrix: Array, distortion: list[float], where: str, frame: str) -> Camera:
    """The camera of a (3, 3) matrix and OpenCV's coefficients; those that are zero at the end are left out.

    Raises:
        CadsightError: for a matrix of no pinhole camera, or a lens of more coefficients.
    """
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(matrix[2] - (0, 0, 1)).max() > 1e-9:
        raise CadsightError(f"{where} has the camera matrix {matrix.tolist()}, expected one of a pinhole camera")
    while len(distortion) > 5 and distortion[-1] == 0.0:
        distortion = distortion[:-1]
    try:
        lens = tuple(distortion) if any(distortion) else ()
        fx, fy, cx, cy = (float(matrix[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
        return Camera(size, fx, fy, cx, cy, lens, frame)
    except CadsightError as error:
        raise error.at(where) from error
