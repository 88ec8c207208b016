"""Parts of what translators descend."""

import torch
from torch import Tensor
from torch.nn import functional

from cadsight_generation.holding.edges import BAND

# Below this gradient, of colours from -1 to 1 a pixel, an edge is noise.
_NOISE = 0.03
_LEFT = 0.7


def taken_for(answers: Tensor, real: bool) -> Tensor:
    """How far a discriminator's answers (N, 1, h, w) are from 1, or from 0 (Mao et al. 2017, least squares)."""
    return (answers - float(real)).square().mean()


def edge_loss(before: Tensor, after: Tensor, mask: Tensor) -> Tensor:
    """How much the edges in the band about a silhouette change, whatever their colours become; 0 where none do.

    Args:
        before, after: (N, 3, H, W), -1 to 1.
        mask: (N, 1, H, W), 1 on parts.

    Of gradients as a tensor that knows no sign, the directions are to agree, their strengths to go together from pixel
    to pixel, and none to fade.
    """
    here, there = _tensor(before), _tensor(after)
    strength, found = ((t[:, 0] + t[:, 2] + 1e-8).sqrt() for t in (here, there))
    weight = (strength - _NOISE).clamp(0) * band(mask)[:, 0]
    total = weight.sum(dim=(1, 2)) + 1e-6
    local_here, local_there = (functional.avg_pool2d(t, 3, 1, 1) for t in (here, there))
    parts = torch.tensor([1.0, 2.0, 1.0], device=before.device)[None, :, None, None]
    shared = (local_here * local_there * parts).sum(dim=1)
    lengths = ((t.square() * parts).sum(dim=1) + 1e-12 for t in (local_here, local_there))
    agreement = shared / (next(lengths) * next(lengths)).sqrt()
    misaligned = ((1 - agreement) * weight).sum(dim=(1, 2)) / total
    # Beside an edge as much as on it: one that moved is strong where there was none.
    around = band(mask)[:, 0]
    moved = 1 - _correlation(strength, found, around)
    usual = (found * weight).sum(dim=(1, 2), keepdim=True) / (strength * weight).sum(dim=(1, 2), keepdim=True).clamp(
        1e-6
    )
    faded = ((_LEFT * usual.detach() - found / strength).clamp(0) * weight).sum(dim=(1, 2)) / total
    there_is_one = (total > 1e-3).float()
    return ((misaligned + moved + faded) * there_is_one).mean()


def band(mask: Tensor) -> Tensor:
    """(N, 1, H, W), 1 within about 4 pixels of the border of ``mask`` (N, 1, H, W)."""
    side = 2 * round(BAND) + 1
    wide, narrow = functional.max_pool2d(mask, side, 1, side // 2), -functional.max_pool2d(-mask, side, 1, side // 2)
    return wide - narrow


def _correlation(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum(dim=(1, 2), keepdim=True) + 1e-6
    a, b = (x - (x * weight).sum(dim=(1, 2), keepdim=True) / total for x in (one, other))
    shared = (a * b * weight).sum(dim=(1, 2))
    spread = (a.square() * weight).sum(dim=(1, 2)) * (b.square() * weight).sum(dim=(1, 2))
    return shared / (spread + 1e-8).sqrt()


def _tensor(image: Tensor) -> Tensor:
    """(N, 3, H, W): xx, xy and yy of the gradients, summed over colours."""
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=image.device) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None].repeat(image.shape[1], 1, 1, 1)
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    both = functional.conv2d(padded, kernels, groups=image.shape[1])
    x, y = both[:, 0::2], both[:, 1::2]
    return torch.stack([(x * x).sum(dim=1), (x * y).sum(dim=1), (y * y).sum(dim=1)], dim=1)
