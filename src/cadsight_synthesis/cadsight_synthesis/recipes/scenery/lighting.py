"""The light of a cell, from an image of its empty white table."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array, Pose

# Fraction of the light that is taken to come from everywhere where the image cannot tell.
_AMBIENT_FRACTION = 0.35
_TRUST = 0.02
_CLIPPED = 0.97


@dataclass(frozen=True, eq=False)
class TableLight:
    """One lamp and light from everywhere that together give the table its brightness.

    Attributes:
        position: (3,) of the lamp, metres in the frame of the table.
        ambient: (3,) linear brightness of a white surface under the light from everywhere alone.
        direct: (3,) the same under the lamp alone, at the point that the camera looks at.
        middle: (3,) the point that the camera looks at.
        error: root mean square of what the lamp and the ambient light leave unexplained.
    """

    position: Array
    ambient: Array
    direct: Array
    middle: Array
    error: float


def light_of_table(image: Array, camera: Camera, table_from_camera: Pose, height: float = 0.0) -> TableLight:
    """Find the lamp whose light fits an image of an empty table best.

    A matt table under a point lamp shows ``ambient + direct cos / r^2``; both are linear, so that each point of a
    grid of lamps has one best answer (least squares, drawn towards the usual fraction of ambient light). What is much
    darker than the rest, such as a part of the robot, and what is clipped, is left out.
    Lamp and ambient light are taken to be of one colour.

    Args:
        image: (H, W, 3) linear, 0 to 1.
        table_from_camera: pose of the camera's optical frame; z points up from the table.
        height: of the table in that frame, metres.
    """
    rows, columns = (
        np.linspace(8, side - 9, n).round().astype(int) for side, n in zip(image.shape[:2], (24, 32), strict=True)
    )
    v, u = (g.ravel() for g in np.meshgrid(rows, columns, indexing="ij"))
    seen = image[v, u]
    points = _on_table(camera, table_from_camera, np.column_stack([u, v]), height)
    middle = _on_table(camera, table_from_camera, np.array([[camera.cx, camera.cy]]), height)[0]
    brightness = seen.mean(axis=1)
    used = (brightness > 0.75 * np.median(brightness)) & (seen.max(axis=1) < _CLIPPED)
    if used.sum() < 50:
        used = brightness > 0.75 * np.median(brightness)
    points, seen = points[used], seen[used]

    camera_height = float(table_from_camera.translation[2] - height)
    best: TableLight | None = None
    for x in np.linspace(-1.2, 1.2, 13):
        for y in np.linspace(-1.2, 1.2, 13):
            for z in (1.2, 1.7, 2.4):
                position = middle + np.array([x, y, z]) * camera_height
                falloff = _falloff(points, position) / _falloff(middle[None], position)[0]
                ambient, direct, error = _fit(falloff, seen)
                if best is None or error < best.error:
                    best = TableLight(position, ambient, direct, middle, error)
    assert best is not None
    return best


def _fit(falloff: Array, seen: Array) -> tuple[Array, Array, float]:
    """Ambient and direct (3,), which have one colour, and the error."""
    weight = _TRUST * np.sqrt(len(seen))
    level = seen.mean(axis=0)
    # As fractions of the mean colour: a cheap camera's channels differ by less than its vignetting.
    fraction = (seen / level).mean(axis=1)
    rows = np.vstack([np.column_stack([np.ones_like(falloff), falloff]), weight * np.eye(2)])
    measured = np.concatenate([fraction, weight * np.array([_AMBIENT_FRACTION, 1 - _AMBIENT_FRACTION])])
    ambient, direct = np.clip(np.linalg.lstsq(rows, measured, rcond=None)[0], 0, None)
    error = float(np.sqrt(np.mean((ambient + direct * falloff - fraction) ** 2)))
    return ambient * level, direct * level, error


def _falloff(points: Array, position: Array) -> Array:
    away = position - points
    return away[:, 2] / np.linalg.norm(away, axis=1) ** 3


def _on_table(camera: Camera, table_from_camera: Pose, pixels: Array, height: float) -> Array:
    rays = table_from_camera.rotate(camera.rays(pixels))
    far = (height - table_from_camera.translation[2]) / rays[:, 2]
    return np.asarray(table_from_camera.translation + rays * far[:, None])
