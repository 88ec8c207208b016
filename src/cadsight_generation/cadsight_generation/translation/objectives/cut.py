"""One way, each patch like itself before (Park et al. 2020, CUT), with what the renderer knows."""

from collections.abc import Sequence

import torch
from cadsight_learning.training.phases import Callback, Phase
from torch import Tensor, nn

from cadsight_generation.translation.domains.batches import Batch
from cadsight_generation.translation.networks.discriminator import Discriminator
from cadsight_generation.translation.networks.generator import CONDITION, Generator
from cadsight_generation.translation.networks.patches import PatchProjection, patch_loss, places_in
from cadsight_generation.translation.objectives.agreement import Agreement
from cadsight_generation.translation.objectives.losses import edge_loss, taken_for
from cadsight_generation.translation.options import KINDS, TranslatorOptions


class Cut:
    """CUT's losses, the edges about the silhouette, and what frozen models say."""

    callbacks: Sequence[Callback] = ()

    def __init__(self, options: TranslatorOptions, agreement: Agreement | None = None) -> None:
        kind = KINDS.named(options.kind)
        self.generator = Generator(options.width, options.blocks, kind.demodulated, kind.conditioned)
        self.discriminator = Discriminator(options.width, options.size, kind.demodulated)
        self.projection = PatchProjection(self.generator.feature_channels, 4 * options.width)
        self._options, self._agreement = options, agreement

    def modules(self) -> list[nn.Module]:
        return [self.generator, self.discriminator, self.projection]

    def phases(self) -> list[Phase]:
        made = {"generator": self.generator, "projection": self.projection}
        return [
            Phase("generator", made, adam(self._options.learning_rate, *made.values()), self._made),
            Phase(
                "discriminator",
                {"discriminator": self.discriminator},
                adam(self._options.learning_rate, self.discriminator),
                self._told,
            ),
        ]

    def _made(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        options, synthetic, condition = self._options, batch["synthetic"], batch["condition"]
        made = self.generator(self._with(synthetic, condition))
        parts = {
            "adversarial": taken_for(self.discriminator(made), True),
            "patches": options.patch_weight * self._alike(synthetic, made, condition),
            "edges": options.edges * edge_loss(synthetic, made, condition[:, :1]),
        }
        if options.identity:
            real, real_condition = batch["real"], batch["real_condition"]
            again = self.generator(self._with(real, real_condition))
            parts["identity"] = options.identity * self._alike(real, again, real_condition)
        if self._agreement is not None:
            parts["agreement"] = options.agreement * self._agreement(synthetic, made)
        return summed(parts, "generator")

    def _told(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            made = self.generator(self._with(batch["synthetic"], batch["condition"]))
        loss = (taken_for(self.discriminator(made), False) + taken_for(self.discriminator(batch["real"]), True)) / 2
        return summed({"real_or_made": loss}, "discriminator")

    def _alike(self, before: Tensor, after: Tensor, condition: Tensor) -> Tensor:
        found = self.generator.features(self._with(after, condition))
        expected = self.generator.features(self._with(before, condition))
        places = places_in(found, self._options.patches)
        pairs = zip(self.projection(found, places), self.projection(expected, places), strict=True)
        return torch.stack([patch_loss(one, other) for one, other in pairs]).mean()

    def _with(self, colours: Tensor, condition: Tensor) -> Tensor:
        return conditioned(self.generator, colours, condition)


def conditioned(generator: Generator, colours: Tensor, condition: Tensor) -> Tensor:
    """The input of ``generator`` of colours (N, 3, H, W) and the renderer's channels (N, 4, H, W)."""
    return torch.cat([colours, condition], dim=1) if generator.channels == colours.shape[1] + CONDITION else colours


def adam(rate: float, *modules: nn.Module) -> torch.optim.Optimizer:
    """As CycleGAN and CUT have it."""
    return torch.optim.Adam([p for module in modules for p in module.parameters()], lr=rate, betas=(0.5, 0.999))


def summed(parts: dict[str, Tensor], whose: str) -> tuple[Tensor, dict[str, float]]:
    """The sum of ``parts``, and each of them as a number under ``whose``."""
    total = torch.stack(list(parts.values())).sum()
    return total, {f"{whose}_{name}": float(value.detach()) for name, value in parts.items()}
