"""Ultralytics' networks behind our detector interface.

Ultralytics is AGPL-3.0 and this is the only file that imports it: its networks, its loss and its suppression of
doubles. Data, training loop, files and figures are ours (Apache-2.0), so its trainer, which writes pickled code and
settings in the user's home, never runs.
"""

import copy
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.images import Rgb, read_image
from cadsight_core.sample import Instance, Sample
from torch import Tensor, nn

from cadsight_learning import augmentation
from cadsight_learning.augmentation import Labelled
from cadsight_learning.checkpoint import fill, fill_matching, load_state
from cadsight_learning.detector import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.frames import canvas_shape, framed, shrunk
from cadsight_learning.metrics import Boxes, average_precision
from cadsight_learning.options import SIZES, DetectorOptions
from cadsight_learning.precision import autocast, channels_last
from cadsight_learning.untouched import untouched

# Ultralytics writes a settings file where it is told to, and asks its servers for nothing.
os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / f"cadsight-ultralytics-{os.getuid()}"))
os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")

with untouched():
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils.nms import non_max_suppression

# Ultralytics' own gains.
_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}
_IOU = 0.6
# Ultralytics' 0.03 needs hundreds of steps until the statistics are those of the pictures; a training here has few.
_NORM_MOMENTUM = 0.1
# Its third loss has another name where there is no distribution of distances (YOLO26).
_NAMES = {"box_loss": "box_loss", "cls_loss": "class_loss", "dfl_loss": "dfl_loss", "l1_loss": "dfl_loss"}


