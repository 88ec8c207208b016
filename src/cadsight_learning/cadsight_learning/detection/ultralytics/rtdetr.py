"""Ultralytics' RT-DETR networks behind our detector interface.

One of a transformer's queries answers for each part, so that no doubles are suppressed (Zhao et al., DETRs Beat YOLOs
on Real-time Object Detection, 2024). AGPL-3.0 as what :mod:`cadsight_learning.detection.ultralytics.yolo` imports.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from torch import Tensor

from cadsight_learning.detection.ultralytics.detector import Batch, UltralyticsDetector, start
from cadsight_learning.detection.ultralytics.import_guard import untouched
from cadsight_learning.detection.ultralytics.names import architecture_of
from cadsight_learning.detection.ultralytics.options import RtDetrOptions
from cadsight_learning.runtime.devices import device_of

with untouched():
    from ultralytics.nn.tasks import RTDETRDetectionModel


class RtDetrDetector(UltralyticsDetector):
    """An RT-DETR network.

    Torch alone runs it: its queries start at the places of the highest scores, and where scores are equal another
    runtime, which rounds in another way, takes other places.
    """

    # Of the decoder's last layer, whose answer it is; what is descended also has the layers before and the denoising.
    loss_names = {"giou_loss": "box_loss", "cls_loss": "class_loss", "l1_loss": "l1_loss"}

    def _network(self, configuration: str, classes: int) -> Any:
        network: Any = RTDETRDetectionModel(configuration, nc=classes, verbose=False)
        network.nc = classes  # the loss asks for it, and only ultralytics' trainer tells
        network.model[-1].register_forward_pre_hook(_forget_anchors)
        return network

    def rows(self, raw: Any, shape: Sequence[int], confidence: float, max_detections: int) -> list[Array]:
        # Of each image, the most confident first: relative centre and size, score, class.
        answers = raw[0].double().cpu().numpy()
        centres, halves = answers[..., :2], answers[..., 2:4] / 2
        boxes = np.concatenate([centres - halves, centres + halves], axis=-1) * (shape[1], shape[0], shape[1], shape[0])
        rows = np.concatenate([boxes, answers[..., 4:]], axis=-1)
        return [one[one[:, 4] > confidence][:max_detections] for one in rows]

    def parts(
        self, raw: Any, shape: Sequence[int], floor: float, at_most: int
    ) -> list[tuple[Array, NDArray[np.float32]]]:
        # Of each query of the last layer, before the best pairs of query and class are taken.
        boxes, scores = (raw[1][0][-1].double().cpu().numpy(), raw[1][1][-1].sigmoid().cpu().numpy())
        found = []
        for box, score in zip(boxes, scores, strict=True):
            best = score.max(axis=1)
            order = np.argsort(-best, kind="stable")
            kept = order[best[order] > floor][:at_most]
            halves = box[kept, 2:] / 2
            corners = np.hstack([box[kept, :2] - halves, box[kept, :2] + halves]) * ([shape[1], shape[0]] * 2)
            found.append((np.column_stack([corners, best[kept], score[kept].argmax(axis=1)]), score[kept]))
        return found

    def training_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        # In float32: ultralytics warns that less may end in no number or fail to match the boxes.
        total, parts = self.module.loss(batch)
        return total, parts


def new_detector(classes: Sequence[str], options: RtDetrOptions) -> tuple[RtDetrDetector, str]:
    """An untrained detector, and a sentence on where its weights come from.

    Raises:
        CadsightError: as :func:`cadsight_learning.detection.ultralytics.yolo.new_detector`.
    """
    torch.manual_seed(options.seed)
    architecture = architecture_of(options.family, options.size)
    detector = RtDetrDetector(architecture, classes, options.image_size, device_of(options.device))
    return detector, start(detector, options)


def _forget_anchors(head: Any, _: Any) -> None:
    """Let ``head`` make its anchors anew: those of an inference can neither be learned with nor moved to a device."""
    head.shapes = []
