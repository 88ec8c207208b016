"""How models are trained; read by the commands before anything heavy is imported."""

import re
from dataclasses import dataclass
from typing import Any

from cadsight_core.crop_size import CROP_SIZE
from cadsight_core.errors import CadsightError
from cadsight_core.parameters import LARGEST_SEED, check, parameter

# The registry that commands, nodes and launch files look in by default: where `cadsight demo` puts its models.
MODELS_FOLDER = "runs/demo/models"
# What a detector tells where nobody asks otherwise: parts at least so sure, the surest ones of an image.
CONFIDENCE, MAX_DETECTIONS = 0.5, 10
SIZES = {"nano": "n", "small": "s", "medium": "m", "large": "l", "xlarge": "x"}
ARCHITECTURES = ("comillas", "compact", "efficientnet_lite0", "mobilenet_v3_small", "resnet18")
# What runs a network, the fastest first; auto is the first of the others that this machine has, on a processor.
RUNTIMES = ("auto", "openvino-bf16", "openvino", "onnxruntime", "torch")
# The network of each family: torchvision's, and light ones of ours.
RCNN_FAMILIES = {
    "faster-rcnn": "fasterrcnn_resnet50_fpn",
    "mask-rcnn": "maskrcnn_resnet50_fpn",
    "faster-rcnn-lite0": "fasterrcnn_lite0_fpn",
    "mask-rcnn-lite0": "maskrcnn_lite0_fpn",
}
# Faster R-CNN's are Eversberg's (section 3.3). Rudenko names SGD and no number: Mask R-CNN's are those of its authors
# (He et al., section 3.1: 0.02 for 16 pictures a step), in proportion to the batch. RT-DETR's are what its authors
# publish with it (lyuwenyu/RT-DETR, configs/rtdetr/include) but for the batch, which is 16 there and wants more memory.
_BY_FAMILY: dict[str, dict[str, Any]] = {
    "yolo": {
        "image_size": 320,
        "batch": 16,
        "optimizer": "adamw",
        "learning_rate": 2e-3,
        "weight_decay": 5e-4,
        "mosaic": 0.5,
    },
    "faster-rcnn": {
        "image_size": 640,
        "batch": 4,
        "optimizer": "sgd",
        "learning_rate": 1e-5,
        "weight_decay": 1e-4,
        "mosaic": 0.0,
    },
    "mask-rcnn": {
        "image_size": 640,
        "batch": 4,
        "optimizer": "sgd",
        "learning_rate": 5e-3,
        "weight_decay": 1e-4,
        "mosaic": 0.0,
    },
    "rcnn-lite0": {
        "image_size": 320,
        "batch": 4,
        "optimizer": "sgd",
        "learning_rate": 5e-3,
        "weight_decay": 1e-4,
        "mosaic": 0.0,
    },
    "rtdetr": {
        "image_size": 640,
        "batch": 4,
        "optimizer": "adamw",
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "mosaic": 0.0,
    },
}
_RCNN_STAGES = 5


def _by_family(name: str, description: str, **limits: Any) -> Any:
    """A parameter whose default hangs on the family; None stands for it until the family is known."""
    defaults = ", ".join(f"{family} {values[name]}" for family, values in _BY_FAMILY.items())
    return parameter(None, f"{description} ({defaults})", **limits)


def _defaults_of(family: str) -> str:
    if family in RCNN_FAMILIES:
        return "rcnn-lite0" if is_light(family) else family
    return "rtdetr" if is_rtdetr(family) else "yolo"


def is_rtdetr(name: str) -> bool:
    """Whether a family or an architecture, ``rtdetr-l`` or ``yolov8n-rtdetr``, is an RT-DETR."""
    return "rtdetr" in name


def is_exportable(architecture: str) -> bool:
    """Whether other runtimes than torch may run a detector of this architecture.

    R-CNNs are not exported, nor is RT-DETR: its queries start at the places of the highest scores, and where scores are
    equal each runtime takes other places.
    """
    return not is_rtdetr(architecture) and architecture not in RCNN_FAMILIES.values()


def is_light(name: str) -> bool:
    """Whether a family or an architecture is one of the light R-CNNs."""
    return "lite0" in name


def device_parameter() -> Any:
    return parameter("auto", "where to compute: auto (a GPU where there is one, else the CPU), cpu, cuda or cuda:N")


@dataclass(frozen=True)
class DetectorOptions:
    """How a detector is trained; what is not given is the family's own default."""

    family: str = parameter(
        "yolo11",
        "family of the network: yolo11, yolo26, rtdetr or another of ultralytics' detectors, faster-rcnn, mask-rcnn, "
        "or lighter ones of these for processors, faster-rcnn-lite0 and mask-rcnn-lite0",
    )
    size: str = parameter("nano", "size of a YOLO network; of rtdetr large or xlarge", choices=tuple(SIZES))
    epochs: int = parameter(100, "passes over the training pictures", minimum=1, maximum=100_000)
    seconds: float = parameter(0.0, "time after which training ends, whatever the epochs; 0 for none", minimum=0.0)
    image_size: int = _by_family(
        "image_size", "longer side of a picture as the network sees it", minimum=32, maximum=4096
    )
    batch: int = _by_family("batch", "pictures a step", minimum=2, maximum=1024)
    optimizer: str = _by_family("optimizer", "what descends the loss", choices=("adamw", "sgd"))
    learning_rate: float = _by_family("learning_rate", "highest learning rate", minimum=1e-7, maximum=1.0)
    weight_decay: float = _by_family("weight_decay", "weight decay", minimum=0.0, maximum=1.0)
    weights: str = parameter(
        "auto",
        "where to start: 'base' (of YOLO11 nano, shipped with CADsight), 'package' (of the lite0 families, what their "
        "backbone learned on ImageNet, installed with CADsight), 'scratch' (random), 'auto' (the first of the three "
        "that there is), 'hub' (downloaded once), or a file of a state_dict",
    )
    freeze: int = parameter(
        0,
        "layers of the network, from the first, that are left as they are; of R-CNNs the backbone's 5 stages",
        minimum=0,
        maximum=22,
    )
    mosaic: float = _by_family("mosaic", "share of training pictures composed of four", minimum=0.0, maximum=1.0)
    square: bool = parameter(False, "make every box 1:1 as in the paper")
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        rcnn = self.family in RCNN_FAMILIES
        for name, value in _BY_FAMILY[_defaults_of(self.family)].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        check(self)
        check_device(self.device)
        if self.image_size % 32:
            raise CadsightError(f"the image size is {self.image_size}, expected a multiple of 32")
        if rcnn and self.size != "nano":
            raise CadsightError(f"the size is {self.size}, and {self.family} has one size only: leave it out")
        if self.weights == "package" and not is_light(self.family):
            raise CadsightError(f"the weights are 'package', and no package has those of {self.family}")
        if rcnn and self.freeze > _RCNN_STAGES:
            raise CadsightError(f"freeze is {self.freeze}, expected at most {_RCNN_STAGES}, the stages of the backbone")


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
        choices=ARCHITECTURES,
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
        "turn crops by up to this angle in the picture's plane, their normals with them",
        minimum=0.0,
        maximum=180.0,
    )
    drawn: int = parameter(0, "views drawn of each part's CAD to learn from beside the pictures", minimum=0)
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0, maximum=LARGEST_SEED)
    device: str = device_parameter()

    def __post_init__(self) -> None:
        check(self)
        check_device(self.device)
