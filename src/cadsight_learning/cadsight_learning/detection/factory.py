"""Builds the detector behind a family's name or a card's architecture; its library is imported here."""

import pkgutil
from collections.abc import Sequence
from typing import cast

import torch
from cadsight_core.sample import Sample

from cadsight_learning.detection.detector import TorchDetector
from cadsight_learning.detection.families import family_for, family_of_architecture
from cadsight_learning.options import DetectorOptions
from cadsight_learning.runtime.devices import CPU
from cadsight_learning.training.trainer import Task


def new_detector(classes: Sequence[str], options: DetectorOptions) -> tuple[TorchDetector, str]:
    """An untrained detector of the family that the options name, and a sentence on where its weights come from.

    Raises:
        CadsightError: for an unknown family, and when the weights cannot be had or fit in nothing.
    """
    return cast("tuple[TorchDetector, str]", pkgutil.resolve_name(family_for(options).new)(classes, options))


def detector_of(
    architecture: str, classes: Sequence[str], image_size: int, device: torch.device = CPU
) -> TorchDetector:
    """A detector of an architecture that a model's card names, its weights still to be loaded.

    Raises:
        CadsightError: for an unknown architecture.
    """
    build = pkgutil.resolve_name(family_of_architecture(architecture).of_card)
    return cast(TorchDetector, build(architecture, classes, image_size, device=device))


def task_of(
    detector: TorchDetector, train: Sequence[Sample], valid: Sequence[Sample], options: DetectorOptions
) -> Task:
    """What the training loop trains.

    Raises:
        CadsightError: for an image or label that ``detector`` cannot learn from.
    """
    return cast(Task, pkgutil.resolve_name(family_for(options).task)(detector, train, valid, options))
