"""Ultralytics' networks behind our detector interface.

Ultralytics is AGPL-3.0 and nothing of ours that trains or looks imports it but this file: its networks, its loss and
its suppression of doubles. Data, training loop, files and figures are ours (Apache-2.0), so its trainer, which writes
pickled code and settings in the user's home, never runs.
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
from cadsight_core.images import Rgb
from cadsight_core.sample import Instance, Sample
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.augmentation import Labelled, drawn
from cadsight_learning.checkpoint import fill, fill_matching
from cadsight_learning.detector import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.devices import CPU, device_of, device_of_module, on_device
from cadsight_learning.exports import Exports, Served
from cadsight_learning.frames import canvas_shape, framed
from cadsight_learning.hub import reaching_hub
from cadsight_learning.metrics import Boxes, epoch_figures
from cadsight_learning.options import DetectorOptions
from cadsight_learning.pickled_networks import load_network_state
from cadsight_learning.pictures import alike, labelled, resized
from cadsight_learning.precision import autocast, channels_last
from cadsight_learning.shipped import shipped, start_of
from cadsight_learning.training import shuffled
from cadsight_learning.untouched import untouched
from cadsight_learning.yolo_names import architecture_of, is_known

# Ultralytics writes a settings file where it is told to, and asks its servers for nothing.
os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / f"cadsight-ultralytics-{os.getuid()}"))
os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")

with untouched():
    from ultralytics.nn.modules.block import DFL
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils.nms import non_max_suppression

# Ultralytics' own gains.
_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}
_IOU = 0.6
_AT_ONCE = 16
_HUB = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
# Ultralytics' 0.03 needs hundreds of steps until the statistics are those of the pictures; a training here has few.
_NORM_MOMENTUM = 0.1
# Its third loss has another name where there is no distribution of distances (YOLO26).
_NAMES = {"box_loss": "box_loss", "cls_loss": "class_loss", "dfl_loss": "dfl_loss", "l1_loss": "dfl_loss"}


class YoloDetector:
    """A YOLO network with its classes and the size of picture that it wants.

    Attributes:
        image_size: longer side in pixels of a picture as the network sees it.
        at_once: pictures that the network is given together, where nobody asks for fewer.
    """

    at_once = _AT_ONCE

    def __init__(
        self,
        architecture: str,
        classes: Sequence[str],
        image_size: int,
        epochs: int = 100,
        device: torch.device = CPU,
    ) -> None:
        if not classes:
            raise CadsightError("the detector has no classes, expected at least one name")
        if not is_known(architecture):
            raise CadsightError(
                f"the architecture is {architecture!r}, expected a detector that this ultralytics knows or one of ours"
            )
        self.architecture, self.image_size = architecture, image_size
        self._classes = tuple(classes)
        network: Any = DetectionModel(f"{architecture}.yaml", nc=len(self._classes), verbose=False)
        self.module = network.to(device)
        self.module.args = SimpleNamespace(**_GAINS, epochs=epochs)
        channels_last(self.module)
        for layer in self.module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = _NORM_MOMENTUM
        self._fused: Any = None
        self._served: Served | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def gives_masks(self) -> bool:
        return False

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
        """Take the weights of a network of the same architecture and classes."""
        fill(self.module, state, where)
        self._fused = self._served = None
        return self

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each picture, surest first, boxes in its own pixels; pictures may differ in size."""
        framings = [framed(image, self.image_size) for image in images]
        found: list[list[Instance]] = [[] for _ in images]
        for numbers in alike([canvas for canvas, _ in framings], len(images)):
            raw = self._looked(_tensor([framings[i][0] for i in numbers]))
            for i, rows in zip(numbers, _suppressed(raw, confidence, max_detections), strict=True):
                size = ImageSize(images[i].shape[1], images[i].shape[0])
                boxes = framings[i][1].to_native(rows[:, :4])
                found[i] = [
                    Instance(int(row[5]), Box(*map(float, box)).clipped(size), score=float(row[4]), source="model")
                    for box, row in zip(boxes, rows, strict=True)
                ]
        return found

    def losses(self, samples: Sequence[Sample], square: bool = False, batch: int | None = None) -> dict[str, float]:
        """Mean losses over labelled pictures, weighted as in training; YOLO11 has no objectness of its own.

        Its ``class_loss`` says both whether there is a part and of which class, so it stands where the paper's
        table 1 has the object loss.
        """
        pictures = [_framed(labelled(s, square), self.image_size) for s in samples]
        return _judged(self.module, pictures, batch or self.at_once)[0]

    def features(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """The backbone's last maps at a fourth and an eighth of the picture (P2, P3), averaged: (N, 64 + 128) of
        YOLO11 nano."""
        module = self._for_inference()
        canvases = [framed(image, self.image_size)[0] for image in images]
        found: dict[int, NDArray[np.float32]] = {}
        for numbers in alike(canvases, _AT_ONCE):
            with torch.inference_mode():
                maps = _early_maps(module, _tensor([canvases[i] for i in numbers]).to(device_of_module(module)))
                pooled = torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1).cpu().numpy()
            found |= dict(zip(numbers, pooled, strict=True))
        return np.stack([found[i] for i in range(len(images))]) if images else np.zeros((0, 0), np.float32)

    def _looked(self, pictures: Tensor) -> Any:
        module = self._for_inference()
        if self._served is None:
            with torch.inference_mode():
                return module(pictures.to(device_of_module(module)))
        found, head = self._served(pictures), _head(module)
        return head.postprocess(found) if head.end2end else found

    def _for_inference(self) -> Any:
        if self._fused is None:
            self._fused = copy.deepcopy(self.module).eval().fuse(verbose=False)
            channels_last(self._fused)
        return self._fused


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
    weights = start_of(options.weights, architecture)
    if weights == "scratch":
        return detector, f"{architecture} from scratch (random weights, seed {options.seed})"
    if weights == "base":
        path, origin = shipped(architecture), "CADsight's base checkpoint of drawn solids"
    elif weights == "hub":
        path = _from_hub(architecture)
        origin = f"ultralytics' own weights {path}"
    else:
        path, origin = Path(weights), f"the weights {weights}"
    taken = fill_matching(detector.module, load_network_state(path))
    total = len(detector.module.state_dict())
    if taken < total // 2:
        raise CadsightError(f"the weights {path} fit in {taken} of {architecture}'s {total} tensors, expected its own")
    return detector, f"{architecture} from {origin} ({taken} of {total} tensors)"


