"""What a model responds to: gradients of its answer with respect to the image (Comillas, figures 20 and 23)."""

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from captum.attr import Saliency
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cadsight_learning.data.letterbox import framed
from cadsight_learning.detection.ultralytics.detector import UltralyticsDetector
from cadsight_learning.normals.torch_regressor import NormalRegressor, as_input
from cadsight_learning.runtime.devices import device_of_module


def normal_saliency(regressor: NormalRegressor, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Saliency (N, H, W) of crops (N, H, W, 3), 0 to 1 each: how much each pixel turns the predicted normal.

    The larger of the gradients of the two components across the predicted normal: a turn is what matters.

    Raises:
        CadsightError: for another shape.
    """
    if crops.ndim != 4 or crops.shape[3] != 3 or not len(crops):
        raise CadsightError(f"crops are of shape {crops.shape}, expected (N, height, width, 3) and at least one")
    regressor.module.eval()
    inputs = as_input(crops, regressor.image_size).to(device_of_module(regressor.module))
    saliency = Saliency(regressor.module)
    # x and y in the viewing frame lie across a normal that faces the camera.
    parts = [saliency.attribute(inputs.clone().requires_grad_(), target=axis).cpu() for axis in (0, 1)]
    maps = torch.stack([p.abs().amax(dim=1) for p in parts]).amax(dim=0)
    # The network may see a crop smaller than it is; the map is for the crop.
    sized = functional.interpolate(maps[:, None], crops.shape[1:3], mode="bilinear", align_corners=False)[:, 0]
    return _normalised(sized)


def detector_saliency(detector: UltralyticsDetector, image: Rgb, class_id: int = 0) -> NDArray[np.float32]:
    """Saliency (h, w), 0 to 1, of an image as the detector sees it, for its most confident score of a class.

    Raises:
        CadsightError: for a class that the detector lacks.
    """
    if not 0 <= class_id < len(detector.classes):
        raise CadsightError(f"the class id is {class_id}, expected 0 to {len(detector.classes) - 1}")
    canvas, _ = framed(image, detector.image_size)
    inputs = torch.from_numpy(canvas).permute(2, 0, 1)[None].float() / 255
    detector.module.eval()
    inputs = inputs.to(device_of_module(detector.module))
    gradient = Saliency(_HighestScore(detector.module, class_id)).attribute(inputs.requires_grad_())
    return _normalised(gradient.abs().amax(dim=1))[0]


class _HighestScore(nn.Module):
    """The highest score of one class in an image."""

    def __init__(self, module: nn.Module, class_id: int) -> None:
        super().__init__()
        self._module, self._class_id = module, class_id

    def forward(self, images: Tensor) -> Tensor:
        decoded = self._module(images)[0]
        if decoded.shape[-1] == 6:  # end to end: rows of x0, y0, x1, y1, score, class
            of_class = decoded[..., 5].round() == self._class_id
            return torch.where(of_class, decoded[..., 4], torch.zeros_like(decoded[..., 4])).amax(dim=1)
        return decoded[:, 4 + self._class_id].amax(dim=1)


def _normalised(maps: Tensor) -> NDArray[np.float32]:
    """Maps (N, H, W) between 0 and 1, where the brightest hundredth of the pixels share the 1."""
    array = maps.detach().cpu().numpy()
    top = np.quantile(array, 0.99, axis=(1, 2), keepdims=True)
    return np.clip(array / np.maximum(top, 1e-30), 0, 1).astype(np.float32)
