"""What all of ultralytics' detectors share behind our interface; nothing of ultralytics is imported here.

Data, training loop, files and figures are ours (Apache-2.0), so its trainer, which writes pickled code and settings in
the user's home, never runs.
"""

import copy
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import Progress, no_progress, with_progress
from cadsight_core.sample import Instance, Sample
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.data.augmentation import Labelled, varied
from cadsight_learning.data.labelled_images import LabelledImages, alike, alike_shapes
from cadsight_learning.data.letterbox import as_input, canvas_shape, framed
from cadsight_learning.data.on_demand import training_bytes
from cadsight_learning.detection.batches import evidence_batches, predict_batches
from cadsight_learning.detection.decoding import at_centres
from cadsight_learning.detection.evidence import AT_MOST, FLOOR, Evidence
from cadsight_learning.detection.ultralytics.names import is_known
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.metrics.average_precision import epoch_figures
from cadsight_learning.metrics.boxes import NO_BOXES, Boxes
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.runtime.devices import CPU, device_of_module, on_device
from cadsight_learning.runtime.precision import channels_last
from cadsight_learning.training.trainer import shuffled
from cadsight_learning.weights.checkpoint import fill, fill_matching, state_sha256
from cadsight_learning.weights.hub import reaching_hub
from cadsight_learning.weights.pickled import load_network_state
from cadsight_learning.weights.shipped import shipped, start_of

# Ultralytics, imported after this, writes a settings file where this variable says and asks its servers for nothing.
os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / f"cadsight-ultralytics-{os.getuid()}"))
os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")

_AT_ONCE = 16
_HUB = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
# Ultralytics' 0.03 needs hundreds of steps until the statistics are those of the images; a training here has few.
_NORM_MOMENTUM = 0.1

Batch = dict[str, Tensor]
D = TypeVar("D", bound="UltralyticsDetector")


