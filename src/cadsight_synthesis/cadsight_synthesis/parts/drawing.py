"""A part from four sides, as it is and with what its YAML says drawn on it."""

from collections.abc import Sequence

import cv2
import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import ColourRange, Part

from cadsight_synthesis.assets.shape import Shape
from cadsight_synthesis.recipes.scenery.looks import own_material
from cadsight_synthesis.recipes.scenery.placing import distance_that_fills, looking_at, on_sphere
from cadsight_synthesis.rendering.raster.engine import RasterEngine
from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Scene, View

_VIEW = ImageSize(480, 360)
_SEEN_FROM = ((35.0, 30.0), (125.0, 30.0), (215.0, 30.0), (-55.0, -35.0))
_WHITE = (1.0, 1.0, 1.0)
# Of the frame's axes, of the symmetries, of the normal and of words.
_RED, _GREEN, _BLUE = (213, 40, 40), (0, 140, 60), (0, 80, 200)
_VIOLET, _MAGENTA, _BLACK = (130, 60, 200), (230, 0, 180), (0, 0, 0)
_STRIP = 60


def image_of(part: Part, mesh: Mesh) -> Rgb:
    """The part from four sides on white, (720, 960, 3).

    Raises:
        CadsightError: when nothing can be drawn on this machine.
    """
    return _tiled([image for image, _, _ in _seen(part, mesh)])


def explained_image_of(part: Part, mesh: Mesh) -> Rgb:
    """The part from four sides with the axes of its frame, its symmetries, point and normal, and colour ranges.

    (780, 960, 3). The parts of lines that lie within the part are drawn too.

    Raises:
        CadsightError: when nothing can be drawn on this machine.
    """
    length = 0.6 * mesh.diameter
    middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    images = []
    for image, camera, camera_from_part in _seen(part, mesh):
        canvas = image.copy()
        for axis, colour, name in zip(np.eye(3), (_RED, _GREEN, _BLUE), "xyz", strict=True):
            _arrow(canvas, camera, camera_from_part, np.zeros(3), 0.3 * mesh.diameter * axis, colour, name)
        for symmetry in part.symmetry:
            along = np.array(symmetry.axis) / np.linalg.norm(symmetry.axis)
            # As far along the axis as the part lies, which need not be about its origin.
            centre = (middle @ along) * along
            word = "any angle" if symmetry.order == 0 else f"1/{symmetry.order}"
            _line(canvas, camera, camera_from_part, (centre - length * along, centre + length * along), _VIOLET, word)
        point = np.array(part.point_of_interest)
        normal = 0.4 * mesh.diameter * np.array(part.axis_of_interest)
        _arrow(canvas, camera, camera_from_part, point, normal, _MAGENTA, "point and normal")
        images.append(canvas)
    return np.vstack([_tiled(images), _colours(part.colour)])


def _seen(part: Part, mesh: Mesh) -> list[tuple[Rgb, Camera, Pose]]:
    """Images, each with its camera and camera_from_part."""
    shape = Shape.of(mesh)
    focal = _VIEW.width / 2 / np.tan(np.deg2rad(40) / 2)
    camera = Camera(_VIEW, focal, focal, (_VIEW.width - 1) / 2, (_VIEW.height - 1) / 2)
    away = distance_that_fills(camera, shape.radius, 0.85)
    views = tuple(
        View(camera, looking_at(away * on_sphere(*side), (0.0, 0.0, 0.0)), None, _WHITE) for side in _SEEN_FROM
    )
    pose = shape.at(np.eye(3), np.zeros(3))
    body = Body(part.name, shape.ply, pose, own_material(part, shape), part.class_id)
    lamps = (Lamp("sun", (0.4, 0.6, 1.2), 1.3), Lamp("sun", (-0.8, -0.4, 0.4), 0.6))
    engine = RasterEngine()
    try:
        images = [r.image for r in engine.render(Scene((body,), views, lamps, Environment(0.45)))]
    finally:
        engine.close()
    return [(p, camera, v.world_from_camera.inverse() @ pose) for p, v in zip(images, views, strict=True)]


def _tiled(images: Sequence[Rgb]) -> Rgb:
    return np.vstack([np.hstack(images[:2]), np.hstack(images[2:])])


def _pixels(camera: Camera, camera_from_part: Pose, points: Array) -> list[tuple[int, int]] | None:
    """Where points (N, 3) are seen; None where one is behind the camera or far beside the image."""
    inside = camera_from_part.apply(points)
    if (inside[:, 2] <= 0).any():
        return None
    found = camera.project(inside)
    if not (np.abs(found) < 1e4).all():
        return None
    return [(round(x), round(y)) for x, y in found.tolist()]


def _arrow(
    canvas: Rgb,
    camera: Camera,
    camera_from_part: Pose,
    start: Array,
    along: Array,
    colour: tuple[int, int, int],
    name: str,
) -> None:
    ends = _pixels(camera, camera_from_part, np.stack([start, start + along]))
    if ends is not None:
        cv2.arrowedLine(canvas, ends[0], ends[1], colour, 2, cv2.LINE_AA, tipLength=0.15)
        cv2.circle(canvas, ends[0], 3, colour, -1, cv2.LINE_AA)
        _write_text(canvas, name, ends[1], colour)


def _line(
    canvas: Rgb,
    camera: Camera,
    camera_from_part: Pose,
    ends: tuple[Array, Array],
    colour: tuple[int, int, int],
    name: str,
) -> None:
    seen = _pixels(camera, camera_from_part, np.stack(ends))
    if seen is not None:
        cv2.line(canvas, seen[0], seen[1], colour, 1, cv2.LINE_AA)
        _write_text(canvas, name, seen[1], colour)


def _write_text(canvas: Rgb, text: str, position: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(canvas, text, (position[0] + 4, position[1]), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)


def _colours(ranges: Sequence[ColourRange]) -> Rgb:
    """A strip of all hues, those outside the ranges faded, or a word that there are none."""
    width = 2 * _VIEW.width
    strip = np.full((_STRIP, width, 3), 255, np.uint8)
    if not ranges:
        _write_text(strip, "no colour range: cadsight part colour IMAGE finds one", (8, 36), _BLACK)
        return strip
    hue = np.arange(width) * 180 // width
    hsv = np.full((1, width, 3), 255, np.uint8)
    hsv[0, :, 0] = hue
    row = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0]
    kept = np.zeros(width, bool)
    for one in ranges:
        low, high = one.low[0], one.high[0]
        kept |= (hue >= low) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    strip[20:] = np.where(kept[:, None], row, 255 - (255 - row.astype(int)) // 6).astype(np.uint8)
    _write_text(strip, "colour: the strong hues are the part's", (4, 14), _BLACK)
    return strip
