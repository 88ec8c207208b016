"""What becomes of labels when something stands in front."""

from dataclasses import replace

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.sample import Instance, encode_mask
from cadsight_core.shapes import Mask, contour, given_polygons, instance_mask


def uncovered(instance: Instance, cover: Mask, min_visible: float = 0.0) -> Instance | None:
    """The instance with ``cover`` (H, W) in front; None where less than ``min_visible`` of it, or nothing, is seen.

    Mask and contour lose what is covered, and a box that is tight around them shrinks; a box without them stays. Where
    an attribute holds the visible fraction of the part, that fraction shrinks.
    """
    size = ImageSize(cover.shape[1], cover.shape[0])
    shape = instance_mask(instance, size)
    if shape is None:
        hidden = _covered_fraction(instance.box, cover)
        return None if hidden >= 1 or 1 - hidden < min_visible else instance
    before = int(shape.sum())
    left = shape & ~cover
    seen = int(left.sum())
    if seen == before:
        return instance
    box = Box.from_mask(left)
    if box is None or seen < min_visible * before:
        return None
    attributes = {k: v for k, v in instance.attributes.items() if k != "area"}
    if given_polygons(instance):
        outline = contour(left)
        attributes["segmentation"] = [] if outline is None else [outline.ravel().tolist()]
    elif "segmentation" in attributes:
        attributes["segmentation"] = encode_mask(left)
    if "visible_fraction" in attributes:
        attributes["visible_fraction"] = round(float(attributes["visible_fraction"]) * seen / before, 4)
    if "visible_box" in attributes:
        attributes["visible_box"] = list(box.as_tuple())
    if "point_visible" in attributes and instance.point is not None and _at(cover, instance.point):
        attributes["point_visible"] = False
    return replace(
        instance,
        box=box if instance.box == Box.from_mask(shape) else instance.box,
        mask=None if instance.mask is None else left,
        attributes=attributes,
    )


def _covered_fraction(box: Box, cover: Mask) -> float:
    inside = box.clipped(ImageSize(cover.shape[1], cover.shape[0]))
    x0, y0 = int(np.floor(inside.x0)), int(np.floor(inside.y0))
    window = cover[y0 : int(np.ceil(inside.y1)), x0 : int(np.ceil(inside.x1))]
    return float(window.mean()) if window.size else 0.0


def _at(mask: Mask, pixel: np.ndarray) -> bool:
    x, y = (int(v) for v in np.rint(pixel))
    return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])