def _from_hub(architecture: str) -> Path:
    """The file of ultralytics' own weights, downloaded once."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{architecture}.pt"
    url = f"{_HUB}/{path.name}"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with reaching_hub(f"ultralytics' weights of {architecture}", url):
            torch.hub.download_url_to_file(url, str(path), progress=False)
    return path


class DetectorTask:
    """What the training loop needs to know of a detector (see :class:`cadsight_learning.training.Task`)."""

    def __init__(
        self, detector: YoloDetector, train: Sequence[Sample], valid: Sequence[Sample], options: DetectorOptions
    ) -> None:
        self.detector, self.options = detector, options
        self.module = detector.module
        self._frozen = _freeze(self.module, options.freeze)
        size = options.image_size
        self._pictures = [resized(labelled(s, options.square), size) for s in train]
        shapes = {canvas_shape(one.image.shape, size) for one in self._pictures}
        # Pictures of several shapes share a square: a batch has one shape.
        self._shape = shapes.pop() if len(shapes) == 1 else (size, size)
        self._valid = [_framed(labelled(s, options.square), size) for s in valid]
        self.steps = max(-(-len(self._pictures) // options.batch), 1)

    def batches(self, rng: np.random.Generator, share: float) -> Iterator[dict[str, Tensor]]:
        self._train_mode()
        self._tell_share(share)
        # The last tenth is trained on whole pictures, as they will come.
        mosaic = self.options.mosaic if share < 0.9 else 0.0
        for numbers in shuffled(len(self._pictures), self.options.batch, rng):
            yield _batch([drawn(self._pictures, n, self._shape, mosaic, rng) for n in numbers])

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        with autocast(batch["img"].device):
            raw = self.module(batch["img"])
        loss, parts = self.module.loss(batch, _as_float(raw))
        return loss.sum(), {_NAMES[k]: float(v) for k, v in parts.items()}

    def judge(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        losses, found = _judged(module, self._valid)
        truth = [Boxes(one.boxes, one.classes.astype(np.int64)) for one in self._valid]
        score, figures = epoch_figures(truth, found, len(self.detector.classes))
        return score, figures | losses

    def _train_mode(self) -> None:
        self.module.train()
        for layer in self._frozen:
            layer.eval()

    def _tell_share(self, share: float) -> None:
        criterion: Any = getattr(self.module, "criterion", None)
        if hasattr(criterion, "decay"):  # YOLO26 hands over from one head to the other as training goes on
            criterion.updates = round(share * self.options.epochs) - 1
            criterion.update()


def _head(module: Any) -> Any:
    return module.model[-1]


def _early_maps(module: Any, pictures: Tensor) -> list[Tensor]:
    """The last maps at a fourth and at an eighth of the side of ``pictures``; what comes after is not computed."""
    maps: dict[int, Tensor] = {}
    x = pictures
    for layer in module.model:
        x = layer(x)
        stride = pictures.shape[3] // x.shape[3]
        if stride > 8:
            break
        maps[stride] = x
    return [maps[4], maps[8]]


def _framed(one: Labelled, size: int) -> Labelled:
    canvas, frame = framed(one.image, size)
    return Labelled(canvas, frame.to_input(one.boxes), one.classes)


def _judged(module: Any, pictures: Sequence[Labelled], at_once: int = _AT_ONCE) -> tuple[dict[str, float], list[Boxes]]:
    """Mean losses a picture, and what is found there down to a confidence of 0.001, in input pixels."""
    module.eval()
    found: list[Boxes | None] = [None] * len(pictures)
    sums: dict[str, float] = {}
    for numbers in alike([p.image for p in pictures], at_once):
        batch = on_device(_batch([pictures[i] for i in numbers]), device_of_module(module))
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
    return [r.double().cpu().numpy() for r in rows]


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
