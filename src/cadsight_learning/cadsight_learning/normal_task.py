"""What the training loop needs to know of the regressor of normals (see :class:`cadsight_learning.training.Task`)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from cadsight_core.geometry import Array
from torch import Tensor, nn

from cadsight_learning.augmentation import recoloured, relit
from cadsight_learning.metrics import angle_figures, squared_distance
from cadsight_learning.normals import as_input, loss, predicted
from cadsight_learning.options import NormalOptions
from cadsight_learning.precision import autocast
from cadsight_learning.views import View, seen_again


class NormalTask:
    """Crops with normals, judged by equation 1 on the validation crops."""

    def __init__(self, module: nn.Module, train: Sequence[View], valid: Sequence[View], options: NormalOptions) -> None:
        self.module, self.options = module, options
        self._train, self._valid = train, valid
        self._valid_crops = np.stack([v.crop for v in valid])
        self._valid_normals = np.stack([v.normal for v in valid])
        self.steps = -(-len(train) // options.batch)

    def batches(self, rng: np.random.Generator, share: float) -> Iterator[tuple[Tensor, Tensor]]:
        self.module.train()
        order = rng.permutation(len(self._train))
        for start in range(0, len(order), self.options.batch):
            numbers = list(order[start : start + self.options.batch])
            numbers += list(rng.integers(len(order), size=max(2 - len(numbers), 0)))
            drawn = [seen_again(self._train[i], rng, self.options.turn_deg, self.options.image_size) for i in numbers]
            crops = np.stack([recoloured(relit(crop, rng), rng) for crop, _ in drawn])
            normals = np.stack([normal for _, normal in drawn])
            yield as_input(crops, self.options.image_size), torch.from_numpy(normals).float()

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        crops, normals = batch
        with autocast():
            raw = self.module(crops)
        value = loss(raw.float(), normals)
        return value, {"loss": value.item()}

    def judge(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        normals, true = self.valid_normals(module)
        value = squared_distance(normals, true)
        return -value, {"loss": value} | angle_figures(normals, true)

    def valid_normals(self, module: nn.Module) -> tuple[Array, Array]:
        """Predicted and true normals (N, 3) of the validation crops, in their viewing frames."""
        return predicted(module, self._valid_crops, self.options.image_size), self._valid_normals
