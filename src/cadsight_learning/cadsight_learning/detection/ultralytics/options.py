"""How detectors of ultralytics are trained."""

from dataclasses import dataclass

from cadsight_core.config.parameters import parameter, redefined

from cadsight_learning.options import SIZES, DetectorOptions, freeze_parameter, mosaic_parameter


@dataclass(frozen=True, kw_only=True)
class YoloOptions(DetectorOptions):
    """How a YOLO is trained."""

    family: str = redefined(DetectorOptions, "family", "yolo11")
    size: str = parameter("nano", "size of a YOLO network; of rtdetr large or xlarge", choices=tuple(SIZES))
    image_size: int = redefined(DetectorOptions, "image_size", 320)
    batch: int = redefined(DetectorOptions, "batch", 16)
    optimizer: str = redefined(DetectorOptions, "optimizer", "adamw")
    learning_rate: float = redefined(DetectorOptions, "learning_rate", 2e-3)
    weight_decay: float = redefined(DetectorOptions, "weight_decay", 5e-4)
    freeze: int = freeze_parameter(22)
    mosaic: float = mosaic_parameter(0.5)


@dataclass(frozen=True, kw_only=True)
class RtDetrOptions(YoloOptions):
    """How an RT-DETR is trained: as its authors publish with it (lyuwenyu/RT-DETR, configs/rtdetr/include), but for the
    batch, which is 16 there and wants more memory."""

    family: str = redefined(DetectorOptions, "family", "rtdetr")
    image_size: int = redefined(DetectorOptions, "image_size", 640)
    batch: int = redefined(DetectorOptions, "batch", 4)
    learning_rate: float = redefined(DetectorOptions, "learning_rate", 1e-4)
    weight_decay: float = redefined(DetectorOptions, "weight_decay", 1e-4)
    mosaic: float = mosaic_parameter(0.0)
