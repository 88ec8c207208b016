"""How models are trained; read by the commands before anything heavy is imported."""

from dataclasses import dataclass

from cadsight_core.crops import CROP_SIZE
from cadsight_core.errors import CadsightError
from cadsight_core.parameters import check, parameter

# The registry that commands, nodes and launch files look in by default: where `cadsight demo` puts its models.
MODELS_FOLDER = "runs/demo/models"
SIZES = {"nano": "n", "small": "s", "medium": "m", "large": "l", "xlarge": "x"}
ARCHITECTURES = ("comillas", "compact")


@dataclass(frozen=True)
class DetectorOptions:
    """How a detector is trained."""

    size: str = parameter("nano", "size of the network", choices=tuple(SIZES))
    family: str = parameter("yolo11", "family of the network", choices=("yolo11", "yolo26", "yolov8"))
    epochs: int = parameter(100, "passes over the training pictures", minimum=1, maximum=100_000)
    seconds: float = parameter(0.0, "time after which training ends, whatever the epochs; 0 for none", minimum=0.0)
    image_size: int = parameter(320, "longer side of a picture as the network sees it", minimum=32, maximum=4096)
    batch: int = parameter(16, "pictures a step", minimum=2, maximum=1024)
    learning_rate: float = parameter(2e-3, "highest learning rate of AdamW", minimum=1e-7, maximum=1.0)
    weights: str = parameter("scratch", "where to start: 'scratch' (random), or a file of a state_dict")
    freeze: int = parameter(
        0, "layers of the network, from the first, that are left as they are", minimum=0, maximum=22
    )
    mosaic: float = parameter(0.5, "share of training pictures composed of four", minimum=0.0, maximum=1.0)
    square: bool = parameter(False, "make every box 1:1 as in the paper")
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0)

    def __post_init__(self) -> None:
        check(self)
        if self.image_size % 32:
            raise CadsightError(f"the image size is {self.image_size}, expected a multiple of 32")


@dataclass(frozen=True)
class NormalOptions:
    """How a regressor of normals is trained."""

    architecture: str = parameter(
        "comillas", "the paper's network, or a smaller one that ends in an average", choices=ARCHITECTURES
    )
    epochs: int = parameter(150, "passes over the training crops", minimum=1, maximum=100_000)
    seconds: float = parameter(0.0, "time after which training ends, whatever the epochs; 0 for none", minimum=0.0)
    image_size: int = parameter(CROP_SIZE, "side of the crop as the network sees it", minimum=32, maximum=1024)
    batch: int = parameter(16, "crops a step", minimum=2, maximum=1024)
    learning_rate: float = parameter(1e-3, "highest learning rate of AdamW", minimum=1e-7, maximum=1.0)
    turn_deg: float = parameter(
        30.0,
        "turn crops by up to this angle in the picture's plane, their normals with them",
        minimum=0.0,
        maximum=180.0,
    )
    drawn: int = parameter(0, "views drawn from the part's CAD to learn from beside the pictures", minimum=0)
    patience: int = parameter(0, "epochs without a better one after which training ends; 0 for never", minimum=0)
    seed: int = parameter(0, "of the weights, the order and the augmentation", minimum=0)

    def __post_init__(self) -> None:
        check(self)
