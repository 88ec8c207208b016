"""How R-CNNs are trained."""

from dataclasses import dataclass
from typing import ClassVar

from cadsight_core.config.parameters import redefined

from cadsight_learning.options import DetectorOptions, freeze_parameter, mosaic_parameter

# The network of each family: torchvision's, and light ones of ours.
ARCHITECTURES = {
    "faster-rcnn": "fasterrcnn_resnet50_fpn",
    "mask-rcnn": "maskrcnn_resnet50_fpn",
    "faster-rcnn-lite0": "fasterrcnn_lite0_fpn",
    "mask-rcnn-lite0": "maskrcnn_lite0_fpn",
}
_STAGES = 5


@dataclass(frozen=True, kw_only=True)
class RcnnOptions(DetectorOptions):
    """How a Mask R-CNN is trained.

    Rudenko names SGD and no number: these are those of its authors (He et al., section 3.1: 0.02 for 16 images a
    step), in proportion to the batch.
    """

    image_size: int = redefined(DetectorOptions, "image_size", 640)
    batch: int = redefined(DetectorOptions, "batch", 4)
    optimizer: str = redefined(DetectorOptions, "optimizer", "sgd")
    learning_rate: float = redefined(DetectorOptions, "learning_rate", 5e-3)
    weight_decay: float = redefined(DetectorOptions, "weight_decay", 1e-4)
    freeze: int = freeze_parameter(_STAGES)
    mosaic: float = mosaic_parameter(0.0)


@dataclass(frozen=True, kw_only=True)
class FasterRcnnOptions(RcnnOptions):
    """How a Faster R-CNN is trained: Eversberg's figures (section 3.3)."""

    learning_rate: float = redefined(DetectorOptions, "learning_rate", 1e-5)


@dataclass(frozen=True, kw_only=True)
class LightRcnnOptions(RcnnOptions):
    """How the R-CNNs on EfficientNet-Lite0 are trained."""

    packaged: ClassVar[bool] = True

    image_size: int = redefined(DetectorOptions, "image_size", 320)
