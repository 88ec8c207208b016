"""When a generated mask and a detection count as the same object; read before anything heavy is imported."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter


@dataclass(frozen=True)
class AgreementOptions:
    """When a mask and a detection are of the same object."""

    iou: float = parameter(0.7, "least IoU of the mask's box and the detector's", minimum=0.1, maximum=1.0)
    confidence: float = parameter(0.5, "least confidence of a detection", minimum=0.01, maximum=1.0)
    most: int = parameter(50, "detections of an image at most", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)
