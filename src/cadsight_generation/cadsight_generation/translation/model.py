"""A trained translator, ready for whole images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.mesh import Mesh
from cadsight_core.sample import Sample
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.store import find, version
from cadsight_learning.runtime.devices import device_of, device_of_module
from cadsight_learning.weights.checkpoint import fill, load_state
from numpy.typing import NDArray
from torch.nn import functional

from cadsight_generation.translation.domains.domain import canvas_of, is_grey
from cadsight_generation.translation.networks.generator import COLOURS, Generator

KIND = "translator"
# A translator halves its input twice.
_MULTIPLE = 4


class Translates(Protocol):
    """Whatever makes images of one domain look like those of another."""

    @property
    def record(self) -> Mapping[str, Any]:
        """What is kept with each image that it made: the model's name, kind and SHA-256."""

    def check(self, sample: Sample, image: Rgb) -> None:
        """Refuse what it did not learn from.

        Raises:
            CadsightError: naming the sample.
        """

    def translated(self, sample: Sample, image: Rgb) -> Rgb:
        """The image (H, W, 3) of ``sample`` in the other domain, of the same size."""


@dataclass(frozen=True, eq=False)
class Translator:
    """A generator and what must be known to use it.

    Attributes:
        longer: longer side of an image as it sees it, in pixels.
        grey: whether it learned from images without colours.
        meshes: by class id, of which surface normals are drawn.
    """

    generator: Generator
    longer: int
    grey: bool
    meshes: Mapping[int, Mesh]
    record: Mapping[str, Any]

    def check(self, sample: Sample, image: Rgb) -> None:
        """Refuse an image of other channels than those that it learned from.

        Raises:
            CadsightError: for a coloured image where it learned from grey ones, or the other way, and for labels
                without masks where it takes one.
        """
        if is_grey(image) != self.grey:
            here, there = (("grey", "has colours"), ("coloured", "is grey"))[not self.grey]
            raise CadsightError(f"{sample.image} {there}, expected a {here} image: the translator learned from such")
        if self.generator.channels > COLOURS and any(
            i.mask is None and "segmentation" not in i.attributes for i in sample.instances
        ):
            raise CadsightError(f"{sample.image} has a label without a mask, expected one: the translator takes it")

    def translated(self, sample: Sample, image: Rgb) -> Rgb:
        """See :class:`Translates`. At the size that it learned from; what changes there is enlarged."""
        canvas = canvas_of(sample, image, self.longer, self.meshes)
        made = translate_canvas(self.generator, canvas.image, canvas.condition())
        if made.shape == image.shape:
            return made
        change = made.astype(np.float32) - canvas.image
        wide = cv2.resize(change, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.clip(np.round(image + wide), 0, 255).astype(np.uint8)


def translate_canvas(generator: Generator, image: Rgb, condition: NDArray[np.float32]) -> Rgb:
    """The image (H, W, 3) with the renderer's channels (H, W, 4) in the other domain."""
    pixels = image.astype(np.float32) / 127.5 - 1
    both = np.concatenate([pixels, condition], axis=2) if generator.channels > COLOURS else pixels
    rows, columns = image.shape[:2]
    below, right = (-side % _MULTIPLE for side in (rows, columns))
    tensor = torch.from_numpy(both).permute(2, 0, 1)[None].to(device_of_module(generator))
    with torch.inference_mode():
        made = generator(functional.pad(tensor, (0, right, 0, below), mode="replicate"))
    found = made[0, :, :rows, :columns].permute(1, 2, 0).cpu().numpy()
    return np.clip(np.round((found + 1) * 127.5), 0, 255).astype(np.uint8)


def load_translator(
    name: str | Path, models: str | Path, device: str = "auto", meshes: Mapping[int, Mesh] | None = None
) -> Translator:
    """The translator of a model's folder, or of its name in the registry folder ``models``.

    Raises:
        CadsightError: when there is none, it is another kind of model, or its files do not fit together.
    """
    folder = find(name, models)
    card = load_card(folder)
    if card.kind != KIND:
        raise CadsightError(f"the model {folder} is a model of kind {card.kind!r}, expected {KIND!r}")
    generator = _generator(card, folder)
    fill(generator, load_state(folder / WEIGHTS), folder / WEIGHTS)
    generator.to(device_of(device)).eval()
    record = {"model": folder.name, "kind": card.architecture, "model_sha256": version(folder)}
    return Translator(generator, card.image_size, bool(card.extra["grey"]), meshes or {}, record)


def _generator(card: ModelCard, folder: Path) -> Generator:
    try:
        shape = dict(card.extra["generator"])
        return Generator(**{name: shape[name] for name in ("width", "blocks", "demodulated", "conditioned")})
    except (KeyError, TypeError, ValueError) as error:
        raise CadsightError(f"the card of {folder} has no usable generator: {error}, expected its shape") from error
