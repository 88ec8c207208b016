"""How translators are trained; read by the commands before anything heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.registered import Registered
from cadsight_learning.options import check_device, device_parameter

from cadsight_generation.scales import CountedInImages, scaled


@dataclass(frozen=True)
class TranslatorKind:
    """Networks and what they descend, and how they are trained unless something else is asked for.

    Attributes:
        build: ``module:function``, imported when they are wanted: from :class:`TranslatorOptions` to an
            :class:`cadsight_generation.translation.objectives.objective.Objective`.
        conditioned: whether the translator sees the mask and the surface normals of the renderer beside the image.
        demodulated: whether its convolutions are demodulated, else what they give is normalised.
        defaults: of :class:`TranslatorOptions`.
    """

    name: str
    build: str
    conditioned: bool = False
    demodulated: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)


_OBJECTIVES = "cadsight_generation.translation.objectives"
# Another package adds one by an entry point of this group.
KINDS = Registered(
    "kind of translator",
    "cadsight.translators",
    TranslatorKind,
    (
        TranslatorKind("cut-demod", f"{_OBJECTIVES}.cut:Cut", conditioned=True, defaults={"edges": 5.0}),
        TranslatorKind("cyclegan", f"{_OBJECTIVES}.cycle:Cycle", demodulated=False, defaults={"edges": 0.0}),
        # The paper needed a lower rate for this one.
        TranslatorKind("cyclegan-demod", f"{_OBJECTIVES}.cycle:Cycle", defaults={"edges": 0.0, "learning_rate": 1e-4}),
    ),
)
# How much work a training is: seconds, for a test that everything runs; about half an hour on two cores; or about the
# paper's 200 epochs of 633 images at the published size, for a GPU.
SCALES: Mapping[str, Mapping[str, Any]] = {
    "smoke": {
        "size": 32, "longer": 64, "width": 4, "blocks": 1, "batch": 2, "images_seen": 8, "epoch_images": 4,
        "validated": 4, "patches": 16,
    },
    "cpu": {
        "size": 64, "longer": 160, "width": 16, "blocks": 4, "batch": 4, "images_seen": 12_000, "epoch_images": 1000,
        "validated": 24,
    },
    "gpu": {
        "size": 256, "longer": 640, "width": 64, "blocks": 9, "batch": 4, "images_seen": 126_600, "epoch_images": 3165,
        "validated": 100, "patches": 256,
    },
}  # fmt: skip


@dataclass(frozen=True)
class TranslatorOptions(CountedInImages):
    """How a translator is trained."""

    kind: str = parameter(
        "cut-demod",
        "the networks and their losses: 'cut-demod' (one way, patch by patch, conditioned on the renderer's mask and "
        "normals), 'cyclegan' (as published) or 'cyclegan-demod' (as in the paper on real and synthetic sets)",
        choices=KINDS,
    )
    size: int = parameter(64, "side of the crops to learn from, in pixels: a multiple of 4", minimum=16, maximum=1024)
    longer: int = parameter(
        160, "longer side of an image as the translator sees it; what it changes is enlarged to the image's own size",
        minimum=32, maximum=4096,
    )  # fmt: skip
    width: int = parameter(16, "channels of the first layer", minimum=2, maximum=256)
    blocks: int = parameter(4, "residual blocks", minimum=1, maximum=32)
    batch: int = parameter(4, "crops of each domain a step", minimum=1, maximum=256)
    images_seen: int = parameter(12_000, "synthetic crops that are learned from in all", minimum=1, maximum=10**10)
    epoch_images: int = parameter(
        1000, "of these between two sample sheets, after each of which it can be gone on", minimum=1, maximum=10**9
    )
    learning_rate: float = parameter(
        2e-4, "of Adam; it falls in a line to 0 over the second half", minimum=1e-7, maximum=1.0
    )
    cycle: float = parameter(10.0, "weight of the way there and back (lambda of CycleGAN)", minimum=0.0, maximum=1e4)
    identity: float = parameter(
        0.5,
        "weight of leaving real images as they are; of CycleGAN a fraction of the cycle's",
        minimum=0.0,
        maximum=1e4,
    )
    pool: int = parameter(
        50, "translated images that CycleGAN's discriminators are shown again", minimum=0, maximum=10_000
    )
    patch_weight: float = parameter(1.0, "weight of CUT's patches: each like itself before", minimum=0.0, maximum=1e4)
    patches: int = parameter(64, "patches of a crop and layer that CUT compares", minimum=2, maximum=4096)
    edges: float = parameter(
        5.0, "weight of the alignment of gradients in a band about the silhouette", minimum=0.0, maximum=1e4
    )
    agreement: float = parameter(
        1.0, "weight of a frozen detector and regressor saying the same before and after, where they are given",
        minimum=0.0, maximum=1e4,
    )  # fmt: skip
    matched: int = parameter(
        8, "real crops of which the one with the most alike share of parts is taken; 1 for any", minimum=1, maximum=1000
    )
    validated: int = parameter(24, "synthetic images that each epoch is chosen by", minimum=2, maximum=100_000)
    least_holding: float = parameter(
        0.9, "fraction of these whose labels must hold in an epoch that is kept", minimum=0.0, maximum=1.0
    )
    sheet_images: int = parameter(8, "images on a sample sheet", minimum=1, maximum=100)
    seed: int = parameter(0, "of the weights, the order and all random numbers", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        check(self)
        check_device(self.device)
        if self.size % 4:
            raise CadsightError(f"the size is {self.size}, expected a multiple of 4")


def options_for(scale: str, given: Mapping[str, Any], where: str) -> TranslatorOptions:
    """The options that are ``given``, else those of the kind, else those of the ``scale``.

    Raises:
        CadsightError: for an unknown scale or kind, and a value out of range.
    """
    return scaled(TranslatorOptions, KINDS, SCALES, scale, given, where)
