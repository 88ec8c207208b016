"""What every detector can do, whichever library is behind it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance, Sample
from numpy.typing import NDArray

from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS

if TYPE_CHECKING:
    from torch import Tensor, nn


class Detector(Protocol):
    """Finds parts in images."""

    architecture: str
    image_size: int
    at_once: int  # images that the network is given together, where nobody asks for fewer

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def runtime(self) -> str:
        """What runs the network, one of :data:`cadsight_learning.options.RUNTIMES`."""

    @property
    def gives_masks(self) -> bool:
        """Whether its detections have masks."""

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each image (H, W, 3), most confident first, boxes in its own pixels, ``source`` 'model'."""


@runtime_checkable
class TorchDetector(Detector, Protocol):
    """A detector whose network torch runs, so that it can be trained and inspected."""

    @property
    def module(self) -> "nn.Module": ...

    def losses(self, samples: Sequence[Sample], square: bool = False, batch: int | None = None) -> dict[str, float]:
        """Mean losses over labelled images, as in training: ``box_loss``, ``class_loss`` and the network's others.

        The network sees ``batch`` images at once, by default ``at_once``.
        """

    def features(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """What the network sees in each image (H, W, 3), as (N, D): its finest maps, averaged over the image."""

    def load(self, state: "dict[str, Tensor]", where: str | Path = "") -> "TorchDetector":
        """Take the weights of a network of the same architecture and classes.

        Raises:
            CadsightError: for the weights of another one.
        """


def warm_up(detector: Detector, width: int, height: int, confidence: float = CONFIDENCE) -> None:
    """Infer on an image of this size as on real ones later, so that the first real one is not slow."""
    for _ in range(2):
        detector.predict([np.zeros((height, width, 3), np.uint8)], confidence)
