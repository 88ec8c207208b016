"""How generators are trained; read by the commands before anything heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.registered import Registered
from cadsight_learning.options import check_device, device_parameter

from cadsight_generation.scales import CountedInImages, scaled

# Sides of the images that the networks make, in pixels: they double from 4 x 4.
SIZES = (16, 32, 64, 128, 256, 512)


@dataclass(frozen=True)
class GeneratorKind:
    """A pair of networks, and how it is trained unless something else is asked for.

    Attributes:
        build: ``module:function``, imported when the networks are wanted: from a
            :class:`cadsight_generation.networks.shape.NetworkShape` to the generator and the critic, whose ``layers``
            come one after the other from the image on.
        defaults: of :class:`GeneratorOptions`.
    """

    name: str
    build: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adversarial:
    """What critic and generator descend.

    Attributes:
        build: ``module:name`` of a :class:`cadsight_generation.unconditional.objectives.losses.Losses`.
    """

    name: str
    build: str


@dataclass(frozen=True)
class Penalty:
    """What holds the critic's slope.

    Attributes:
        build: ``module:function``: from the critic, real and made images (N, C, H, W) to the penalty, a scalar;
            '' where nothing is added.
    """

    name: str
    build: str = ""


# Another package adds one of each by an entry point of its group.
KINDS = Registered(
    "kind of generator",
    "cadsight.generators",
    GeneratorKind,
    (
        GeneratorKind(
            "default",
            "cadsight_generation.networks.upsampling:networks",
            {
                "loss": "hinge2",
                "augment": "colour,translation",
                "r1": 0.05,
                "learning_rate": 6e-4,
                "average_images": 5000,
                "critic_beta2": 0.99,
                "generator_beta2": 0.99,
            },
        ),
        GeneratorKind(
            "dcgan",
            "cadsight_generation.networks.dcgan:networks",
            {"loss": "gan", "augment": "none", "r1": 0.0, "average_images": 0, "learning_rate": 2e-4},
        ),
    ),
)
_LOSSES = "cadsight_generation.unconditional.objectives.losses"
LOSSES = Registered(
    "loss",
    "cadsight.generator_losses",
    Adversarial,
    tuple(Adversarial(name, f"{_LOSSES}:{name.upper()}") for name in ("gan", "lsgan", "hinge", "hinge2", "wgan")),
)
_PENALTIES = "cadsight_generation.unconditional.objectives.penalties"
PENALTIES = Registered(
    "penalty",
    "cadsight.generator_penalties",
    Penalty,
    (
        Penalty("none"),
        Penalty("wgan-gp", f"{_PENALTIES}:between_real_and_made"),
        Penalty("dragan", f"{_PENALTIES}:around_real"),
    ),
)
# How much work a training is: seconds, for a test that everything runs; 100 000 images seen, 40 minutes of a
# core; or the thesis' images of 256 pixels, for a GPU.
SCALES: Mapping[str, Mapping[str, Any]] = {
    "smoke": {"size": 16, "width": 8, "batch": 4, "images_seen": 200, "epoch_images": 100},
    "cpu": {"size": 64, "width": 16, "batch": 8, "images_seen": 100_000, "epoch_images": 5000},
    "gpu": {"size": 256, "width": 64, "batch": 64, "images_seen": 5_000_000, "epoch_images": 50_000},
}
AUGMENTATIONS = ("none", "colour", "translation", "colour,translation")
FLIPS = ("none", "horizontal", "vertical", "both", "auto")


@dataclass(frozen=True)
class GeneratorOptions(CountedInImages):
    """How a generator is trained."""

    kind: str = parameter(
        "default",
        "the networks: 'default' (upsampling and convolution) or 'dcgan' (those of the thesis, whose other defaults "
        "follow)",
        choices=KINDS,
    )
    loss: str = parameter(
        "hinge2",
        "what is descended: of the two hinge losses, 'hinge2' is the usual one and 'hinge' also cuts the generator's",
        choices=LOSSES,
    )
    penalty: str = parameter("none", "on the slope of the critic, beside the loss", choices=PENALTIES)
    penalty_weight: float = parameter(10.0, "of the penalty", minimum=0.0, maximum=1e4)
    size: int = parameter(
        64, "side of the images that are made, in pixels: a power of two", minimum=SIZES[0], maximum=SIZES[-1]
    )
    width: int = parameter(16, "channels of the last layers, up to an eighth of the first's", minimum=4, maximum=512)
    z: int = parameter(128, "random numbers that an image is made of", minimum=2, maximum=4096)
    batch: int = parameter(8, "images a step", minimum=2, maximum=1024)
    images_seen: int = parameter(100_000, "real images that the critic sees in all", minimum=2, maximum=10**10)
    epoch_images: int = parameter(
        5000, "of these between two sample sheets, after each of which it can be gone on", minimum=2, maximum=10**9
    )
    critic_steps: int = parameter(1, "steps of the critic for one of the generator (ND)", minimum=1, maximum=100)
    learning_rate: float = parameter(6e-4, "of Adam", minimum=1e-7, maximum=1.0)
    beta1: float = parameter(0.5, "of Adam", minimum=0.0, maximum=0.9999)
    critic_beta2: float = parameter(0.999, "of the critic's Adam", minimum=0.0, maximum=0.99999)
    generator_beta2: float = parameter(0.999, "of the generator's Adam", minimum=0.0, maximum=0.99999)
    average_images: int = parameter(
        5000, "images seen over which the generator's weights are averaged; 0 for the last weights", minimum=0
    )
    augment: str = parameter(
        "colour,translation", "changes of all images that the critic sees, real or made", choices=AUGMENTATIONS
    )
    flips: str = parameter(
        "none",
        "mirror images that are learned from, right only where the part looks so in a mirror; 'auto' where the whole "
        "set looks so",
        choices=FLIPS,
    )
    r1: float = parameter(0.05, "weight of the lazy R1 penalty; 0 for none", minimum=0.0, maximum=1e4)
    r1_every: int = parameter(16, "steps of the critic to one with R1", minimum=1, maximum=1000)
    masks: str = parameter(
        "auto",
        "a mask beside each image that is made: 'yes', 'no', or 'auto' where every image to learn from has one",
        choices=("auto", "yes", "no"),
    )
    grey: bool = parameter(False, "learn from images turned grey")
    frozen: int = parameter(
        0,
        "of a model that is gone on from, how many of the critic's layers, from the image on, stay as they are",
        minimum=0,
        maximum=7,
    )
    sheet_images: int = parameter(100, "images on a sample sheet", minimum=1, maximum=400)
    seed: int = parameter(0, "of the weights, the order and all random numbers", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        check(self)
        check_device(self.device)
        if self.size not in SIZES:
            raise CadsightError(f"the size is {self.size}, expected one of {', '.join(map(str, SIZES))}")
        if self.penalty == "none" and self.penalty_weight != 10.0:
            raise CadsightError(
                f"the penalty's weight is {self.penalty_weight:g} and there is no penalty, expected 'wgan-gp' or "
                "'dragan'"
            )


def options_for(scale: str, given: Mapping[str, Any], where: str) -> GeneratorOptions:
    """The options that are ``given``, else those of the kind, else those of the ``scale``.

    Raises:
        CadsightError: for an unknown scale or kind, and a value out of range.
    """
    return scaled(GeneratorOptions, KINDS, SCALES, scale, given, where)
