"""A family of detectors as another package would bring it: it finds one part, at a place that a linear layer says."""

from dataclasses import dataclass

import numpy as np
import torch
from cadsight_core.box import Box
from cadsight_core.config.parameters import parameter, redefined
from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Instance
from cadsight_learning.detection.families import DetectorFamily
from cadsight_learning.options import DetectorOptions
from torch import nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class TheirOptions(DetectorOptions):
    """With an option of its own, and a stride that none of ours has."""

    stride = 1

    family: str = redefined(DetectorOptions, "family", "theirs")
    image_size: int = redefined(DetectorOptions, "image_size", 50)
    batch: int = redefined(DetectorOptions, "batch", 2)
    optimizer: str = redefined(DetectorOptions, "optimizer", "sgd")
    learning_rate: float = redefined(DetectorOptions, "learning_rate", 1e-2)
    weight_decay: float = redefined(DetectorOptions, "weight_decay", 0.0)
    cells: int = parameter(4, "cells a side that the image is averaged over", minimum=1, maximum=32)


class TheirDetector:
    at_once, runtime, gives_masks = 4, "torch", False

    def __init__(self, architecture, classes, image_size, device=torch.device("cpu")):  # noqa: B008
        self.architecture, self.classes, self.image_size = architecture, tuple(classes), image_size
        self.cells = int(architecture.removeprefix("theirs-"))
        self.module = nn.Linear(3 * self.cells**2, 4).to(device)

    def load(self, state, where=""):
        self.module.load_state_dict(state)
        return self

    def predict(self, images, confidence=0.5, max_detections=10):
        found = []
        for image in images:
            with torch.inference_mode():
                x, y, w, h = self.module(self.averaged([image])).sigmoid()[0].tolist()
            rows, columns = image.shape[:2]
            box = Box(x * columns / 2, y * rows / 2, (x + w) * columns / 2, (y + h) * rows / 2)
            found.append([Instance(0, box, score=1.0, source="model")][:max_detections])
        return found

    def losses(self, samples, square=False, batch=None):
        with torch.inference_mode():
            return {"box_loss": loss_of(self, samples).item()}

    def features(self, images):
        return self.averaged(images).numpy()

    def averaged(self, images):
        tensors = [torch.from_numpy(i).permute(2, 0, 1).float() / 255 for i in images]
        return torch.stack([functional.adaptive_avg_pool2d(p, self.cells).flatten() for p in tensors])


def loss_of(detector, samples, module=None):
    answers = (module or detector.module)(detector.averaged([read_image(s.image) for s in samples])).sigmoid()
    boxes = np.array([s.instances[0].box.as_tuple() for s in samples])
    corners = torch.cat([answers[:, :2], answers[:, :2] + answers[:, 2:]], dim=1) / 2
    sizes = torch.tensor([[s.size.width, s.size.height] * 2 for s in samples])
    return ((corners - torch.from_numpy(boxes).float() / sizes) ** 2).mean()


class TheirTask:
    def __init__(self, detector, train, valid, options):
        self.detector, self.module, self.steps = detector, detector.module, -(-len(train) // options.batch)
        self.train, self.valid, self.batch = train, valid, options.batch

    def batches(self, rng, fraction):
        order = rng.permutation(len(self.train)).tolist()
        for start in range(0, len(order), self.batch):
            yield [self.train[i] for i in order[start : start + self.batch]]

    def loss(self, batch):
        value = loss_of(self.detector, batch)
        return value, {"box_loss": value.item()}

    def evaluate(self, module):
        with torch.inference_mode():
            value = float(loss_of(self.detector, self.valid, module))
        return -value, {"box_loss": value}


def new_detector(classes, options):
    torch.manual_seed(options.seed)
    return TheirDetector(f"theirs-{options.cells}", classes, options.image_size), "random weights of theirs"


THEIRS = DetectorFamily(
    "theirs",
    "theirs (one part an image)",
    TheirOptions,
    new="their_detector:new_detector",
    of_card="their_detector:TheirDetector",
    task="their_detector:TheirTask",
    architectures=r"theirs-\d+",
)
