"""Intrinsics in the YAML of ROS's camera_calibration, which camera nodes load as camera_info_url."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.yaml_file import dump_yaml, read_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.storage.output_file import write_noted


@dataclass(frozen=True)
class CameraInfo:
    """A calibrated camera and its name, in which camera nodes keep the model and the serial number."""

    name: str
    camera: Camera


def write_camera_info(path: str | Path, info: CameraInfo) -> Path:
    """Write ``info`` as ROS's camera_info_manager reads it.

    Raises:
        CadsightError: for a file of others in the way, and when the disk refuses the bytes.
    """
    camera = info.camera
    distortion = [*camera.distortion, *(0.0,) * (5 - len(camera.distortion))]
    projection = np.column_stack([camera.matrix, np.zeros(3)])
    data = {
        "image_width": camera.size.width,
        "image_height": camera.size.height,
        "camera_name": info.name,
        "camera_matrix": _matrix(camera.matrix),
        "distortion_model": "plumb_bob",
        "distortion_coefficients": _matrix(np.array([distortion])),
        "rectification_matrix": _matrix(np.eye(3)),
        "projection_matrix": _matrix(projection),
    }
    write_noted(path, dump_yaml(data).encode())
    return Path(path)


def read_camera_info(path: str | Path) -> CameraInfo:
    """The camera in such a file.

    Raises:
        CadsightError: when it cannot be read, lacks a key, or has a lens that is not plumb_bob.
    """
    found = read_yaml(path, "the intrinsics ")
    if not isinstance(found, Mapping):
        raise CadsightError(f"the intrinsics {path} hold {found!r}, expected the YAML of ROS's camera_calibration")
    try:
        size = ImageSize(int(found["image_width"]), int(found["image_height"]))
        matrix = np.array(found["camera_matrix"]["data"], float).reshape(3, 3)
        model = found.get("distortion_model", "plumb_bob")
        distortion = [float(v) for v in found.get("distortion_coefficients", {"data": []})["data"]]
        name = str(found.get("camera_name", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise CadsightError(
            f"the intrinsics {path} have no usable {error}, expected the YAML of ROS's camera_calibration"
        ) from error
    if model != "plumb_bob":
        raise CadsightError(f"the intrinsics {path} have the lens {model!r}, expected plumb_bob")
    return CameraInfo(name, camera_of(size, matrix, distortion, str(path)))


def camera_of(size: ImageSize, matrix: Array, distortion: list[float], where: str, frame: str = "") -> Camera:
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
        return Camera(size, fx, fy, cx, cy, lens, *([frame] if frame else []))
    except CadsightError as error:
        raise error.at(where) from error


def _matrix(values: Array) -> dict[str, Any]:
    return {"rows": values.shape[0], "cols": values.shape[1], "data": [float(v) for v in values.ravel()]}
