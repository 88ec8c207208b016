"""The normal of a part's surface from its 224 x 224 crop (Comillas, section 5 and annex B)."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.crops import CROP_SIZE, crop_box
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cadsight_learning.checkpoint import fill
from cadsight_learning.options import ARCHITECTURES
from cadsight_learning.precision import channels_last

# Of normals that nobody has judged yet: 20 degrees each way.
_UNKNOWN = np.eye(3) * np.sin(np.radians(20.0)) ** 2


class UnitNormal(nn.Module):
    """Three outputs as a unit vector."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=1, eps=1e-6)


def network(architecture: str, image_size: int) -> nn.Module:
    """Three convolutions, each with ReLU and max pooling, dense layers, three outputs of unit length.

    ``comillas`` is the paper's; ``compact`` has five strided convolutions with normalisation in place of its three.

    Raises:
        CadsightError: for another name.
    """
    if architecture not in ARCHITECTURES:
        raise CadsightError(f"the regressor is {architecture!r}, expected one of {', '.join(ARCHITECTURES)}")
    layers = _comillas(image_size) if architecture == "comillas" else _compact(image_size)
    for layer in layers.modules():
        # Torch's own start shrinks what passes through; without normalisation it takes many epochs to grow again.
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return layers


def _comillas(image_size: int) -> nn.Sequential:
    side = image_size // 8
    return nn.Sequential(
        *_stage(3, 16), *_stage(16, 32), *_stage(32, 64),
        nn.Flatten(), nn.Linear(64 * side * side, 128), nn.ReLU(), nn.Linear(128, 3), UnitNormal(),
    )  # fmt: skip


def _compact(image_size: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise((3, 16, 32, 64, 96, 128)):
        layers += [nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    side = -(-image_size // 32)
    return nn.Sequential(
        *layers, nn.Conv2d(128, 32, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * side * side, 128), nn.ReLU(), nn.Linear(128, 3), UnitNormal(),
    )  # fmt: skip


def loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean over N of the squared distance between normals (N, 3) (Comillas, equation 1)."""
    return ((predicted - true) ** 2).sum(dim=1).mean()


class NormalRegressor:
    """Normals of crops, in the viewing frame of each crop.

    Attributes:
        image_size: side in pixels of a crop as the network sees it.
        covariance: (3, 3) of the normal in the viewing frame, from the residuals of validation crops.
    """

    def __init__(
        self, architecture: str, image_size: int = CROP_SIZE, covariance: Sequence[Sequence[float]] | None = None
    ) -> None:
        self.architecture, self.image_size = architecture, image_size
        self.module = network(architecture, image_size)
        channels_last(self.module)
        self.covariance = _UNKNOWN.copy() if covariance is None else np.array(covariance, float).reshape(3, 3)

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "NormalRegressor":
        """Take the weights of a network of the same architecture."""
        fill(self.module, state, where)
        return self

    def warm_up(self) -> None:
        """Run once, so that the first real crop is not the slow one."""
        self.predict(np.zeros((1, CROP_SIZE, CROP_SIZE, 3), np.uint8))

    def predict(self, crops: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Normals (N, 3) of crops (N, H, W, 3), each in its crop's viewing frame, and covariances (N, 3, 3).

        Raises:
            CadsightError: for another shape.
        """
        crops = np.asarray(crops)
        if crops.ndim != 4 or crops.shape[3] != 3:
            raise CadsightError(f"crops are of shape {crops.shape}, expected (N, height, width, 3)")
        if not len(crops):
            return np.zeros((0, 3)), np.zeros((0, 3, 3))
        self.module.eval()
        with torch.inference_mode():
            normals = self.module(as_input(crops, self.image_size)).double().numpy()
        return normals, np.repeat(self.covariance[None], len(crops), axis=0)


def as_input(crops: NDArray[np.uint8], size: int) -> Tensor:
    """Crops (N, H, W, 3) uint8 as the network's input (N, 3, size, size), about -1 to 1."""
    if crops.shape[1:3] != (size, size):
        crops = np.stack([cv2.resize(c, (size, size), interpolation=cv2.INTER_AREA) for c in crops])
    tensor = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)
    return tensor.to(torch.float32, memory_format=torch.channels_last) / 127.5 - 1.0


def crop_rotation(camera: Camera | None, box: Box, image: ImageSize) -> Array:
    """(3, 3) ``R`` of the crop of ``box``: ``normal_camera = R @ normal_viewing``.

    The viewing frame looks along the ray through the crop's centre; without a camera it is the camera's own frame.
    """
    if camera is None:
        return np.eye(3)
    x, y = crop_box(box, image).centre
    return viewing_rotation(camera, (x - 0.5, y - 0.5))


def predicted(module: nn.Module, crops: NDArray[np.uint8], size: int, batch: int = 32) -> Array:
    """Normals (N, 3) of crops, in batches."""
    module.eval()
    with torch.inference_mode():
        parts = [module(as_input(crops[i : i + batch], size)) for i in range(0, len(crops), batch)]
    return torch.cat(parts).double().numpy()


def residual_covariance(predicted_normals: Array, true_normals: Array) -> Array:
    """(3, 3) second moment of the residuals of normals (N, 3), with a floor of 0.1 degrees each way."""
    residuals = predicted_normals - true_normals
    return residuals.T @ residuals / len(residuals) + np.eye(3) * np.radians(0.1) ** 2


def _stage(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
