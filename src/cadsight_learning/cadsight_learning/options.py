"""How models are trained; read by the commands before anything heavy is imported."""

import re
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.crop_size import CROP_SIZE
from cadsight_core.registered import Registered

# The registry that commands, nodes and launch files look in by default: where `cadsight demo` puts its models.
MODELS_FOLDER = "runs/demo/models"
# Detections by default: parts of at least this confidence, the most confident ones of an image.
CONFIDENCE, MAX_DETECTIONS = 0.5, 10
SIZES = {"nano": "n", "small": "s", "medium": "m", "large": "l", "xlarge": "x"}
# What runs a network, the fastest first; auto is the first of the others that this machine has, on a processor.
RUNTIMES = ("auto", "openvino-bf16", "openvino", "onnxruntime", "torch")


@dataclass(frozen=True)
class RegressorNetwork:
    """A network that regresses normals.

    Attributes:
        build: ``module:function``, imported when the network is wanted: from the side of a crop in pixels to an
            ``nn.Sequential`` (see :mod:`cadsight_learning.normals.networks`).
        on_hub: whether torchvision's hub has weights of its body.
        packaged: whether its body is the EfficientNet-Lite0 of which an installed package has weights.
    """

    name: str
    build: str
    on_hub: bool = False
    packaged: bool = False


_NETWORKS = "cadsight_learning.normals.networks"
# The networks of regressors; another package adds one by an entry point of this group.
REGRESSORS = Registered(
    "regressor",
    "cadsight.regressors",
    RegressorNetwork,
    (
        RegressorNetwork("comillas", f"{_NETWORKS}:comillas"),
        RegressorNetwork("compact", f"{_NETWORKS}:compact"),
        RegressorNetwork("efficientnet_lite0", f"{_NETWORKS}:efficientnet_lite0", packaged=True),
        RegressorNetwork("mobilenet_v3_small", f"{_NETWORKS}:mobilenet_v3_small", on_hub=True),
        RegressorNetwork("resnet18", f"{_NETWORKS}:resnet18", on_hub=True),
    ),
)


def device_parameter() -> Any:
    return parameter("auto", "where to compute: auto (a GPU where there is one, else the CPU), cpu, cuda or cuda:N")


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """Options of the training of any detector; each family derives a class of its own from it, with its defaults and
    what only its networks take (see :mod:`cadsight_learning.detection.families`).

    Attributes:
        stride: the image size is a multiple of it.
        packaged: whether an installed package has weights to start from.
    """

    stride: ClassVar[int] = 32
    packaged: ClassVar[bool] = False

    family: str = parameter(MISSING, "family of the network")
    epochs: int = parameter(100, "passes over the training images", minimum=1, maximum=100_000)
    seconds: float = parameter(0.0, "time after which training ends, whatever the epochs; 0 for none", minimum=0.0)
    image_size: int = parameter(MISSING, "longer side of an image as the network sees it", minimum=32, maximum=4096)
    batch: int = parameter(MISSING, "images a step", minimum=2, maximum=1024)
    optimizer: str = parameter(MISSING, "what descends the loss", choices=("adamw", "sgd"))
    learning_rate: float = parameter(MISSING, "highest learning rate", minimum=1e-7, maximum=1.0)
    weight_decay: float = parameter(MISSING, "weight decay", minimum=0.0, maximum=1.0)
    weights: str = parameter(
        "auto",
        "where to start: 'base' (of YOLO11 nano, shipped with CADsight), 'package' (of the lite0 families, what their "
        "backbone learned on ImageNet, installed with CADsight), 'scratch' (random), 'auto' (the first of the three "
        "that there is), 'hub' (downloaded once), or a file of a state_dict",
    )
    square: bool = parameter(False, "make every box 1:1 as in the paper")
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        check(self)
        check_device(self.device)
        if self.image_size % self.stride:
            raise CadsightError(f"the image size is {self.image_size}, expected a multiple of {self.stride}")
        if self.weights == "package" and not self.packaged:
            raise CadsightError(f"the weights are 'package', and no package has those of {self.family}")


def mosaic_parameter(default: float) -> Any:
    return parameter(default, "fraction of training images composed of four", minimum=0.0, maximum=1.0)


def freeze_parameter(layers: int) -> Any:
    return parameter(
        0,
        "layers of the network, from the first, that are left as they are; of R-CNNs the backbone's 5 stages",
        minimum=0,
        maximum=layers,
    )


def check_device(name: str) -> None:
    """Refuse what names no device; whether it is there is seen where it is used.

    Raises:
        CadsightError: for another word than auto, cpu, cuda or cuda:N.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise CadsightError(f"the device is {name!r}, expected auto, cpu, cuda or cuda:N")


@dataclass(frozen=True)
class NormalOptions:
    """How a regressor of normals is trained."""

    architecture: str = parameter(
        "comillas",
        "the paper's network, a smaller one, or one known from ImageNet, which also says how sure it is",
        choices=REGRESSORS,
    )
    epochs: int = parameter(150, "passes over the training crops", minimum=1, maximum=100_000)
    seconds: float = parameter(0.0, "time after which training ends, whatever the epochs; 0 for none", minimum=0.0)
    image_size: int = parameter(CROP_SIZE, "side of the crop as the network sees it", minimum=32, maximum=1024)
    batch: int = parameter(16, "crops a step", minimum=2, maximum=1024)
    learning_rate: float = parameter(1e-3, "highest learning rate of AdamW", minimum=1e-7, maximum=1.0)
    weights: str = parameter(
        "scratch",
        "where to start: 'scratch' (random), 'package' (what efficientnet_lite0 learned on ImageNet, installed with "
        "CADsight), 'hub' (what torchvision's learned there, downloaded once), or a file of a state_dict",
    )
    turn_deg: float = parameter(
        30.0,
        "turn crops by up to this angle in the image's plane, their normals with them",
        minimum=0.0,
        maximum=180.0,
    )
    drawn: int = parameter(0, "views drawn of each part's CAD to learn from beside the images", minimum=0)
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        check(self)
        check_device(self.device)
