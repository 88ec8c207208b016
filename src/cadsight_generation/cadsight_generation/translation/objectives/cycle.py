"""There and back again (Zhu et al. 2017, CycleGAN)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from cadsight_learning.training.phases import Callback, Phase
from torch import Tensor, nn
from torch.nn import functional

from cadsight_generation.translation.domains.batches import Batch
from cadsight_generation.translation.networks.discriminator import Discriminator
from cadsight_generation.translation.networks.generator import Generator
from cadsight_generation.translation.objectives.agreement import Agreement
from cadsight_generation.translation.objectives.cut import adam, conditioned, summed
from cadsight_generation.translation.objectives.losses import edge_loss, taken_for
from cadsight_generation.translation.options import KINDS, TranslatorOptions


class Cycle:
    """CycleGAN's adversarial, cycle (equation 2) and identity losses (section 5.2), and a pool of what was made."""

    def __init__(self, options: TranslatorOptions, agreement: Agreement | None = None) -> None:
        kind = KINDS.named(options.kind)

        def generator() -> Generator:
            return Generator(options.width, options.blocks, kind.demodulated, kind.conditioned)

        def discriminator() -> Discriminator:
            return Discriminator(options.width, options.size, kind.demodulated)

        self.generator, self.back = generator(), generator()
        self.of_real, self.of_synthetic = discriminator(), discriminator()
        self._pools = {"real": Pool("pool of real", options.pool), "synthetic": Pool("pool of synthetic", options.pool)}
        self.callbacks: Sequence[Callback] = tuple(self._pools.values())
        self._options, self._agreement = options, agreement

    def modules(self) -> list[nn.Module]:
        return [self.generator, self.back, self.of_real, self.of_synthetic]

    def phases(self) -> list[Phase]:
        made = {"generator": self.generator, "back": self.back}
        told = {"of_real": self.of_real, "of_synthetic": self.of_synthetic}
        rate = self._options.learning_rate
        return [
            Phase("generator", made, adam(rate, *made.values()), self._made),
            Phase("discriminator", told, adam(rate, *told.values()), self._told),
        ]

    def _made(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        options, synthetic, real = self._options, batch["synthetic"], batch["real"]
        condition, real_condition = batch["condition"], batch["real_condition"]
        to_real, to_synthetic = self._there(synthetic, condition), self._back(real, real_condition)
        cycled = functional.l1_loss(self._back(to_real, condition), synthetic)
        cycled = cycled + functional.l1_loss(self._there(to_synthetic, real_condition), real)
        parts = {
            "adversarial": taken_for(self.of_real(to_real), True) + taken_for(self.of_synthetic(to_synthetic), True),
            "cycle": options.cycle * cycled,
        }
        if options.identity:
            same = functional.l1_loss(self._there(real, real_condition), real)
            same = same + functional.l1_loss(self._back(synthetic, condition), synthetic)
            parts["identity"] = options.cycle * options.identity * same
        if options.edges:
            parts["edges"] = options.edges * edge_loss(synthetic, to_real, condition[:, :1])
        if self._agreement is not None:
            parts["agreement"] = options.agreement * self._agreement(synthetic, to_real)
        return summed(parts, "generator")

    def _told(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            to_real = self._there(batch["synthetic"], batch["condition"])
            to_synthetic = self._back(batch["real"], batch["real_condition"])
        to_real, to_synthetic = self._pools["real"].mixed(to_real), self._pools["synthetic"].mixed(to_synthetic)
        parts = {
            "of_real": taken_for(self.of_real(batch["real"]), True) + taken_for(self.of_real(to_real), False),
            "of_synthetic": taken_for(self.of_synthetic(batch["synthetic"]), True)
            + taken_for(self.of_synthetic(to_synthetic), False),
        }
        return summed({name: loss / 2 for name, loss in parts.items()}, "discriminator")

    def _there(self, colours: Tensor, condition: Tensor) -> Tensor:
        made: Tensor = self.generator(conditioned(self.generator, colours, condition))
        return made

    def _back(self, colours: Tensor, condition: Tensor) -> Tensor:
        made: Tensor = self.back(conditioned(self.back, colours, condition))
        return made


class Pool(Callback):
    """Images that were made before, half of which a discriminator is shown again (Shrivastava et al. 2017, 2.3)."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self._most, self._images = most, torch.zeros(0)

    def mixed(self, made: Tensor) -> Tensor:
        """(N, 3, H, W) of ``made`` (N, 3, H, W), half of them exchanged for older ones once the pool is full."""
        if not self._most:
            return made
        shown = []
        for image in made:
            if len(self._images) < self._most:
                one = image[None]
                self._images = torch.cat([self._images.to(one), one]) if len(self._images) else one.clone()
                shown.append(image)
            elif torch.rand(()) < 0.5:
                at = int(torch.randint(self._most, ()))
                shown.append(self._images[at].clone())
                self._images[at] = image
            else:
                shown.append(image)
        return torch.stack(shown)

    def state_dict(self) -> dict[str, Any]:
        return {"images": self._images}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._images = state["images"]
