"""How much work an experiment is: seconds for a first try, hours on two cores, or what the papers did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cadsight_core.errors import CadsightError

AnyScale = TypeVar("AnyScale")


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


@dataclass(frozen=True)
class ActiveScale:
    """How much work the choice of images to label is (Eversberg, section 4).

    Attributes:
        strategies: those that are compared where none are named; random and entropy are among them.
        seeds: by number of chosen images in the one cycle how many seeds.
        cycles: batches one after the other for one strategy, each of ``cycle_images``, with ``cycle_seeds``.
        between: numbers of images of random's between which labels are compared; what random reaches with the second
            is what each strategy is asked for.
        updates: steps of the optimizer in a training, however many images it has; 0 for the epochs of ``detector``.
        detector: options of the trainings.
        base_epochs: of the training of a base on synthetic images.
    """

    strategies: tuple[str, ...]
    seeds: Mapping[int, int]
    cycles: int
    cycle_images: int
    cycle_seeds: int
    between: tuple[int, int]
    updates: int
    detector: Mapping[str, Any]
    base_epochs: int


_STRATEGIES = ("random", "entropy", "margin", "random_margin", "dbal", "core_set", "ppal", "typiclust")
# Ten where random and the others are compared: the paper's random at 25 has a standard deviation of .014.
_SEEDS = {10: 3, 25: 10, 50: 10, 100: 3, 150: 3, 200: 3}
ACTIVE_SCALES = {
    "smoke": ActiveScale(
        strategies=("random", "entropy", "dbal"),
        seeds={2: 1, 4: 1},
        cycles=2,
        cycle_images=2,
        cycle_seeds=1,
        between=(2, 4),
        updates=0,
        detector={"epochs": 1, "image_size": 96, "batch": 4},
        base_epochs=1,
    ),
    "cpu": ActiveScale(
        strategies=_STRATEGIES,
        seeds=_SEEDS,
        cycles=8,
        cycle_images=25,
        cycle_seeds=3,
        between=(25, 50),
        updates=200,
        detector={"image_size": 320, "batch": 8},
        base_epochs=20,
    ),
    # Section 3.3: SGD at 1e-5, a batch of 4, 640x360, 85 epochs for the base, then until the AP no longer rises.
    "paper": ActiveScale(
        strategies=_STRATEGIES,
        seeds=_SEEDS,
        cycles=8,
        cycle_images=25,
        cycle_seeds=3,
        between=(25, 50),
        updates=0,
        detector={"family": "faster-rcnn", "image_size": 640, "batch": 4, "epochs": 100, "patience": 10},
        base_epochs=85,
    ),
}


def scale_of(name: str) -> Scale:
    """Raises:
    CadsightError: for an unknown name.
    """
    return _named(SCALES, name)


def active_scale_of(name: str) -> ActiveScale:
    """Raises:
    CadsightError: for an unknown name.
    """
    return _named(ACTIVE_SCALES, name)


def _named(scales: Mapping[str, AnyScale], name: str) -> AnyScale:
    if name not in scales:
        raise CadsightError(f"the scale is {name!r}, expected one of {', '.join(scales)}")
    return scales[name]
