"""The families of detectors that can be trained: ours, and those that other packages add by an entry point.

Nothing heavy is imported before a network is built, so that the command line may ask here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.registered import Registered

from cadsight_learning.detection.rcnn.options import ARCHITECTURES, FasterRcnnOptions, LightRcnnOptions, RcnnOptions
from cadsight_learning.detection.ultralytics.options import RtDetrOptions, YoloOptions
from cadsight_learning.options import DetectorOptions

GROUP = "cadsight.detectors"
DEFAULT = "yolo11"


@dataclass(frozen=True)
class DetectorFamily:
    """A kind of detector.

    What computes is named as ``module:name`` and imported when it is wanted.

    Attributes:
        summary: a few words for the help of ``--family``.
        options: how its detectors are trained: defaults, limits and what only they take.
        new: ``new(classes, options)``, the untrained
            :class:`~cadsight_learning.detection.detector.TorchDetector` and a sentence on where its weights come from.
        of_card: ``of_card(architecture, classes, image_size, device=device)``, a detector to be filled with weights.
        task: ``task(detector, train, valid, options)``, the :class:`~cadsight_learning.training.trainer.Task`.
        architectures: a regular expression of what its detectors call their networks, which stands on a model's card.
        words: a regular expression of what may stand for ``--family``; '' for the name alone.
        gives_masks: whether it learns masks, so that every label needs one.
        exportable: whether other runtimes may run it. Its detectors then have ``exportable()``, a module from images
            (N, 3, h, w), 0 to 1, to what :func:`cadsight_learning.detection.decoding.decode` takes, alone or as the
            first of a tuple whose others are features (N, D) of the images and maps (N, channels, h, w) of objects.
        retired: options that older versions stored, each with the only value that does nothing.
    """

    name: str
    summary: str
    options: type[DetectorOptions]
    new: str
    of_card: str
    task: str
    architectures: str
    words: str = ""
    gives_masks: bool = False
    exportable: bool = False
    retired: Mapping[str, Any] = field(default_factory=dict)

    def is_called(self, word: str) -> bool:
        """Whether ``--family WORD`` means it."""
        return re.fullmatch(self.words or re.escape(self.name), word) is not None


_ULTRALYTICS = "cadsight_learning.detection.ultralytics"
_RCNN = "cadsight_learning.detection.rcnn"


def _rcnn(name: str, summary: str, options: type[RcnnOptions], gives_masks: bool) -> DetectorFamily:
    return DetectorFamily(
        name,
        summary,
        options,
        new=f"{_RCNN}.detector:new_detector",
        of_card=f"{_RCNN}.detector:RcnnDetector",
        task=f"{_RCNN}.task:RcnnTask",
        architectures=ARCHITECTURES[name],
        gives_masks=gives_masks,
        retired={"size": "nano"},
    )


DETECTORS = Registered(
    "family of detectors",
    GROUP,
    DetectorFamily,
    (
        DetectorFamily(
            "yolo",
            "yolo11, yolo26 or another YOLO of ultralytics",
            YoloOptions,
            new=f"{_ULTRALYTICS}.yolo:new_detector",
            of_card=f"{_ULTRALYTICS}.yolo:YoloDetector",
            task=f"{_ULTRALYTICS}.detector:DetectorTask",
            architectures=r"yolov?\d(?!.*rtdetr).*",
            words=r"yolov?\d(?!.*rtdetr).*",
            exportable=True,
        ),
        # Not exported: its queries start at the places of the highest scores, and where scores are equal each runtime
        # takes other places.
        DetectorFamily(
            "rtdetr",
            "rtdetr or another RT-DETR of ultralytics",
            RtDetrOptions,
            new=f"{_ULTRALYTICS}.rtdetr:new_detector",
            of_card=f"{_ULTRALYTICS}.rtdetr:RtDetrDetector",
            task=f"{_ULTRALYTICS}.detector:DetectorTask",
            architectures=r"(yolo.*-)?rtdetr(-.*)?",
            words=r"(yolo.*-)?rtdetr(-.*)?",
        ),
        _rcnn("faster-rcnn", "faster-rcnn", FasterRcnnOptions, gives_masks=False),
        _rcnn("mask-rcnn", "mask-rcnn", RcnnOptions, gives_masks=True),
        _rcnn("faster-rcnn-lite0", "faster-rcnn-lite0 (lighter, for processors)", LightRcnnOptions, gives_masks=False),
        _rcnn("mask-rcnn-lite0", "mask-rcnn-lite0 (likewise)", LightRcnnOptions, gives_masks=True),
    ),
)


def family_of(word: str) -> DetectorFamily:
    """The family that ``--family WORD`` means.

    Raises:
        CadsightError: when there is none.
    """
    for family in (*DETECTORS.ours, *DETECTORS.values()):
        if family.is_called(word):
            return family
    raise CadsightError(f"the family is {word!r}, expected {summaries()}")


def family_of_architecture(architecture: str) -> DetectorFamily:
    """The family of a network that a model's card names.

    Raises:
        CadsightError: when no family that is installed has such networks.
    """
    for family in (*DETECTORS.ours, *DETECTORS.values()):
        if re.fullmatch(family.architectures, architecture):
            return family
    raise CadsightError(
        f"the architecture is {architecture!r}, expected a detector of {', '.join(DETECTORS)}, or that the package is "
        "installed which brought it"
    )


def summaries() -> str:
    """The values of ``--family``, in words."""
    return ", ".join(family.summary for family in DETECTORS.values())


def detector_options(given: Mapping[str, Any], where: str = "the detector") -> DetectorOptions:
    """The options of a training, of their family's own class, from what is known of them: a card's, or the user's.

    Raises:
        CadsightError: beginning with ``where``, for an unknown family, or an option that it lacks or that is out of
            range.
    """
    word = given.get("family", DEFAULT)
    family = family_of(word if isinstance(word, str) else str(word))
    for name, value in family.retired.items():
        if given.get(name, value) != value:
            raise CadsightError(f"{where}: the {name} is {given[name]}, and {word} has one {name} only: leave it out")
    kept = {name: value for name, value in given.items() if name not in family.retired}
    return from_mapping(family.options, {**kept, "family": word}, where)


def family_for(options: DetectorOptions) -> DetectorFamily:
    """The family that ``options`` are for.

    Raises:
        CadsightError: for options of another family's class.
    """
    family = family_of(options.family)
    if not isinstance(options, family.options):
        given, expected = type(options).__name__, family.options.__name__
        raise CadsightError(f"the family is {options.family} and its options are {given}, expected {expected}")
    return family
