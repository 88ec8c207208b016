"""Labels drawn on their picture, to be looked at."""

from collections.abc import Sequence

import cv2
import numpy as np

from cadsight_core.camera import ImageSize
from cadsight_core.images import Rgb
from cadsight_core.sample import Instance
from cadsight_core.shapes import instance_polygons

# Okabe and Ito's colours, told apart by colour-blind eyes too.
_PALETTE = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
# cv2 takes coordinates in 1/16 pixel.
_SHIFT = 4


def draw_labels(image: Rgb, instances: Sequence[Instance], classes: Sequence[str]) -> Rgb:
    """A copy of ``image`` (H, W, 3) with box, outline, name, score, point of interest and normal of each instance.

    The normal is drawn as its x and y in the optical frame, half the box long when it lies in the image plane.
    """
    canvas = image.copy()
    size = ImageSize(image.shape[1], image.shape[0])
    thickness = max(1, round(min(image.shape[:2]) / 320))
    for instance in instances:
        colour = _PALETTE[instance.class_id % len(_PALETTE)]
        for polygon in instance_polygons(instance, size):
            cv2.polylines(canvas, [_fixed(polygon - 0.5)], True, colour, thickness, cv2.LINE_AA, _SHIFT)
        corners = np.reshape(instance.box.as_tuple(), (2, 2)) - 0.5
        first, last = (tuple(map(int, c)) for c in _fixed(corners))
        cv2.rectangle(canvas, first, last, colour, thickness, cv2.LINE_AA, _SHIFT)
        if instance.normal is not None:
            _draw_normal(canvas, instance, thickness)
        _write(canvas, _caption(instance, classes), corners[0], colour)
    return canvas


def _draw_normal(canvas: Rgb, instance: Instance, thickness: int) -> None:
    start = np.asarray(instance.box.centre) - 0.5 if instance.point is None else np.asarray(instance.point, float)
    length = max(instance.box.width, instance.box.height) / 2
    tip = start + np.asarray(instance.normal)[:2] * length
    ends = [tuple(map(int, np.round(p))) for p in (start, tip)]
    cv2.arrowedLine(canvas, ends[0], ends[1], (255, 0, 255), thickness + 1, cv2.LINE_AA, tipLength=0.2)
    cv2.circle(canvas, ends[0], thickness + 1, (255, 0, 255), -1, cv2.LINE_AA)


def _caption(instance: Instance, classes: Sequence[str]) -> str:
    known = 0 <= instance.class_id < len(classes)
    name = classes[instance.class_id] if known else str(instance.class_id)
    return name if instance.score is None else f"{name} {instance.score:.2f}"


def _write(canvas: Rgb, text: str, corner: np.ndarray, colour: tuple[int, int, int]) -> None:
    text = text.encode("ascii", "replace").decode()  # OpenCV's fonts have no other letters
    scale = max(0.4, min(canvas.shape[:2]) / 1000)
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = int(np.clip(corner[0], 0, max(canvas.shape[1] - width, 0)))
    y = int(np.clip(corner[1], height + baseline, canvas.shape[0]))
    cv2.rectangle(canvas, (x, y - height - baseline), (x + width, y), colour, -1)
    cv2.putText(canvas, text, (x, y - baseline // 2), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)