class YoloDetector:
    """A YOLO network with its classes and the size of picture that it wants.

    Attributes:
        image_size: longer side in pixels of a picture as the network sees it.
    """

    def __init__(self, architecture: str, classes: Sequence[str], image_size: int, epochs: int = 100) -> None:
        if not classes:
            raise CadsightError("the detector has no classes, expected at least one name")
        self.architecture, self.image_size = architecture, image_size
        self._classes = tuple(classes)
        network: Any = DetectionModel(f"{architecture}.yaml", nc=len(self._classes), verbose=False)
        self.module = network
        self.module.args = SimpleNamespace(**_GAINS, epochs=epochs)
        channels_last(self.module)
        for layer in self.module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = _NORM_MOMENTUM
        self._fused: Any = None

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "YoloDetector":
        """Take the weights of a network of the same architecture and classes."""
        fill(self.module, state, where)
        self._fused = None
        return self

    def warm_up(self, width: int, height: int) -> None:
        for _ in range(2):
            self.predict([np.zeros((height, width, 3), np.uint8)])

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each picture, surest first, boxes in its own pixels; pictures may differ in size."""
        module = self._for_inference()
        framings = [framed(image, self.image_size) for image in images]
        found: list[list[Instance]] = [[] for _ in images]
        shapes = {canvas.shape for canvas, _ in framings}
        for shape in shapes:
            numbers = [i for i, (canvas, _) in enumerate(framings) if canvas.shape == shape]
            with torch.inference_mode():
                raw = module(_tensor([framings[i][0] for i in numbers]))
            for i, rows in zip(numbers, _suppressed(raw, confidence, max_detections), strict=True):
                size = ImageSize(images[i].shape[1], images[i].shape[0])
                boxes = framings[i][1].to_native(rows[:, :4])
                found[i] = [
                    Instance(int(row[5]), Box(*map(float, box)).clipped(size), score=float(row[4]), source="model")
                    for box, row in zip(boxes, rows, strict=True)
                ]
        return found

    def losses(self, samples: Sequence[Sample], square: bool = False) -> dict[str, float]:
        """Mean losses over labelled pictures, weighted as in training; YOLO11 has no objectness of its own.

        Its ``class_loss`` says both whether there is a part and of which class, so it stands where the paper's
        table 1 has the object loss.
        """
        pictures = [_framed(s, _labelled(s, square), self.image_size) for s in samples]
        return _judged(self.module, pictures)[0]

    def _for_inference(self) -> Any:
        if self._fused is None:
            self._fused = copy.deepcopy(self.module).eval().fuse(verbose=False)
            channels_last(self._fused)
        return self._fused


def new_detector(classes: Sequence[str], options: DetectorOptions) -> tuple[YoloDetector, str]:
    """An untrained detector, and a sentence that says where its weights come from.

    Raises:
        CadsightError: when the weights that the options name cannot be had or fit in nothing.
    """
    torch.manual_seed(options.seed)
    architecture = options.family + SIZES[options.size]
    detector = YoloDetector(architecture, classes, options.image_size, options.epochs)
    if options.weights == "scratch":
        return detector, f"{architecture} from scratch (random weights, seed {options.seed})"
    path = Path(options.weights)
    taken = fill_matching(detector.module, load_state(path))
    total = len(detector.module.state_dict())
    if taken < total // 2:
        raise CadsightError(f"the weights {path} fit in {taken} of {architecture}'s {total} tensors, expected its own")
    return detector, f"{architecture} from the weights {path} ({taken} of {total} tensors)"


class DetectorTask:
    """What the training loop needs to know of a detector (see :class:`cadsight_learning.training.Task`)."""

    def __init__(
        self, detector: YoloDetector, train: Sequence[Sample], valid: Sequence[Sample], options: DetectorOptions
    ) -> None:
        self.detector, self.options = detector, options
        self.module = detector.module
        self._frozen = _freeze(self.module, options.freeze)
        size = options.image_size
        labelled = [_labelled(s, options.square) for s in train]
        self._pictures = [_shrunk(one, size) for one in labelled]
        shapes = {canvas_shape(one.image.shape, size) for one in labelled}
        # Pictures of several shapes share a square: a batch has one shape.
        self._shape = shapes.pop() if len(shapes) == 1 else (size, size)
        self._valid = [_framed(s, _labelled(s, options.square), size) for s in valid]
        self.steps = max(-(-len(self._pictures) // options.batch), 1)

    def batches(self, rng: np.random.Generator, share: float) -> Iterator[dict[str, Tensor]]:
        self._train_mode()
        self._tell_share(share)
        order = rng.permutation(len(self._pictures))
        # The last tenth is trained on whole pictures, as they will come.
        mosaic = self.options.mosaic if share < 0.9 else 0.0
        for start in range(0, len(order), self.options.batch):
            numbers = list(order[start : start + self.options.batch])
            # Normalisation over a batch of one would leave nothing of it.
            numbers += list(rng.integers(len(order), size=max(2 - len(numbers), 0)))
            yield _batch([self._drawn(int(n), mosaic, rng) for n in numbers])

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        with autocast():
            raw = self.module(batch["img"])
        loss, parts = self.module.loss(batch, _as_float(raw))
        return loss.sum(), {_NAMES[k]: float(v) for k, v in parts.items()}

    def judge(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        losses, found = _judged(module, self._valid)
        truth = [Boxes(one.boxes, one.classes) for one, _ in self._valid]
        sure = [b.at_least(CONFIDENCE) for b in found]
        every, kept = (average_precision(truth, boxes, len(self.detector.classes)) for boxes in (found, sure))
        figures = {"map50": every.map50, "map50_95": every.map50_95, "map50_95_sure": kept.map50_95}
        # What is served are the sure ones; the others tell epochs apart while nothing is sure yet.
        score = 0.5 * figures["map50_95_sure"] + 0.4 * figures["map50_95"] + 0.1 * figures["map50"]
        return score, figures | losses

    def _drawn(self, number: int, mosaic: float, rng: np.random.Generator) -> Labelled:
        if rng.random() < mosaic:
            others = rng.integers(len(self._pictures), size=3)
            one = augmentation.mosaic([self._pictures[number], *(self._pictures[i] for i in others)], self._shape, rng)
        else:
            one = augmentation.moved(self._pictures[number], self._shape, rng)
        return Labelled(augmentation.recoloured(one.image, rng), one.boxes, one.classes)

    def _train_mode(self) -> None:
        self.module.train()
        for layer in self._frozen:
            layer.eval()

    def _tell_share(self, share: float) -> None:
        criterion: Any = getattr(self.module, "criterion", None)
        if hasattr(criterion, "decay"):  # YOLO26 hands over from one head to the other as training goes on
            criterion.updates = round(share * self.options.epochs) - 1
            criterion.update()


def _labelled(sample: Sample, square: bool) -> Labelled:
    boxes = [i.box.squared(sample.size) if square else i.box for i in sample.instances]
    return Labelled(
        read_image(sample.image),
        np.array([b.as_tuple() for b in boxes], float).reshape(-1, 4),
        np.array([i.class_id for i in sample.instances], int),
    )


def _shrunk(one: Labelled, size: int) -> Labelled:
    image = shrunk(one.image, size)
    factor = np.array([image.shape[1] / one.image.shape[1], image.shape[0] / one.image.shape[0]])
    return Labelled(image, one.boxes * np.tile(factor, 2), one.classes)


def _framed(sample: Sample, one: Labelled, size: int) -> tuple[Labelled, str]:
    canvas, frame = framed(one.image, size)
    return Labelled(canvas, frame.to_input(one.boxes), one.classes), sample.name


def _judged(module: Any, pictures: Sequence[tuple[Labelled, str]]) -> tuple[dict[str, float], list[Boxes]]:
    """Mean losses a picture, and what is found there down to a confidence of 0.001, in input pixels."""
    module.eval()
    found: list[Boxes | None] = [None] * len(pictures)
    sums: dict[str, float] = {}
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i, (one, _) in enumerate(pictures):
        by_shape.setdefault(one.image.shape, []).append(i)
    groups = [numbers[k : k + 16] for numbers in by_shape.values() for k in range(0, len(numbers), 16)]
    for numbers in groups:
        batch = _batch([pictures[i][0] for i in numbers])
        with torch.inference_mode():
            raw = module(batch["img"])
            _, parts = module.loss(batch, raw)
        for name, value in parts.items():
            sums[_NAMES[name]] = sums.get(_NAMES[name], 0.0) + float(value) * len(numbers)
        for i, rows in zip(numbers, _suppressed(raw, 0.001, MAX_DETECTIONS), strict=True):
            found[i] = Boxes(rows[:, :4], rows[:, 5].astype(int), rows[:, 4])
    return {k: v / max(len(pictures), 1) for k, v in sums.items()}, [f for f in found if f is not None]


def _suppressed(raw: Any, confidence: float, max_detections: int) -> list[np.ndarray]:
    rows = non_max_suppression(raw, confidence, _IOU, max_det=max_detections, max_time_img=10.0)
    return [r.double().numpy() for r in rows]


def _tensor(images: Sequence[Rgb]) -> Tensor:
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.to(torch.float32, memory_format=torch.channels_last) / 255


def _batch(pictures: Sequence[Labelled]) -> dict[str, Tensor]:
    """The batch that ultralytics' loss takes: boxes as relative centre and size, with the number of their picture."""
    rows, columns = pictures[0].image.shape[:2]
    boxes = np.concatenate([p.boxes for p in pictures]) / (columns, rows, columns, rows)
    relative = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    return {
        "img": _tensor([p.image for p in pictures]),
        "bboxes": torch.from_numpy(relative).float(),
        "cls": torch.from_numpy(np.concatenate([p.classes for p in pictures])).float()[:, None],
        "batch_idx": torch.from_numpy(np.repeat(np.arange(len(pictures)), [len(p.boxes) for p in pictures])).float(),
    }


def _as_float(raw: Any) -> Any:
    if isinstance(raw, Tensor):
        return raw.float()
    if isinstance(raw, dict):
        return {k: _as_float(v) for k, v in raw.items()}
    return [_as_float(v) for v in raw]


def _freeze(module: Any, layers: int) -> list[nn.Module]:
    frozen = list(module.model[:layers])
    for layer in frozen:
        for weight in layer.parameters():
            weight.requires_grad_(False)
    return frozen
