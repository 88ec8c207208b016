"""The two phases of a generator's training: steps of the critic, and of the generator."""

import pkgutil
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from cadsight_learning.training.phases import Phase
from torch import Tensor, nn

from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.unconditional.objectives.augmentation import augmentation
from cadsight_generation.unconditional.objectives.losses import Losses
from cadsight_generation.unconditional.objectives.penalties import squared_slope
from cadsight_generation.unconditional.options import LOSSES, PENALTIES, GeneratorOptions

GENERATOR, CRITIC = "generator", "critic"
# Keras', which the thesis had.
_EPSILON = 1e-7
_AXES = {"none": (), "horizontal": (3,), "vertical": (2,), "both": (2, 3)}


class Adversaries:
    """A generator and its critic, and what each descends.

    A batch is real images (N, C, H, W) uint8, and whether the critic's slope is penalised by R1 at them.
    """

    def __init__(
        self, generator: nn.Module, critic: nn.Module, images: TrainingImages, options: GeneratorOptions
    ) -> None:
        self.generator, self.critic = generator, critic
        self._images, self._options = images, options
        self._losses: Losses = pkgutil.resolve_name(LOSSES.named(options.loss).build)
        penalty = PENALTIES.named(options.penalty).build
        self._penalty = pkgutil.resolve_name(penalty) if penalty else None
        self._augment = augmentation(options.augment)

    def phases(self) -> list[Phase]:
        """The critic's at every step, the generator's at one of ``critic_steps``."""
        options = self._options
        critic = [p for p in self.critic.parameters() if p.requires_grad]
        return [
            Phase(CRITIC, {CRITIC: self.critic}, self._adam(critic, options.critic_beta2), self.critic_loss),
            Phase(
                GENERATOR,
                {GENERATOR: self.generator},
                self._adam(list(self.generator.parameters()), options.generator_beta2),
                self.generator_loss,
                every=options.critic_steps,
            ),
        ]

    def batches(self, rng: np.random.Generator, fraction: float) -> Iterator[tuple[Tensor, bool]]:
        """One epoch: the set in random order, again and again, no image dropped at the end of a pass."""
        pixels, options = self._images.pixels, self._options
        passes = _endless(len(pixels), rng)
        for step in range(options.epoch_steps):
            batch = pixels[[next(passes) for _ in range(options.batch)]]
            for axis in _AXES[options.flips]:
                turned = torch.from_numpy(rng.random(len(batch)) < 0.5)
                batch = torch.where(turned[:, None, None, None], batch.flip(axis), batch)
            yield batch, bool(options.r1) and step % options.r1_every == 0

    def critic_loss(self, batch: tuple[Tensor, bool]) -> tuple[Tensor, Mapping[str, float]]:
        """Of real images and as many made ones; the generator gets no gradient."""
        images, slope = batch
        with torch.no_grad():
            made = self.generator(self._z(images))
        real, made = self._augment(as_network(images)), self._augment(made)
        of_real, of_made = self._losses.real(self.critic(real)), self._losses.made(self.critic(made))
        loss = of_real + of_made
        parts = {"critic_real": of_real.item(), "critic_made": of_made.item()}
        if self._penalty is not None:
            penalty = self._penalty(self.critic, real, made)
            loss = loss + self._options.penalty_weight * penalty
            parts["penalty"] = penalty.item()
        if slope:
            squared = squared_slope(self.critic, real)
            loss = loss + 0.5 * self._options.r1 * self._options.r1_every * squared
            parts["r1"] = squared.item()
        return loss, {**parts, "loss": loss.item()}

    def generator_loss(self, batch: tuple[Tensor, bool]) -> tuple[Tensor, Mapping[str, float]]:
        """Of as many made images; the critic gets no gradient."""
        loss = self._losses.generator(self.critic(self._augment(self.generator(self._z(batch[0])))))
        return loss, {"generator": loss.item()}

    def _z(self, images: Tensor) -> Tensor:
        return torch.randn(len(images), self._options.z, device=images.device)

    def _adam(self, weights: list[nn.Parameter], beta2: float) -> torch.optim.Optimizer:
        options = self._options
        return torch.optim.Adam(weights, options.learning_rate, (options.beta1, beta2), eps=_EPSILON)


def as_network(images: Tensor) -> Tensor:
    """uint8 from 0 to 255 as the networks have it, from -1 to 1."""
    return images.float() / 127.5 - 1


def as_image(made: Tensor) -> Tensor:
    """What a network makes, from -1 to 1, as uint8."""
    return ((made.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()
