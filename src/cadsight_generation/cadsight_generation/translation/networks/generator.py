"""From an image of one domain to one of the other (Johnson et al. 2016, as CycleGAN and CUT have it)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cadsight_generation.translation.networks.layers import layer

COLOURS = 3
# A mask and the surface normal of each pixel, towards the camera.
CONDITION = 4


class Generator(nn.Module):
    """Down to a quarter, residual blocks, and up again.

    Attributes:
        channels: of the input: the colours, and the renderer's channels where it is conditioned.
        feature_channels: of the maps that :meth:`features` gives.
    """

    def __init__(self, width: int, blocks: int, demodulated: bool, conditioned: bool) -> None:
        """Conditioned, it adds to its input, so that it begins with leaving images as they are."""
        super().__init__()
        self.channels = COLOURS + CONDITION * conditioned
        self._adds = conditioned
        self._active = _Active(demodulated)
        self.first = layer(demodulated, self.channels, width, 7)
        self.down = nn.ModuleList(
            [layer(demodulated, width, 2 * width, 3, 2), layer(demodulated, 2 * width, 4 * width, 3, 2)]
        )
        self.blocks = nn.ModuleList([_Block(4 * width, demodulated) for _ in range(blocks)])
        self.up = _ups(width, demodulated)
        self.last = nn.Conv2d(width, COLOURS, 7, padding=3, padding_mode="reflect")
        self.feature_channels = (self.channels, width, 2 * width, 4 * width, 4 * width)
        nn.init.normal_(self.last.weight, 0.0, 0.002 if conditioned else 0.02)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), its colours from -1 to 1, to colours (N, 3, H, W); sides are multiples of 4."""
        within = self._encoded(x)[-1]
        for one in self.up:
            within = self._active(one(within))
        made: Tensor = self.last(within)
        if not self._adds:
            return torch.tanh(made)
        sum_ = x[:, :COLOURS] + made
        # Cut to the range of colours, and yet with a gradient beyond it: white ground could never become darker.
        return sum_ + (sum_.clamp(-1, 1) - sum_).detach()

    def features(self, x: Tensor) -> list[Tensor]:
        """What CUT compares of an input (N, channels, H, W): itself, three maps on the way down, and a block's."""
        return self._encoded(x, len(self.blocks) // 2 + 1)

    def _encoded(self, x: Tensor, blocks: int | None = None) -> list[Tensor]:
        found = [x, self._active(self.first(x))]
        for one in self.down:
            found.append(self._active(one(found[-1])))
        within = found[-1]
        for block in list(self.blocks)[:blocks]:
            within = block(within)
        return [*found, within]


class _Active(nn.Module):
    """ReLU; of demodulated maps it keeps the spread, which nothing sets right again."""

    def __init__(self, demodulated: bool) -> None:
        super().__init__()
        self._gain = 2**0.5 if demodulated else 1.0

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x) * self._gain


class _Block(nn.Module):
    def __init__(self, channels: int, demodulated: bool) -> None:
        super().__init__()
        self.one, self.two = (layer(demodulated, channels, channels) for _ in range(2))
        self._active = _Active(demodulated)
        # Without normalisation each block would add to the spread of the next one's input.
        self._share = 0.5**0.5 if demodulated else 1.0

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = (x + self.two(self._active(self.one(x)))) * self._share
        return found


class _Up(nn.Module):
    """Doubled, then a convolution: no transposed one, which leaves a checkerboard."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = layer(True, before, after)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.convolution(functional.interpolate(x, scale_factor=2, mode="nearest"))
        return found


class _TransposedUp(nn.Module):
    """As published: a transposed convolution and instance normalisation."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)
        self.normalisation = nn.InstanceNorm2d(after)
        nn.init.normal_(self.convolution.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.normalisation(self.convolution(x))
        return found


def _ups(width: int, demodulated: bool) -> nn.ModuleList:
    up = _Up if demodulated else _TransposedUp
    return nn.ModuleList([up(4 * width, 2 * width), up(2 * width, width)])