class UltralyticsDetector(ABC):
    """A network of ultralytics with its classes and the size of image that it wants.

    Attributes:
        image_size: longer side in pixels of an image as the network sees it.
        at_once: images that the network is given together, where nobody asks for fewer.
        loss_names: our name of each of the network's losses.
    """

    at_once = _AT_ONCE
    loss_names: ClassVar[Mapping[str, str]]

    def __init__(self, architecture: str, classes: Sequence[str], image_size: int, device: torch.device = CPU) -> None:
        if not classes:
            raise CadsightError("the detector has no classes, expected at least one name")
        if not is_known(architecture):
            raise CadsightError(
                f"the architecture is {architecture!r}, expected a detector that this ultralytics knows or one of ours"
            )
        self.architecture, self.image_size = architecture, image_size
        self._classes = tuple(classes)
        self.module: Any = self._network(f"{architecture}.yaml", len(self._classes)).to(device)
        channels_last(self.module)
        for layer in self.module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = _NORM_MOMENTUM
        self._fused: Any = None
        self._early: tuple[int, ...] | None = None
        self._features_sha256 = ""

    @abstractmethod
    def _network(self, configuration: str, classes: int) -> Any:
        """The untrained network of one of ultralytics' configurations."""

    @abstractmethod
    def rows(self, raw: Any, shape: Sequence[int], confidence: float, max_detections: int) -> list[Array]:
        """What the network made of images of ``shape`` (rows, columns): of each (K, 6), best first, a box xyxy
        in the network's pixels, a score above ``confidence`` and a class."""

    @abstractmethod
    def parts(
        self, raw: Any, shape: Sequence[int], floor: float, at_most: int
    ) -> list[tuple[Array, NDArray[np.float32]]]:
        """Like :meth:`rows`, with the scores (K, C) of every class."""

    @abstractmethod
    def training_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum to descend and its parts by ultralytics' names, of a module in training mode."""

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def gives_masks(self) -> bool:
        return False

    @property
    def runtime(self) -> str:
        return "torch"

    def load(self: D, state: dict[str, Tensor], where: str | Path = "") -> D:
        """Take the weights of a network of the same architecture and classes."""
        fill(self.module, state, where)
        self._fused = None
        return self

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each image, most confident first, boxes in its own pixels; images may differ in size."""

        def answer(batch: NDArray[np.uint8]) -> list[Array]:
            return self.rows(self._outputs(_tensor(batch)), batch.shape[1:3], confidence, max_detections)

        return predict_batches(images, self.image_size, answer)

    def losses(self, samples: Sequence[Sample], square: bool = False, batch: int | None = None) -> dict[str, float]:
        """Mean losses over labelled images, weighted as in training; these networks have no objectness of their own.

        Their ``class_loss`` says both whether there is a part and of which class, so it stands where the paper's
        table 1 has the object loss.
        """
        images = LabelledImages.framed(samples, self.image_size, square)
        return self.evaluated(self.module, images, batch or self.at_once, with_progress)[0]

    def evaluated(
        self, module: Any, images: LabelledImages, at_once: int = _AT_ONCE, progress: Progress = no_progress
    ) -> tuple[dict[str, float], list[Boxes], list[Boxes]]:
        """Mean losses a framed image of a network like ours, what it finds there down to a confidence of 0.001, and
        what is there, both in input pixels."""
        module.eval()
        found, truth = ([NO_BOXES] * len(images) for _ in range(2))
        sums: dict[str, float] = {}
        together = list(alike_shapes(images.shapes, at_once))
        for numbers in progress(together, len(together), "losses"):
            seen = [images[i] for i in numbers]
            batch = on_device(_batch(seen), device_of_module(module))
            with torch.inference_mode():
                raw = module(batch["img"])
                _, parts = module.loss(batch, raw)
            for name, value in parts.items():
                ours = self.loss_names[name]
                sums[ours] = sums.get(ours, 0.0) + float(value) * len(numbers)
            answers = self.rows(raw, batch["img"].shape[2:], 0.001, MAX_DETECTIONS)
            for i, one, rows in zip(numbers, seen, answers, strict=True):
                found[i] = Boxes(rows[:, :4], rows[:, 5].astype(int), rows[:, 4])
                truth[i] = Boxes(one.boxes, one.classes.astype(np.int64))
        return {k: v / max(len(images), 1) for k, v in sums.items()}, found, truth

    def features(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """The backbone's last maps at a fourth and an eighth of the image (P2, P3), averaged: (N, 64 + 128) of
        YOLO11 nano."""
        module = self._for_inference()
        canvases = [framed(image, self.image_size)[0] for image in images]
        found: dict[int, NDArray[np.float32]] = {}
        for numbers in alike(canvases, _AT_ONCE):
            with torch.inference_mode():
                x = _tensor([canvases[i] for i in numbers]).to(device_of_module(module))
                maps = []
                for number, layer in enumerate(module.model[: self.early[-1] + 1]):
                    x = layer(x)
                    maps += [x] if number in self.early else []
            found |= dict(zip(numbers, _averaged(maps).cpu().numpy(), strict=True))
        return np.stack([found[i] for i in range(len(images))]) if images else np.zeros((0, 0), np.float32)

    def evidence(self, images: Sequence[Rgb], floor: float = FLOOR, at_most: int = AT_MOST) -> list[Evidence]:
        """What the network makes of each image; the features of a part are those of every map that its head sees, at
        the middle of its box."""
        module = self._for_inference()

        def answer(batch: NDArray[np.uint8]) -> list[Evidence]:
            shape = batch.shape[1:3]
            with torch.inference_mode():
                images = _tensor(batch).to(device_of_module(module))
                raw, pooled, maps = with_features(module, self.early, images)
            seen = [one.float().cpu().numpy() for one in maps]
            found = []
            parts = self.parts(raw, shape, floor, at_most)
            for (rows, scores), features, *own in zip(parts, pooled.cpu().numpy(), *seen, strict=True):
                objects = at_centres(own, rows[:, :4], shape)
                found.append(Evidence(rows[:, :4], rows[:, 5].astype(np.int64), scores, objects, features))
            return found

        return evidence_batches(images, self.image_size, _AT_ONCE, answer)

    @property
    def early(self) -> tuple[int, ...]:
        """The numbers of the layers whose maps, averaged, are the features of an image."""
        if self._early is None:
            self._early = _early_layers(self.module)
        return self._early

    @property
    def features_sha256(self) -> str:
        self._for_inference()
        return self._features_sha256

    def _outputs(self, images: Tensor) -> Any:
        module = self._for_inference()
        with torch.inference_mode():
            return module(images.to(device_of_module(module)))

    def _for_inference(self) -> Any:
        if self._fused is None:
            layers = self.module.model[: self.early[-1] + 1]
            self._features_sha256 = state_sha256(layers.state_dict())
            self._fused = copy.deepcopy(self.module).eval().fuse(verbose=False)
            channels_last(self._fused)
        return self._fused


def start(detector: UltralyticsDetector, options: YoloOptions) -> str:
    """Fill the random ``detector`` with the weights that the options name; returns a sentence on where they come from.

    Raises:
        CadsightError: when they cannot be had or fit in nothing.
    """
    architecture = detector.architecture
    weights = start_of(options.weights, architecture)
    if weights == "scratch":
        return f"{architecture} from scratch (random weights, seed {options.seed})"
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
    return f"{architecture} from {origin} ({taken} of {total} tensors)"


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
    """What the training loop needs to know of a detector (see :class:`cadsight_learning.training.trainer.Task`)."""

    def __init__(
        self,
        detector: UltralyticsDetector,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        options: YoloOptions,
    ) -> None:
        self.detector, self.options = detector, options
        self.module = detector.module
        self._frozen = _freeze(self.module, options.freeze)
        size = options.image_size
        keep = training_bytes()
        self._images = LabelledImages.resized(train, size, options.square, keep=keep)
        shapes = {canvas_shape(shape, size) for shape in self._images.shapes}
        # Images of several shapes share a square: a batch has one shape.
        self._shape = shapes.pop() if len(shapes) == 1 else (size, size)
        self._valid = LabelledImages.framed(valid, size, options.square, keep // 4)
        self.steps = max(-(-len(self._images) // options.batch), 1)

    def batches(self, rng: np.random.Generator, fraction: float) -> Iterator[Batch]:
        self._train_mode()
        self._set_fraction(fraction)
        # The last tenth is trained on whole images, as they will come.
        mosaic = self.options.mosaic if fraction < 0.9 else 0.0
        for numbers in shuffled(len(self._images), self.options.batch, rng):
            yield _batch([varied(self._images, n, self._shape, mosaic, rng) for n in numbers])

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        loss, parts = self.detector.training_losses(batch)
        return loss, {self.detector.loss_names[k]: float(v) for k, v in parts.items()}

    def evaluate(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        losses, found, truth = self.detector.evaluated(module, self._valid)
        score, figures = epoch_figures(truth, found, len(self.detector.classes))
        return score, figures | losses

    def _train_mode(self) -> None:
        self.module.train()
        for layer in self._frozen:
            layer.eval()

    def _set_fraction(self, fraction: float) -> None:
        criterion: Any = getattr(self.module, "criterion", None)
        if hasattr(criterion, "decay"):  # YOLO26 hands over from one head to the other as training goes on
            criterion.updates = round(fraction * self.options.epochs) - 1
            criterion.update()


def with_features(module: Any, early: Sequence[int], images: Tensor) -> tuple[Any, Tensor, list[Tensor]]:
    """What a network makes of ``images``, in one pass: its output, the features (N, D) of each image by the layers
    ``early``, and the maps (N, channels, h, w) that its head sees."""
    kept: dict[int, Tensor] = {}
    maps: list[Tensor] = []

    def keeping(number: int) -> Any:
        return lambda _, inputs, output: kept.update({number: output})

    layers = module.model
    hooks = [layers[number].register_forward_hook(keeping(number)) for number in early]
    hooks.append(layers[-1].register_forward_pre_hook(lambda _, inputs: maps.extend(inputs[0])))
    try:
        raw = module(images)
    finally:
        for hook in hooks:
            hook.remove()
    return raw, _averaged([kept[number] for number in early]), maps


def _early_layers(module: Any) -> tuple[int, ...]:
    """The last layers that give maps at a fourth and at an eighth of the side of an image."""
    found: dict[int, int] = {}
    x = torch.zeros(1, 3, 64, 64, device=device_of_module(module))
    layers = copy.deepcopy(module.model).eval()
    with torch.inference_mode():
        for number, layer in enumerate(layers):
            x = layer(x)
            stride = 64 // x.shape[3]
            if stride > 8:
                break
            found[stride] = number
    return found[4], found[8]


def _averaged(maps: Sequence[Tensor]) -> Tensor:
    return torch.cat([one.mean(dim=(2, 3)) for one in maps], dim=1).float()


def _tensor(images: NDArray[np.uint8] | Sequence[Rgb]) -> Tensor:
    return torch.from_numpy(as_input(np.asarray(images), 0.0, 1.0))


def _batch(images: Sequence[Labelled]) -> Batch:
    """The batch that ultralytics' loss takes: boxes as relative centre and size, with the number of their image."""
    rows, columns = images[0].image.shape[:2]
    boxes = np.concatenate([p.boxes for p in images]) / (columns, rows, columns, rows)
    relative = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    return {
        "img": _tensor([p.image for p in images]),
        "bboxes": torch.from_numpy(relative).float(),
        "cls": torch.from_numpy(np.concatenate([p.classes for p in images])).float()[:, None],
        "batch_idx": torch.from_numpy(np.repeat(np.arange(len(images)), [len(p.boxes) for p in images])).float(),
    }


def _freeze(module: Any, layers: int) -> list[nn.Module]:
    frozen = list(module.model[:layers])
    for layer in frozen:
        for weight in layer.parameters():
            weight.requires_grad_(False)
    return frozen
