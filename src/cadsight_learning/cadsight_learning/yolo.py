"""Ultralytics' YOLO networks behind our detector interface.

Ultralytics is AGPL-3.0, and nothing of ours that trains or looks imports it but this file and
:mod:`cadsight_learning.rtdetr`: its networks, its losses and its suppression of doubles.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.devices import CPU, device_of
from cadsight_learning.exports import Exports, Served
from cadsight_learning.options import DetectorOptions
from cadsight_learning.precision import autocast
from cadsight_learning.ultralytics_detector import Batch, UltralyticsDetector, start
from cadsight_learning.untouched import untouched
from cadsight_learning.yolo_names import architecture_of

with untouched():
    from ultralytics.nn.modules.block import DFL
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils.nms import non_max_suppression

# Ultralytics' own gains.
_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}
_IOU = 0.6
# From this confidence on there are so few boxes that ultralytics' own suppression is as quick as torchvision's.
_FEW = 0.1


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
        self._served: Served | None = None

    def _network(self, configuration: str, classes: int) -> Any:
        return DetectionModel(configuration, nc=classes, verbose=False)

    @property
    def runtime(self) -> str:
        return self._served.runtime if self._served else "torch"

    def serve(self, runtime: str, exports: Exports, may_stay: bool = False) -> "YoloDetector":
        """Let ``runtime`` look from now on (see :class:`cadsight_learning.exports.Served`)."""
        self._served = Served(self.exportable, runtime, exports, may_stay)
        return self

    def exportable(self) -> nn.Module:
        """The network from pictures (N, 3, h, w), 0 to 1, to boxes in their pixels and scores, a sigmoid a class.

        One tensor: (N, 4 + classes, M) with centre and size, or of a network without suppression (YOLO26)
        (N, M, 4 + classes) with two corners.
        """
        module: nn.Module = copy.deepcopy(self._for_inference()).cpu()
        head = _head(module)
        # Without a shape it makes its grid anew: one from an earlier look cannot be traced.
        head.export, head.postprocess, head.shape = True, lambda rows: rows, None
        if isinstance(head.dfl, DFL):
            head.dfl = _MeanDistance(head.dfl.c1)
        return module

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "YoloDetector":
        """Take the weights of a network of the same architecture and classes; torch looks from now on."""
        super().load(state, where)
        self._served = None
        return self

    def rows(self, raw: Any, shape: Sequence[int], confidence: float, max_detections: int) -> list[NDArray[np.float64]]:
        if confidence < _FEW:
            import torchvision  # noqa: F401  # slow to import; once it is there ultralytics lets it suppress

        rows = non_max_suppression(raw, confidence, _IOU, max_det=max_detections, max_time_img=10.0)
        return [r.double().cpu().numpy() for r in rows]

    def training_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with autocast(batch["img"].device):
            raw = self.module(batch["img"])
        loss, parts = self.module.loss(batch, _as_float(raw))
        return loss.sum(), parts

    def _looked(self, pictures: Tensor) -> Any:
        if self._served is None:
            return super()._looked(pictures)
        found, head = self._served(pictures), _head(self._for_inference())
        return head.postprocess(found) if head.end2end else found


class _MeanDistance(nn.Module):
    """The mean of a softmax over distances (B, 4 x bins, M) as (B, 4, M), which ultralytics' DFL convolves.

    A runtime that convolves in bfloat16 leaves this sum in float32, and with it a fraction of a pixel.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.distances: Tensor
        self.register_buffer("distances", torch.arange(float(bins)).view(1, 1, bins, 1))

    def forward(self, x: Tensor) -> Tensor:
        shares = x.view(len(x), 4, -1, x.shape[2]).softmax(2)
        return (shares * self.distances).sum(2)


def new_detector(classes: Sequence[str], options: DetectorOptions) -> tuple[YoloDetector, str]:
    """An untrained detector, and a sentence that says where its weights come from.

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
