"""Boxes and normals drawn into a picture, for people."""

from collections.abc import Sequence

import cv2
import numpy as np
from cadsight_core.images import Rgb
from cadsight_core.sample import Instance

_BOX, _NORMAL = (0, 120, 255), (20, 200, 60)


def annotated(image: Rgb, instances: Sequence[Instance], classes: Sequence[str]) -> Rgb:
    """A copy of ``image`` with each instance's box, class and score, and its normal as seen from the camera.

    The normal's line starts at the box's centre; it is as long as half of the box when it lies in the picture's
    plane, and a point when it looks into the camera.
    """
    drawn = np.array(image)
    for instance in instances:
        x0, y0, x1, y1 = (round(v) for v in instance.box.as_tuple())
        cv2.rectangle(drawn, (x0, y0), (x1 - 1, y1 - 1), _BOX, 2)
        name = f"{classes[instance.class_id]} {1.0 if instance.score is None else instance.score:.2f}"
        cv2.putText(drawn, name, (x0, max(y0 - 5, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _BOX, 1, cv2.LINE_AA)
        if instance.normal is not None:
            centre = np.array(instance.box.centre)
            tip = centre + instance.normal[:2] * max(instance.box.width, instance.box.height) / 2
            start, end = (tuple(int(v) for v in np.rint(point)) for point in (centre, tip))
            cv2.arrowedLine(drawn, start, end, _NORMAL, 2, cv2.LINE_AA, tipLength=0.25)
            cv2.circle(drawn, start, 3, _NORMAL, -1, cv2.LINE_AA)
    return drawn
