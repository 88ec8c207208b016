"""A generator that was trained: read from its folder, and asked for images."""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Sample
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.provenance import load_learned_from
from cadsight_learning.registry.store import version
from cadsight_learning.runtime.devices import device_of
from cadsight_learning.weights.checkpoint import fill, load_state
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_generation.networks.shape import NetworkShape
from cadsight_generation.unconditional.drawing import at_aspect, drawn
from cadsight_generation.unconditional.options import KINDS
from cadsight_generation.unconditional.steps import CRITIC, GENERATOR

KIND = "generator"
# Of a SHA-256, what a card and learned_from.json know a file by.
DIGITS = 16
# Images whose random numbers are drawn together.
_BLOCK = 20


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A generator with its critic, and where they come from.

    Attributes:
        version: SHA-256 over card and weights.
        learned_from: the images that the weights come from, by the first digits of the SHA-256 of their files.
        label: class of what the mask shows, '' where images have no mask.
        aspect: width by height of an image.
    """

    folder: Path
    card: ModelCard
    shape: NetworkShape
    generator: nn.Module
    critic: nn.Module
    version: str
    learned_from: tuple[str, ...]
    label: str
    aspect: float

    def refuse_learned(self, samples: Mapping[str, Sample]) -> None:
        """Refuse a generator whose weights come from one of ``samples``, by the SHA-256 of their files.

        Raises:
            CadsightError: naming the first.
        """
        learned = set(self.learned_from)
        sample = next((s for digest, s in samples.items() if digest[:DIGITS] in learned), None)
        if sample is not None:
            raise CadsightError(
                f"{self.folder} learned from {sample.name} ({sample.image}), expected images it never saw"
            )

    def images(self, count: int, seed: int) -> Iterator[tuple[Rgb, NDArray[np.bool_] | None]]:
        """``count`` images (H, W, 3) and, where the generator learned them, their masks (H, W).

        Image N of a seed is the same whatever ``count`` is.
        """
        for block in range(0, count, _BLOCK):
            numbers = np.random.default_rng([seed, block]).standard_normal((_BLOCK, self.shape.z), np.float32)
            for image in drawn(self.generator, torch.from_numpy(numbers))[: count - block]:
                yield at_aspect(image, self.aspect)


def load_generator(folder: str | Path, device: str = "auto") -> TrainedGenerator:
    """The generator in ``folder``.

    Raises:
        CadsightError: when there is none, it is another kind of model, or its weights do not fit its card.
    """
    folder = Path(folder)
    card = load_card(folder)
    if card.kind != KIND:
        raise CadsightError(f"{folder} holds a model of the kind {card.kind!r}, expected a {KIND}")
    missing = {"shape", "aspect"} - card.extra.keys()
    if missing:
        raise CadsightError(f"the card of {folder} lacks extra.{min(missing)}, expected that of a trained generator")
    shape = from_mapping(NetworkShape, card.extra["shape"], f"the card of {folder}")
    generator, critic = pkgutil.resolve_name(KINDS.named(card.architecture).build)(shape)
    state = load_state(folder / WEIGHTS)
    for name, module in ((GENERATOR, generator), (CRITIC, critic)):
        fill(module, _of(state, name), folder / WEIGHTS)
        module.to(device_of(device)).eval()
    known = load_learned_from(folder)
    return TrainedGenerator(
        folder, card, shape, generator, critic, version(folder), known.train if known else (),
        card.classes[0] if card.classes else "", float(card.extra["aspect"]),
    )  # fmt: skip


def _of(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key[len(name) + 1 :]: value for key, value in state.items() if key.startswith(f"{name}.")}
