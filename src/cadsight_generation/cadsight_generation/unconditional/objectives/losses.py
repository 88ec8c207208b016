"""What critics and generators descend: the losses of the thesis, by its code.

A critic's answer is one number an image, larger for what it takes for real.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class Losses:
    """Of answers (N,) each a scalar.

    Attributes:
        real, made: what the critic descends, of its answers to real and to made images.
        generator: what the generator descends, of the critic's answers to made images.
    """

    real: Callable[[Tensor], Tensor]
    made: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


# Goodfellow et al. 2014, the generator's in its form that does not saturate: cross entropies of logits.
GAN = Losses(lambda r: softplus(-r).mean(), lambda f: softplus(f).mean(), lambda f: softplus(-f).mean())
# Mao et al. 2017, equation 9: a = 0, b = c = 1.
LSGAN = Losses(lambda r: (r - 1).square().mean(), lambda f: f.square().mean(), lambda f: (f - 1).square().mean())
# Lim and Ye 2017, as the thesis' first version: the generator's is cut as well.
HINGE = Losses(lambda r: relu(1 - r).mean(), lambda f: relu(1 + f).mean(), lambda f: relu(1 - f).mean())
# Its second version, the usual one (Miyato et al. 2018, equations 16 and 17).
HINGE2 = Losses(HINGE.real, HINGE.made, lambda f: -f.mean())
# Arjovsky et al. 2017.
WGAN = Losses(lambda r: -r.mean(), lambda f: f.mean(), lambda f: -f.mean())
