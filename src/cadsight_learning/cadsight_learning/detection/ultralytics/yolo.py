"""Ultralytics' YOLO networks behind our detector interface.

Ultralytics is AGPL-3.0, and nothing of ours that trains or infers imports it but this file and
:mod:`cadsight_learning.detection.ultralytics.rtdetr`: its networks and its losses.
"""

import copy
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.detection.decoding import decode, decode_candidates
from cadsight_learning.detection.ultralytics.detector import Batch, UltralyticsDetector, start, with_features
from cadsight_learning.detection.ultralytics.import_guard import untouched
from cadsight_learning.detection.ultralytics.names import architecture_of
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.runtime.devices import CPU, device_of
from cadsight_learning.runtime.precision import autocast

with untouched():
    from ultralytics.nn.modules.block import DFL
    from ultralytics.nn.tasks import DetectionModel

# Ultralytics' own gains.
_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}


class YoloDetector(UltralyticsDetector):
    """A YOLO network, which other runtimes than torch may run."""

    # Its third loss has another name where there is no distribution of distances (YOLO26).
    loss_names = {"box_loss": "box_loss", "cls_loss": "class_loss", "dfl_loss": "dfl_loss", "l1_loss": "dfl_loss"}

    def __init__(
        self,
        architecture: str,
        classes: Sequence[str],
        image_size: int,
        epochs: int = 100,
        device: torch.device = CPU,
    ) -> None:
        super().__init__(architecture, classes, image_size, device)
        self.module.args = SimpleNamespace(**_GAINS, epochs=epochs)

    def _network(self, configuration: str, classes: int) -> Any:
        network = DetectionModel(configuration, nc=classes, verbose=False)
        # YOLO26 and YOLOv10 have a second head, to learn with, that would choose one box a part itself.
        _head(network).end2end = False
        return network

    def exportable(self) -> nn.Module:
        """The network from images (N, 3, h, w), 0 to 1, to boxes in their pixels and scores, a sigmoid a class.

        A tensor (N, 4 + classes, M), as :func:`cadsight_learning.detection.decoding.decode` takes it, then the features
        (N, D) of images and the maps (N, channels, h, w) that the head sees, as evidence is made of them.
        """
        module: nn.Module = copy.deepcopy(self._for_inference()).cpu()
        head = _head(module)
        # Without a shape it makes its grid anew: one from an earlier inference cannot be traced.
        head.export, head.shape = True, None
        if isinstance(head.dfl, DFL):
            head.dfl = _MeanDistance(head.dfl.c1)
        return _WithFeatures(module, self.early, self.features_sha256)

    def rows(self, raw: Any, shape: Sequence[int], confidence: float, max_detections: int) -> list[Array]:
        return [decode(one, confidence, max_detections) for one in raw[0].cpu().numpy()]

    def parts(
        self, raw: Any, shape: Sequence[int], floor: float, at_most: int
    ) -> list[tuple[Array, NDArray[np.float32]]]:
        found = []
        for one in raw[0].cpu().numpy():
            rows, candidates = decode_candidates(one, floor, at_most)
            found.append((rows, one[4:, candidates].T))
        return found

    def training_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with autocast(batch["img"].device):
            raw = self.module(batch["img"])
        loss, parts = self.module.loss(batch, _as_float(raw))
        return loss.sum(), parts


class _WithFeatures(nn.Module):
    """A network with its features, as a tuple of tensors."""

    def __init__(self, network: nn.Module, early: Sequence[int], features_sha256: str) -> None:
        super().__init__()
        self.network, self.early, self.features_sha256 = network, tuple(early), features_sha256

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        raw, features, maps = with_features(self.network, self.early, images)
        return (raw, features, *maps)


class _MeanDistance(nn.Module):
    """The mean of a softmax over distances (B, 4 x bins, M) as (B, 4, M), which ultralytics' DFL convolves.

    A runtime that convolves in bfloat16 leaves this sum in float32, and with it a fraction of a pixel.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.distances: Tensor
        self.register_buffer("distances", torch.arange(float(bins)).view(1, 1, bins, 1))

    def forward(self, x: Tensor) -> Tensor:
        fractions = x.view(len(x), 4, -1, x.shape[2]).softmax(2)
        return (fractions * self.distances).sum(2)


def new_detector(classes: Sequence[str], options: YoloOptions) -> tuple[YoloDetector, str]:
    """An untrained detector, and a sentence on where its weights come from.

    Raises:
        CadsightError: for a family that ultralytics does not know, and when the weights that the options name cannot be
            had or fit in nothing.
    """
    torch.manual_seed(options.seed)
    architecture = architecture_of(options.family, options.size)
    detector = YoloDetector(architecture, classes, options.image_size, options.epochs, device_of(options.device))
    return detector, start(detector, options)


def _head(module: Any) -> Any:
    return module.model[-1]


def _as_float(raw: Any) -> Any:
    if isinstance(raw, Tensor):
        return raw.float()
    if isinstance(raw, dict):
        return {k: _as_float(v) for k, v in raw.items()}
    return [_as_float(v) for v in raw]
