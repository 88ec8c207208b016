"""Frozen models that are to say the same before and after a translation (RetinaGAN; the papers' own detector)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from cadsight_learning.models import exportable
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.store import find, version
from torch import Tensor, nn
from torch.nn import functional

_STRIDE = 32


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """A model that looks and does not learn.

    Attributes:
        name: of its folder, with the SHA-256 of its weights.
        colours: least and greatest value of its input.
        side: of its input, a multiple of what it halves.
        difference: between two of its answers.
    """

    name: str
    module: nn.Module
    colours: tuple[float, float]
    side: int
    difference: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, images: Tensor) -> Tensor:
        """Its answer for images (N, 3, H, W), -1 to 1."""
        low, high = self.colours
        sized = functional.interpolate(images, (self.side, self.side), mode="bilinear", align_corners=False)
        answer = self.module((sized + 1) / 2 * (high - low) + low)
        return answer[0] if isinstance(answer, tuple | list) else answer


class Agreement:
    """The mean difference of what frozen models say of images before and after."""

    def __init__(self, models: Sequence[FrozenModel], device: torch.device) -> None:
        self._models = models
        for one in models:
            one.module.eval().requires_grad_(False).to(device)

    def __call__(self, before: Tensor, after: Tensor) -> Tensor:
        """Of images (N, 3, H, W), -1 to 1."""
        differences = []
        for one in self._models:
            with torch.no_grad():
                expected = one(before)
            differences.append(one.difference(expected, one(after)))
        return torch.stack(differences).sum()


def frozen(name: str, models: str, size: int, longer: int) -> FrozenModel:
    """A detector that can be exported, or a regressor, by its folder or name in the registry folder ``models``.

    Args:
        size: side of the crops that it will see, of images whose longer side is ``longer`` pixels.

    Raises:
        CadsightError: when there is none, or it is a detector that cannot be exported.
    """
    folder = find(name, models)
    card = load_card(folder)
    module, known = exportable(folder), f"{folder.name} {version(folder)}"
    if card.kind == "normals":
        return FrozenModel(known, module, (-1.0, 1.0), card.image_size, _turned)
    # Crops as large as that part of an image is for the detector.
    side = max(round(card.image_size * size / longer / _STRIDE), 1) * _STRIDE
    return FrozenModel(known, module, (0.0, 1.0), side, _found_elsewhere)


def _turned(before: Tensor, after: Tensor) -> Tensor:
    """1 - the cosine between normals (N, 3 or more)."""
    return (1 - functional.cosine_similarity(before[:, :3], after[:, :3], dim=1)).mean()


def _found_elsewhere(before: Tensor, after: Tensor) -> Tensor:
    """Of centres, sizes and scores (N, 4 + classes, M): how these differ, of boxes in widths, where one was found."""
    scores = before[:, 4:].amax(dim=1)
    there = scores.sum().clamp(min=1.0)
    unlike = (after[:, 4:] - before[:, 4:]).abs().sum() / there
    widths = before[:, 2:4].mean(dim=1).clamp(min=1.0)
    moved = (after[:, :4] - before[:, :4]).abs().mean(dim=1) / widths
    return unlike + (moved * scores).sum() / there
