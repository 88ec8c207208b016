"""A camera's intrinsics in a file, as ROS's ``camera_calibration`` writes and ``camera_info_manager`` reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.yaml_file import dump_yaml, read_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_file import write_noted

_MODELS = ("plumb_bob", "rational_polynomial")
_COEFFICIENTS = 5


def write_camera_file(path: str | Path, camera: Camera, name: str) -> Path:
    """Write a camera as such a file.

    Args:
        name: of the camera, in which camera nodes keep the model and the serial number.

    Raises:
        CadsightError: for a file of others in the way, and when the disk refuses the bytes.
    """
    distortion = [*camera.distortion, *(0.0,) * (_COEFFICIENTS - len(camera.distortion))]
    data = {
        "image_width": camera.size.width,
        "image_height": camera.size.height,
        "camera_name": name,
        "camera_matrix": _section(camera.matrix),
        "distortion_model": "plumb_bob",
        "distortion_coefficients": _section(np.array([distortion])),
        "rectification_matrix": _section(np.eye(3)),
        "projection_matrix": _section(np.column_stack([camera.matrix, np.zeros(3)])),
    }
    write_noted(path, dump_yaml(data).encode())
    return Path(path)


def read_camera_file(path: str | Path, frame: str) -> Camera:
    """The camera of a YAML with ``image_width``, ``image_height``, ``camera_matrix`` and ``distortion_coefficients``.

    Args:
        frame: name of the optical frame, which such a file does not hold.

    Raises:
        CadsightError: when the file cannot be read, lacks something, or has a lens model that is not ``plumb_bob``.
    """
    found = read_yaml(path, "the calibration ")
    if not isinstance(found, Mapping):
        raise CadsightError(f"the calibration {path} holds {found!r}, expected what camera_calibration writes")
    width, height = (_whole(found, key, path) for key in ("image_width", "image_height"))
    k = _matrix(found, "camera_matrix", (3, 3), path)
    fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    pinhole = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    if not (np.array_equal(k, pinhole) and fx > 0 and fy > 0 and 0 <= cx <= width and 0 <= cy <= height):
        raise CadsightError(
            f"the calibration {path} has the camera_matrix {k.ravel().tolist()}, expected positive focal lengths, "
            f"a centre inside {width} x {height} and no skew"
        )
    return Camera(ImageSize(width, height), fx, fy, cx, cy, _distortion(found, path), frame)


def _distortion(found: Mapping[str, Any], path: str | Path) -> tuple[float, ...]:
    model = found.get("distortion_model", "plumb_bob")
    values = _matrix(found, "distortion_coefficients", None, path).ravel()
    more = values[_COEFFICIENTS:]
    if model not in _MODELS or more.any():
        raise CadsightError(
            f"the calibration {path} has the distortion_model {model!r} with {values.tolist()}, expected plumb_bob: "
            "at most the five coefficients k1, k2, p1, p2, k3"
        )
    few = values[:_COEFFICIENTS]
    return tuple(np.pad(few, (0, _COEFFICIENTS - len(few))).tolist()) if few.any() else ()


def _section(values: np.ndarray) -> dict[str, Any]:
    return {"rows": values.shape[0], "cols": values.shape[1], "data": [float(v) for v in values.ravel()]}


def _whole(found: Mapping[str, Any], key: str, path: str | Path) -> int:
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise CadsightError(f"the calibration {path} has the {key} {value!r}, expected a whole number of pixels")
    return value


def _matrix(found: Mapping[str, Any], key: str, shape: tuple[int, int] | None, path: str | Path) -> np.ndarray:
    section = found.get(key)
    data = section.get("data") if isinstance(section, Mapping) else section
    numbers = isinstance(data, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in data)
    values = np.array(data, float) if numbers else np.array([np.nan])
    size = shape[0] * shape[1] if shape else len(values)
    if len(values) != size or not np.isfinite(values).all():
        expected = f"{size} finite numbers" if shape else "finite numbers"
        raise CadsightError(f"the calibration {path} has the {key} {section!r}, expected data of {expected}")
    return values.reshape(shape) if shape else values
