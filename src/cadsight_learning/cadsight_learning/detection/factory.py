"""Which detector is behind a family's name or a card's architecture; each library is imported where it is wanted."""

from collections.abc import Sequence

import torch
from cadsight_core.sample import Sample

from cadsight_learning.detection.detector import TorchDetector
from cadsight_learning.options import RCNN_FAMILIES, DetectorOptions, is_rtdetr
from cadsight_learning.runtime.devices import CPU
from cadsight_learning.training.trainer import Task


def new_detector(classes: Sequence[str], options: DetectorOptions) -> tuple[TorchDetector, str]:
    """An untrained detector of the family that the options name, and a sentence on where its weights come from.

    Raises:
        CadsightError: for an unknown family, and when the weights cannot be had or fit in nothing.
    """
    if options.family in RCNN_FAMILIES:
        from cadsight_learning.detection.rcnn import detector as rcnn

        return rcnn.new_detector(classes, options)
    if is_rtdetr(options.family):
        from cadsight_learning.detection.ultralytics import rtdetr

        return rtdetr.new_detector(classes, options)
    from cadsight_learning.detection.ultralytics import yolo

    return yolo.new_detector(classes, options)


def detector_of(
    architecture: str, classes: Sequence[str], image_size: int, device: torch.device = CPU
) -> TorchDetector:
    """A detector of an architecture that a model's card names, its weights still to be loaded.

    Raises:
        CadsightError: for an unknown architecture.
    """
    if architecture in RCNN_FAMILIES.values():
        from cadsight_learning.detection.rcnn.detector import RcnnDetector

        return RcnnDetector(architecture, classes, image_size, device)
    if is_rtdetr(architecture):
        from cadsight_learning.detection.ultralytics.rtdetr import RtDetrDetector

        return RtDetrDetector(architecture, classes, image_size, device)
    from cadsight_learning.detection.ultralytics.yolo import YoloDetector

    return YoloDetector(architecture, classes, image_size, device=device)


def task_of(
    detector: TorchDetector, train: Sequence[Sample], valid: Sequence[Sample], options: DetectorOptions
) -> Task:
    """What the training loop trains.

    Raises:
        CadsightError: for a picture or label that ``detector`` cannot learn from.
    """
    if options.family in RCNN_FAMILIES:
        from cadsight_learning.detection.rcnn.detector import RcnnDetector
        from cadsight_learning.detection.rcnn.task import RcnnTask

        assert isinstance(detector, RcnnDetector)
        return RcnnTask(detector, train, valid, options)
    from cadsight_learning.detection.ultralytics.detector import DetectorTask, UltralyticsDetector

    assert isinstance(detector, UltralyticsDetector)
    return DetectorTask(detector, train, valid, options)
