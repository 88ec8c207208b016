"""How much work an experiment is: seconds for a first try, hours on two cores, or what the papers did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.errors import CadsightError


@dataclass(frozen=True)
class Scale:
    """Images, networks and epochs.

    Attributes:
        seeds: trainings of each set.
        engine: what renders synthetic images.
        synthetic: number of synthetic images.
        sizes: of YOLO, where an experiment compares them.
        real_steps, synthetic_steps: numbers of images in a grid.
        fractions: of synthetic images in a mixture.
        fewer: fraction of the epochs that are left after another training.
        copies: changed copies of each rendered image, where an experiment augments.
        detector, normals, mask: options of the trainings; ``mask`` those of a Mask R-CNN.
    """

    seeds: int
    engine: str
    synthetic: int
    sizes: tuple[str, ...]
    real_steps: tuple[int, ...]
    synthetic_steps: tuple[int, ...]
    fractions: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    fewer: float = 0.3
    copies: int = 1
    detector: Mapping[str, Any] = field(default_factory=dict)
    normals: Mapping[str, Any] = field(default_factory=dict)
    mask: Mapping[str, Any] = field(default_factory=dict)


SCALES = {
    "smoke": Scale(
        seeds=1,
        engine="raster",
        synthetic=12,
        sizes=("nano",),
        real_steps=(0, 4),
        synthetic_steps=(0, 6),
        fractions=(0.0, 1.0),
        detector={"epochs": 1, "image_size": 96, "batch": 4},
        normals={"epochs": 1, "image_size": 32, "batch": 4},
        mask={"family": "mask-rcnn", "epochs": 1, "image_size": 64, "batch": 2},
    ),
    "cpu": Scale(
        seeds=3,
        engine="cycles",
        synthetic=240,
        sizes=("nano",),
        real_steps=(0, 5, 10, 20),
        synthetic_steps=(0, 60, 240),
        detector={"epochs": 20, "image_size": 320},
        normals={"epochs": 40, "batch": 8, "learning_rate": 3e-3, "turn_deg": 10.0},
        mask={"family": "mask-rcnn-lite0", "epochs": 4},
    ),
    # Comillas: 633 images; Morato: up to 1000 of CAD and 40 real; Rudenko: 100 rendered, 1012 augmented.
    "paper": Scale(
        seeds=3,
        engine="cycles",
        synthetic=1000,
        sizes=("nano", "medium", "xlarge"),
        real_steps=(0, 5, 10, 20, 40),
        synthetic_steps=(0, 150, 500, 1000),
        copies=9,
        detector={"epochs": 100, "image_size": 640},
        normals={"epochs": 150},
        mask={"family": "mask-rcnn", "epochs": 30},
    ),
}


def scale_of(name: str) -> Scale:
    """Raises:
    CadsightError: for an unknown name.
    """
    if name not in SCALES:
        raise CadsightError(f"the scale is {name!r}, expected one of {', '.join(SCALES)}")
    return SCALES[name]
