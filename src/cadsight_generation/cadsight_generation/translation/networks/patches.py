"""What CUT compares of two images' features (Park et al. 2020, section 3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class PatchProjection(nn.Module):
    """Two layers for each map of features, to vectors of length 1."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            [nn.Sequential(nn.Linear(before, width), nn.ReLU(), nn.Linear(width, width)) for before in channels]
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Of maps (N, C, H, W) the vectors (N, P, width) at ``places`` (P,), numbers of their H x W pixels."""
        found = []
        for one, map_, chosen in zip(self.maps, features, places, strict=True):
            rows = map_.flatten(2)[:, :, chosen].transpose(1, 2)
            found.append(functional.normalize(one(rows), dim=2))
        return found


def places_in(features: Sequence[Tensor], most: int) -> list[Tensor]:
    """Random pixels of each map, at most ``most`` of each, as :class:`PatchProjection` takes them."""
    return [torch.randperm(map_.shape[2] * map_.shape[3], device=map_.device)[:most] for map_ in features]


def patch_loss(found: Tensor, expected: Tensor, temperature: float = 0.07) -> Tensor:
    """Each patch (N, P, D) is to be like itself before, (N, P, D), and unlike others of its image (equation 3)."""
    alike = torch.bmm(found, expected.detach().transpose(1, 2)) / temperature
    count, patches = alike.shape[:2]
    target = torch.arange(patches, device=alike.device).repeat(count)
    return functional.cross_entropy(alike.flatten(0, 1), target)
