"""The networks of the regressor of normals, by name.

Each is a sequence that ends in a linear layer and an output: :class:`UnitNormal` gives a normal, :class:`NormalHead`
also a concentration. They take crops (N, 3, side, side) from -1 to 1 and give plain tensors, so they can be exported.
"""

import itertools
import math
import pkgutil
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from cadsight_core.errors import CadsightError
from torch import Tensor, nn
from torch.nn import functional

from cadsight_learning.normals.von_mises_fisher import LEAST, MOST
from cadsight_learning.options import REGRESSORS
from cadsight_learning.weights import efficientnet_lite0 as lite0
from cadsight_learning.weights.hub import torchvision_state

_BODY = "body"
_IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
# Before anything is learned: normals about 20 degrees away.
_FIRST_CONCENTRATION = 10.0
# Torchvision's 0.01 in mobile networks needs hundreds of steps to know the images; a training here has few.
_NORM_MOMENTUM = 0.1


class UnitNormal(nn.Module):
    """Three numbers as a unit vector."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=1, eps=1e-6)


class NormalHead(nn.Module):
    """Four numbers as a unit vector and its concentration: (N, 4), three columns of the normal and one of kappa."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        fraction = torch.sigmoid(x[:, 3:])
        concentration = torch.exp(math.log(LEAST) + (math.log(MOST) - math.log(LEAST)) * fraction)
        return torch.cat([functional.normalize(x[:, :3], dim=1), concentration], dim=1)


class Colours(nn.Module):
    """Colours from -1 to 1, normalised with the mean and std (of colours from 0 to 1) that a network learned with."""

    factor: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        middle, scale = torch.tensor(mean).reshape(1, 3, 1, 1), torch.tensor(std).reshape(1, 3, 1, 1)
        self.register_buffer("factor", 0.5 / scale, persistent=False)
        self.register_buffer("shift", (0.5 - middle) / scale, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + self.shift


def network(architecture: str, image_size: int) -> nn.Sequential:
    """An untrained network for crops of ``image_size``.

    ``comillas`` is the paper's: three convolutions, each with ReLU and max pooling, dense layers, three outputs of unit
    length. ``compact`` has five strided convolutions with normalisation in place of its three. The others are timm's
    and torchvision's, from their first layer to their last features, with a head that also gives a concentration.

    Raises:
        CadsightError: for another name.
    """
    built: nn.Sequential = pkgutil.resolve_name(REGRESSORS.named(architecture).build)(image_size)
    return built


def body(module: nn.Sequential) -> nn.Module | None:
    """Of a network of timm's or torchvision's its layers before the head, by their own names; None of another."""
    return dict(module.named_children()).get(_BODY)


def hub_state(architecture: str) -> Mapping[str, Tensor]:
    """Torchvision's weights of ``architecture``, learned on ImageNet, from its hub or from what was had there before.

    Raises:
        CadsightError: when there are none of it, or the hub cannot be reached.
    """
    if not REGRESSORS.named(architecture).on_hub:
        there = ", ".join(name for name, one in REGRESSORS.items() if one.on_hub)
        raise CadsightError(f"no hub has weights of {architecture}, expected one of {there}, or 'scratch'")
    return torchvision_state(architecture)[1]


def package_state(architecture: str) -> Mapping[str, Tensor]:
    """Weights of the body of ``efficientnet_lite0``, learned on ImageNet, from the package that holds them.

    Raises:
        CadsightError: for another network, or when the package is not installed.
    """
    if not REGRESSORS.named(architecture).packaged:
        there = ", ".join(name for name, one in REGRESSORS.items() if one.packaged)
        raise CadsightError(f"no package has weights of {architecture}, expected {there}, or 'scratch'")
    return lite0.body_state()


def comillas(image_size: int) -> nn.Sequential:
    side = image_size // 8
    return _strong_start(nn.Sequential(
        *_stage(3, 16), *_stage(16, 32), *_stage(32, 64),
        nn.Flatten(), nn.Linear(64 * side * side, 128), nn.ReLU(), nn.Linear(128, 3), UnitNormal(),
    ))  # fmt: skip


def compact(image_size: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise((3, 16, 32, 64, 96, 128)):
        layers += [nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    side = -(-image_size // 32)
    return _strong_start(nn.Sequential(
        *layers, nn.Conv2d(128, 32, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * side * side, 128), nn.ReLU(), nn.Linear(128, 3), UnitNormal(),
    ))  # fmt: skip


def efficientnet_lite0(image_size: int) -> nn.Sequential:
    return _on(lite0.body(), lite0.FEATURES, image_size, Colours([lite0.MEAN] * 3, [lite0.STD] * 3))


def mobilenet_v3_small(image_size: int) -> nn.Sequential:
    # Imported where it is needed: it brings torch's compiler, which takes seconds.
    from torchvision import models

    model = models.mobilenet_v3_small()
    return _on(nn.Sequential(OrderedDict(features=model.features)), 576, image_size, Colours(*_IMAGENET))


def resnet18(image_size: int) -> nn.Sequential:
    from torchvision import models

    model = models.resnet18()
    layers = OrderedDict((name, layer) for name, layer in model.named_children() if name not in ("avgpool", "fc"))
    return _on(nn.Sequential(layers), 512, image_size, Colours(*_IMAGENET))


def _on(layers: nn.Module, channels: int, image_size: int, colours: Colours) -> nn.Sequential:
    """``layers``, which give ``channels`` at a 32nd of the side, with a head that keeps where in the crop things are:
    an average over the crop would throw the outline away."""
    side = -(-image_size // 32)
    for layer in layers.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = _NORM_MOMENTUM
    head = _strong_start(
        nn.Sequential(nn.Conv2d(channels, 64, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * side * side, 128), nn.ReLU())
    )
    last = nn.Linear(128, 4)
    nn.init.kaiming_normal_(last.weight, nonlinearity="relu")
    nn.init.zeros_(last.weight[3])
    nn.init.zeros_(last.bias)
    fraction = math.log(_FIRST_CONCENTRATION / LEAST) / math.log(MOST / LEAST)
    nn.init.constant_(last.bias[3:], math.log(fraction / (1 - fraction)))
    parts = OrderedDict({"colours": colours, _BODY: layers, "head": head, "last": last, "output": NormalHead()})
    return nn.Sequential(parts)


def _strong_start(layers: nn.Sequential) -> nn.Sequential:
    """Torch's own start shrinks what passes through; without normalisation it takes many epochs to grow again."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return layers


def _stage(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
