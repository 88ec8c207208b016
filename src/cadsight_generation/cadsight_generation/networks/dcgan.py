"""The networks of the thesis on GANs for bin picking (2021, tables 3.2 and 3.3, and its code), after DCGAN.

With 256 pixels, three channels and a width of 64 they have 12 200 707 and, where the critic is penalised, 11 156 289
parameters by Keras' count, in which the means and variances of batch normalisation are some. Beginnings, epsilons and
momenta are Keras' too. The table says that the normalised layers have a bias, the code that they have none; it is the
code that was trained.
"""

import itertools

import torch
from torch import Tensor, nn

from cadsight_generation.networks.shape import NetworkShape

_EPSILON = 1e-3
# Of torch, one minus Keras'.
_MOMENTUM = 0.01
_LEAK = 0.2


def networks(shape: NetworkShape) -> tuple[nn.Module, nn.Module]:
    """Generator (N, z) to images (N, channels, size, size) from -1 to 1, and critic of these to (N,)."""
    generator, critic = DcganGenerator(shape), DcganCritic(shape)
    for module in (*generator.modules(), *critic.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return generator, critic


class PixelLayerNorm(nn.Module):
    """Normalises each pixel over its channels, with a factor and an offset a channel.

    That is what Keras' LayerNormalization does to images, and so the thesis' critic; layer normalisation over the whole
    image, as in WGAN-GP's own code, would have as many factors as the image has numbers.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        normalised: Tensor = self.norm(images.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return normalised


class DcganGenerator(nn.Module):
    """Transposed convolutions, batch normalisation, ReLU."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        before, layers = shape.z, []
        for doubling in range(shape.doublings):
            after = shape.width_at(doubling)
            stride, padding = (1, 0) if doubling == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False),
                nn.BatchNorm2d(after, eps=_EPSILON, momentum=_MOMENTUM),
                nn.ReLU(),
            ]
            before = after
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(before, shape.channels, 4, 2, 1))

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.layers(z[:, :, None, None]))


class DcganCritic(nn.Module):
    """Convolutions of stride 2, batch normalisation or, where it is penalised, layer normalisation, leaky ReLU."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        widths = [shape.width_at(doubling) for doubling in reversed(range(shape.doublings))]
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(shape.channels, widths[0], 4, 2, 1), nn.LeakyReLU(_LEAK))]
        for before, after in itertools.pairwise(widths):
            # Batch normalisation would tie the images of a batch together, whose slopes are penalised one by one.
            norm = PixelLayerNorm(after) if shape.penalised else nn.BatchNorm2d(after, _EPSILON, _MOMENTUM)
            layers.append(nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), norm, nn.LeakyReLU(_LEAK)))
        self.layers = nn.Sequential(*layers)
        self.answer = nn.Conv2d(widths[-1], 1, 4)

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self.answer(self.layers(images)).flatten()
        return answers
