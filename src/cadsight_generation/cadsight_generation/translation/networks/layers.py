"""Convolutions that need no normalisation of what they give, and those that have it."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Demodulated(nn.Module):
    """A convolution whose weights are modulated and demodulated (Karras et al. 2020, StyleGAN2, equations 1 to 3).

    The modulation is a learned scale of each input channel, as there is no style to take it from. What it gives has the
    spread of what it is given, with no statistics of the image: they are what makes CycleGAN's droplets.
    """

    def __init__(self, before: int, after: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.scale = nn.Parameter(torch.ones(before))
        self.bias = nn.Parameter(torch.zeros(after))
        self._stride, self._padding = stride, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / stride, W / stride); borders are mirrored."""
        modulated = self.weight * self.scale[None, :, None, None]
        # The root of a sum that is 0 has no gradient.
        weight = modulated * torch.rsqrt(modulated.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
        return functional.conv2d(_padded(x, self._padding), weight, self.bias, self._stride)


class Normalised(nn.Module):
    """A convolution and instance normalisation."""

    def __init__(self, before: int, after: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, kernel, stride)
        self.normalisation = nn.InstanceNorm2d(after)
        self._padding = kernel // 2
        nn.init.normal_(self.convolution.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / stride, W / stride); borders are mirrored."""
        found: Tensor = self.normalisation(self.convolution(_padded(x, self._padding)))
        return found


def layer(demodulated: bool, before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """One of the two."""
    return (Demodulated if demodulated else Normalised)(before, after, kernel, stride)


def _padded(x: Tensor, padding: int) -> Tensor:
    return functional.pad(x, (padding,) * 4, mode="reflect") if padding else x
