"""Penalties on the slope of a critic. All are computed in float32."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
# Under the root of a gradient's norm: the root's own slope has no value at 0.
_TINY = 1e-12


def between_real_and_made(critic: Critic, real: Tensor, made: Tensor) -> Tensor:
    """(|slope| - 1)^2 between real and made images (N, C, H, W) (Gulrajani et al. 2017, equation 3).

    The place between them is drawn from U(0, 1), as in the paper and in the thesis' code; its text says N(0, 1).
    """
    alpha = torch.rand(len(real), 1, 1, 1, device=real.device)
    return _distance_from_one(critic, real + alpha * (made - real))


def around_real(critic: Critic, real: Tensor, made: Tensor) -> Tensor:
    """(|slope| - 1)^2 around real images (Kodali et al. 2017), as in the thesis' code; ``made`` is not looked at.

    To each pixel comes noise from U(0, 1) times half the batch's standard deviation, times one number from U(0, 1) an
    image.
    """
    noise = 0.5 * real.std(correction=0) * torch.rand_like(real)
    alpha = torch.rand(len(real), 1, 1, 1, device=real.device)
    return _distance_from_one(critic, real + alpha * noise)


def squared_slope(critic: Critic, real: Tensor) -> Tensor:
    """Mean squared norm of the slope at real images, the R1 penalty without its weight (Mescheder et al. 2018)."""
    return _slopes(critic, real).square().sum(dim=1).mean()


def _distance_from_one(critic: Critic, at: Tensor) -> Tensor:
    return ((_slopes(critic, at).square().sum(dim=1) + _TINY).sqrt() - 1).square().mean()


def _slopes(critic: Critic, at: Tensor) -> Tensor:
    at = at.detach().requires_grad_(True)
    (slopes,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return slopes.flatten(1)
