"""What the training loop needs to know of the regressor of normals: its :class:`.Task`."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from cadsight_core.geometry import Array, angle_between
from cadsight_core.parts.symmetry import EqualNormals
from torch import Tensor, nn

from cadsight_learning.data.augmentation import recoloured, relit
from cadsight_learning.metrics.angles import angle_figures, squared_distance
from cadsight_learning.normals.crops import View, seen_again
from cadsight_learning.normals.torch_regressor import AT_ONCE, as_input, loss, outputs
from cadsight_learning.normals.von_mises_fisher import log_density, mean_negative_log_likelihood
from cadsight_learning.options import NormalOptions
from cadsight_learning.runtime.precision import autocast
from cadsight_learning.training.trainer import shuffled

Batch = tuple[Tensor, list[EqualNormals]]


@dataclass(frozen=True, eq=False)
class Answers:
    """The output of a network on crops.

    Attributes:
        normals: (N, 3) in the viewing frames.
        true: (N, 3) of the normals that look the same as the labelled one, the nearest to each of ``normals``.
        concentrations: (N,), or None where the network gives none.
    """

    normals: Array
    true: Array
    concentrations: Array | None

    @property
    def angles_deg(self) -> Array:
        return np.asarray(angle_between(self.normals, self.true))


class NormalTask:
    """Crops with normals, evaluated on equation 1 on the validation crops.

    A network of normals alone descends equation 1, one that also gives a concentration the negative log-likelihood of
    the von Mises-Fisher distribution; both about the normal that is nearest to the prediction of those that look the
    same. The gradient of a smallest loss over several normals, or over a cone of them, is that at the smallest.
    """

    def __init__(self, module: nn.Module, train: Sequence[View], valid: Sequence[View], options: NormalOptions) -> None:
        self.module, self.options = module, options
        self._train, self._valid = train, valid
        self.steps = -(-len(train) // options.batch)
        self._depthwise = any(isinstance(m, nn.Conv2d) and m.groups > 1 for m in module.modules())

    def batches(self, rng: np.random.Generator, fraction: float) -> Iterator[Batch]:
        self.module.train()
        for numbers in shuffled(len(self._train), self.options.batch, rng):
            pairs = [seen_again(self._train[i], rng, self.options.turn_deg, self.options.image_size) for i in numbers]
            crops = np.stack([recoloured(relit(crop, rng), rng) for crop, _ in pairs])
            yield as_input(crops, self.options.image_size), [same for _, same in pairs]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        crops, same = batch
        with self._precision(crops.device):
            raw = self.module(crops)
        raw = raw.float()
        normals = raw[:, :3]
        true = torch.from_numpy(nearest(same, normals.detach().cpu().numpy())).to(normals)
        distance = loss(normals, true)
        if raw.shape[1] == 3:
            return distance, {"loss": distance.item()}
        unlikely = -log_density(normals, raw[:, 3], true).mean()
        return unlikely, {"loss": distance.item(), "negative_log_likelihood": unlikely.item()}

    def _precision(self, device: torch.device) -> contextlib.AbstractContextManager[None]:
        # A processor takes half as long again for depthwise convolutions in bfloat16 as in float32.
        return contextlib.nullcontext() if self._depthwise and device.type == "cpu" else autocast(device)

    def evaluate(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        found = self.answers(module)
        value = squared_distance(found.normals, found.true)
        figures = {"loss": value} | angle_figures(found.normals, found.true)
        if found.concentrations is not None:
            unlikely = mean_negative_log_likelihood(found.angles_deg, found.concentrations)
            figures["negative_log_likelihood"] = unlikely
        return -value, figures

    def answers(self, module: nn.Module) -> Answers:
        """The output of ``module`` on the validation crops."""
        parts, same = [], []
        for start in range(0, len(self._valid), AT_ONCE):
            seen = self._valid[start : start + AT_ONCE]
            parts.append(outputs(module, np.stack([v.crop for v in seen]), self.options.image_size))
            same += [v.same for v in seen]
        found = np.concatenate(parts)
        true = nearest(same, found[:, :3])
        return Answers(found[:, :3], true, found[:, 3] if found.shape[1] > 3 else None)


def nearest(same: Sequence[EqualNormals], seen: Array) -> Array:
    """(N, 3) of each of ``same`` the normal that is nearest to ``seen`` (N, 3)."""
    return np.stack([one.nearest(normal) for one, normal in zip(same, seen, strict=True)])
