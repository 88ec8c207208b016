"""Our generator and critic: upsampling and convolution, which leave no checkerboard as transposed convolutions do.

After the light-weight networks of Liu et al. 2021 (FastGAN): gated convolutions, and a coarse layer that weighs the
channels of a fine one, so that images of few examples hold together; without its decoder.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cadsight_generation.networks.shape import NetworkShape

_LEAK = 0.2
# Doublings between a layer and the one whose channels it weighs.
_SKIP = 3


def networks(shape: NetworkShape) -> tuple[nn.Module, nn.Module]:
    """Generator (N, z) to images (N, channels, size, size) from -1 to 1, and critic of these to (N,)."""
    generator, critic = UpsamplingGenerator(shape), PooledCritic(shape)
    for module in (*generator.modules(), *critic.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(module.weight, math.sqrt(2))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return generator, critic


class UpsamplingGenerator(nn.Module):
    """Doublings by interpolation, each followed by a gated convolution with batch normalisation."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self._z = shape.z
        first = shape.width_at(0)
        self.begin = nn.Sequential(
            nn.Linear(shape.z, first * 2 * 16), nn.Unflatten(1, (first * 2, 4, 4)), nn.BatchNorm2d(first * 2), nn.GLU(1)
        )
        widths = [shape.width_at(doubling) for doubling in range(shape.doublings + 1)]
        self.blocks = nn.ModuleList(_doubling(a, b) for a, b in itertools.pairwise(widths))
        # Block n's output is weighed by what went into block n + 1 - _SKIP.
        self.gates = nn.ModuleList(
            _gate(widths[n + 1 - _SKIP], widths[n + 1]) for n in range(_SKIP - 1, shape.doublings)
        )
        self.end = nn.Conv2d(widths[-1], shape.channels, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        # On a sphere: a normal distribution of many numbers lies near it anyway.
        x = self.begin(functional.normalize(z, dim=1) * math.sqrt(self._z))
        before = [x]
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number >= _SKIP - 1:
                x = x * self.gates[number - (_SKIP - 1)](before[number - (_SKIP - 1)])
            before.append(x)
        return torch.tanh(self.end(x))


class PooledCritic(nn.Module):
    """Convolutions of stride 2 beside averages; at the end the spread of the batch beside its features."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        widths = [shape.width_at(doubling) for doubling in reversed(range(shape.doublings + 1))]
        first = nn.Sequential(nn.Conv2d(shape.channels, widths[0], 3, 1, 1), nn.LeakyReLU(_LEAK))
        self.layers = nn.Sequential(first, *(_Halving(a, b) for a, b in itertools.pairwise(widths)))
        last = widths[-1]
        self.answer = nn.Sequential(
            nn.Conv2d(last + 1, last, 3, 1, 1), nn.LeakyReLU(_LEAK), nn.Flatten(), nn.Linear(last * 16, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        features = self.layers(images)
        # Karras et al. 2018, section 3: a generator that makes one image only is seen at once.
        spread = (features.var(dim=0, correction=0) + 1e-8).sqrt().mean().expand(len(features), 1, 4, 4)
        answers: Tensor = self.answer(torch.cat([features, spread], dim=1)).flatten()
        return answers


class _Halving(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.sharp = nn.Sequential(
            nn.Conv2d(before, after, 4, 2, 1),
            nn.LeakyReLU(_LEAK),
            nn.Conv2d(after, after, 3, 1, 1),
            nn.LeakyReLU(_LEAK),
        )
        self.smooth = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(before, after, 1), nn.LeakyReLU(_LEAK))

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = (self.sharp(x) + self.smooth(x)) * math.sqrt(0.5)
        return halved


def _doubling(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(before, after * 2, 3, 1, 1, bias=False),
        nn.BatchNorm2d(after * 2),
        nn.GLU(1),
    )


def _gate(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(4), nn.Conv2d(before, after, 4), nn.SiLU(), nn.Conv2d(after, after, 1), nn.Sigmoid()
    )
