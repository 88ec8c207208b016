"""What a pair of a generator and a critic is for."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of a pair of networks.

    Attributes:
        size: side of the images in pixels, a power of two from 16 on.
        channels: of an image: 3, or 4 with a mask.
        width: channels of the layers nearest to the image.
        z: random numbers that an image is made of.
        penalised: whether the critic's slope is penalised, image by image.
    """

    size: int
    channels: int = 3
    width: int = 64
    z: int = 128
    penalised: bool = False

    @property
    def doublings(self) -> int:
        """How often the side doubles from 4 pixels."""
        return int(math.log2(self.size)) - 2

    def width_at(self, doubling: int) -> int:
        """Channels after ``doubling`` doublings of the side, from 8 times the width down to the width itself."""
        return self.width * min(2 ** (self.doublings - 1 - doubling), 8) if doubling < self.doublings else self.width
