"""What the training loop needs to know of an R-CNN (see :class:`cadsight_learning.training.trainer.Task`)."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from cadsight_core.sample import Sample
from torch import Tensor, nn

from cadsight_learning.data.augmentation import varied
from cadsight_learning.data.labelled_images import LabelledImages, refuse_maskless
from cadsight_learning.data.on_demand import training_bytes
from cadsight_learning.detection.rcnn.detector import Batch, RcnnDetector, as_batch, evaluated, losses_of
from cadsight_learning.detection.rcnn.networks import source, stages
from cadsight_learning.detection.rcnn.options import RcnnOptions
from cadsight_learning.metrics.average_precision import epoch_figures
from cadsight_learning.training.trainer import shuffled


class RcnnTask:
    """Images with boxes, and for Mask R-CNN masks; evaluated on the average precision of the boxes.

    What came with weights keeps its normalisation as it is, since a few images a step tell little of their variance.
    """

    def __init__(
        self, detector: RcnnDetector, train: Sequence[Sample], valid: Sequence[Sample], options: RcnnOptions
    ) -> None:
        self.detector, self.options = detector, options
        self.module: Any = detector.module
        self._fixed = _fixed_layers(detector, options)
        masks, size = detector.gives_masks, options.image_size
        keep = training_bytes()
        self._images = LabelledImages.resized(train, size, options.square, masks, keep)
        self._valid = LabelledImages.resized(valid, size, options.square, masks, keep // 4)
        if masks:
            for samples in (train, valid):
                refuse_maskless(samples)
        shapes = set(self._images.shapes)
        # Images of several shapes share a square.
        self._shape = shapes.pop() if len(shapes) == 1 else (size, size)
        self.steps = max(-(-len(self._images) // options.batch), 1)

    def batches(self, rng: np.random.Generator, fraction: float) -> Iterator[Batch]:
        self.module.train()
        for layer in self._fixed:
            layer.eval()
        mosaic = self.options.mosaic
        for numbers in shuffled(len(self._images), self.options.batch, rng):
            yield as_batch([varied(self._images, n, self._shape, mosaic, rng) for n in numbers])

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        parts = losses_of(self.module, batch)
        return torch.stack(list(parts.values())).sum(), {name: value.item() for name, value in parts.items()}

    def evaluate(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        losses, found, truth = evaluated(module, self._valid)
        score, figures = epoch_figures(truth, found, len(self.detector.classes))
        return score, figures | losses


def _fixed_layers(detector: RcnnDetector, options: RcnnOptions) -> list[nn.Module]:
    """Fixes the layers that stay as they are: the first stages of the backbone, and given normalisations."""
    module: Any = detector.module
    fixed = [layer for stage in stages(module)[: options.freeze] for layer in stage]
    if source(detector.architecture, options.weights) != "scratch":
        fixed += [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in fixed:
        layer.requires_grad_(False)
    return fixed
