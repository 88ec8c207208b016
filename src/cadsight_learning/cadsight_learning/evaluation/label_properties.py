"""Properties of each labelled part of a test set, to find what the labels that a model fails on have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import is_crowd

# Nearer than this to the image's border, in pixels, a part is likely cut off there.
_BORDER_PX = 1.0


@dataclass(frozen=True)
class LabelProperties:
    """Properties of one label; a property is None where the label does not have it.

    Attributes:
        image: the name of its sample.
        size: square root of the box's fraction of the image.
        visible: fraction of the part that is not covered.
        brightness, contrast: mean and standard deviation of the grey values in the box, 0 to 1.
        tilt_deg: between the normal and the direction to the camera.
        at_border: 1 where the box touches the image's border.
    """

    image: str
    class_name: str
    size: float | None
    visible: float | None
    brightness: float | None
    contrast: float | None
    tilt_deg: float | None
    at_border: float | None

    def to_json(self) -> dict[str, Any]:
        return {"picture": self.image, "class": self.class_name} | {p: getattr(self, p) for p in PROPERTIES}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LabelProperties":
        """What :meth:`to_json` made; raises a KeyError or TypeError for data of another form."""
        return LabelProperties(data["picture"], data["class"], *(data.get(name) for name in PROPERTIES))


PROPERTIES = tuple(f.name for f in fields(LabelProperties))[2:]


def evaluated_labels(samples: Sequence[Sample], classes: Sequence[str]) -> tuple[LabelProperties, ...]:
    """Properties of every label that counts, sample by sample in their order.

    Raises:
        CadsightError: for an unreadable image.
    """
    return tuple(
        LabelProperties(sample.name, classes[instance.class_id], **_properties(instance, sample, image))
        for sample in samples
        for image in [read_image(sample.image) if sample.instances else None]
        for instance in counting(sample)
        if image is not None
    )


def counting(sample: Sample) -> list[Instance]:
    """The labels of a sample that count: those of crowds (COCO's ``iscrowd``) do not."""
    return [i for i in sample.instances if not is_crowd(i)]


def _properties(instance: Instance, sample: Sample, image: Rgb) -> dict[str, float | None]:
    box, size = instance.box.clipped(sample.size), sample.size
    x0, y0 = int(box.x0), int(box.y0)
    within = image[y0 : max(round(box.y1), y0 + 1), x0 : max(round(box.x1), x0 + 1)]
    grey = cv2.cvtColor(np.ascontiguousarray(within), cv2.COLOR_RGB2GRAY) / 255 if within.size else np.full(1, np.nan)
    edges = (box.x0, box.y0, size.width - box.x1, size.height - box.y1)
    visible = instance.attributes.get("visible_fraction")
    return {
        "size": _rounded(np.sqrt(box.area / (size.width * size.height))),
        "visible": None if visible is None else _rounded(visible),
        "brightness": _rounded(grey.mean()),
        "contrast": _rounded(grey.std()),
        "tilt_deg": None
        if instance.normal is None
        else _rounded(np.degrees(np.arccos(np.clip(-instance.normal[2], -1, 1)))),
        "at_border": float(min(edges) < _BORDER_PX),
    }


def _rounded(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(float(value)) else None
