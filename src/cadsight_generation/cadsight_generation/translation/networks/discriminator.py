"""Which patches of an image are of a domain (Isola et al. 2017, PatchGAN)."""

from torch import Tensor, nn

from cadsight_generation.translation.networks.layers import layer

# Below this side of a crop the published 70 pixels of a patch would be all of it.
_SMALL = 128


class Discriminator(nn.Module):
    """A number for each patch: 70 pixels wide, 34 of crops below 128 pixels."""

    def __init__(self, width: int, size: int, demodulated: bool) -> None:
        super().__init__()
        halvings = 3 if size >= _SMALL else 2
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for number in range(1, halvings + 1):
            before, after = (width * min(2**n, 8) for n in (number - 1, number))
            stride = 2 if number < halvings else 1
            layers += [layer(demodulated, before, after, 3 if demodulated else 4, stride), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(after, 1, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """Colours (N, 3, H, W) from -1 to 1 to (N, 1, h, w), 1 where the patch is of the domain."""
        found: Tensor = self.layers(image)
        return found
