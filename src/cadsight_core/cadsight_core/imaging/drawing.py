"""Instances drawn on their image for people: labels, the truth, and what a model finds."""

from collections.abc import Sequence

import cv2
import numpy as np

from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from cadsight_core.shapes import instance_polygons

Colour = tuple[int, int, int]

# Okabe and Ito's colours, told apart by colour-blind eyes too.
_PALETTE = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
_NORMAL = (255, 0, 255)
# cv2 takes coordinates in 1/16 pixel, from the centre of the top left pixel; boxes count from its corner.
_SHIFT = 4
_CORNER_PX = 0.5


def draw_instances(
    image: Rgb,
    instances: Sequence[Instance],
    classes: Sequence[str] = (),
    colour: Colour | None = None,
    thickness: int | None = None,
) -> Rgb:
    """A copy of ``image`` (H, W, 3) with box, outline and normal of each instance, and its name and score.

    Args:
        classes: names by id; none where nothing is to be written.
        colour: of all that is drawn, else one for each class and another for normals.
        thickness: of lines, in pixels, else one for images of this size.
    """
    canvas = np.array(image)
    size = ImageSize(image.shape[1], image.shape[0])
    width = thickness or max(1, round(min(image.shape[:2]) / 320))
    for instance in instances:
        own = colour or _PALETTE[instance.class_id % len(_PALETTE)]
        for polygon in instance_polygons(instance, size):
            points = np.round((polygon - _CORNER_PX) * (1 << _SHIFT)).astype(np.int32)
            cv2.polylines(canvas, [points], True, own, width, cv2.LINE_AA, _SHIFT)
        box = instance.box
        corner = (box.x0 - _CORNER_PX, box.y0 - _CORNER_PX)
        opposite = (box.x1 - _CORNER_PX, box.y1 - _CORNER_PX)
        cv2.rectangle(canvas, _fixed(corner), _fixed(opposite), own, width, cv2.LINE_AA, _SHIFT)
        if instance.normal is not None:
            start, tip = (_fixed(end) for end in arrow(instance, instance.normal))
            cv2.arrowedLine(canvas, start, tip, colour or _NORMAL, width + 1, cv2.LINE_AA, _SHIFT, tipLength=0.2)
            cv2.circle(canvas, start, (width + 1) << _SHIFT, colour or _NORMAL, -1, cv2.LINE_AA, _SHIFT)
        if classes:
            _write(canvas, _caption(instance, classes), corner, own)
    return canvas


def arrow(instance: Instance, normal: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Start and end of the arrow of a normal (3,) in the camera's optical frame, from the centre of the top left pixel.

    It starts at the point of interest, else at the box's centre, and is the normal's projection on the image: a
    normal that looks straight at the camera has none, one across the line of sight is half as long as the box's longer
    side.
    """
    if instance.point is None:
        x, y = (centre - _CORNER_PX for centre in instance.box.centre)
    else:
        x, y = map(float, instance.point)
    length = max(instance.box.width, instance.box.height) / 2
    return (x, y), (x + length * float(normal[0]), y + length * float(normal[1]))


def _caption(instance: Instance, classes: Sequence[str]) -> str:
    known = 0 <= instance.class_id < len(classes)
    name = classes[instance.class_id] if known else str(instance.class_id)
    return name if instance.score is None else f"{name} {instance.score:.2f}"


def _write(canvas: Rgb, text: str, corner: tuple[float, float], colour: Colour) -> None:
    text = text.encode("ascii", "replace").decode()  # OpenCV's fonts have no other letters
    scale = max(0.4, min(canvas.shape[:2]) / 1000)
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = int(np.clip(corner[0], 0, max(canvas.shape[1] - width, 0)))
    y = int(np.clip(corner[1], height + baseline, canvas.shape[0]))
    cv2.rectangle(canvas, (x, y - height - baseline), (x + width, y), colour, -1)
    cv2.putText(canvas, text, (x, y - baseline // 2), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    x, y = (round(value * (1 << _SHIFT)) for value in point)
    return x, y
