"""Torchvision's Faster R-CNN and Mask R-CNN behind our detector interface (Eversberg, Rudenko)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import Progress, no_progress, with_progress
from cadsight_core.sample import Instance, Sample
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import batched_nms, clip_boxes_to_image

from cadsight_learning.data.augmentation import Labelled
from cadsight_learning.data.labelled_images import LabelledImages, alike, alike_shapes, have_masks
from cadsight_learning.data.letterbox import shrunk
from cadsight_learning.detection.evidence import AT_MOST, FLOOR, Evidence
from cadsight_learning.detection.rcnn.networks import network, start
from cadsight_learning.detection.rcnn.options import ARCHITECTURES, RcnnOptions
from cadsight_learning.metrics.boxes import NO_BOXES, Boxes
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.runtime.devices import CPU, device_of, device_of_module, on_device
from cadsight_learning.runtime.precision import autocast, channels_last
from cadsight_learning.weights.checkpoint import fill, fill_matching, state_sha256

_AT_ONCE = 4
_LOSSES = {
    "loss_box_reg": "box_loss",
    "loss_classifier": "class_loss",
    "loss_mask": "mask_loss",
    "loss_objectness": "object_loss",
    "loss_rpn_box_reg": "proposal_loss",
}
_COUNTER = "num_batches_tracked"

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]


class RcnnDetector:
    """An R-CNN with its classes and the size of image that it wants.

    Attributes:
        image_size: longer side in pixels of an image as the network sees it.
        at_once: images that the network is given together, where nobody asks for fewer.
    """

    at_once = _AT_ONCE

    def __init__(self, architecture: str, classes: Sequence[str], image_size: int, device: torch.device = CPU) -> None:
        if not classes:
            raise CadsightError("the detector has no classes, expected at least one name")
        self.architecture, self.image_size = architecture, image_size
        self._classes = tuple(classes)
        self.module: Any = network(architecture, len(self._classes), image_size).to(device)
        channels_last(self.module)
        self._features_sha256 = ""

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def runtime(self) -> str:
        return "torch"

    @property
    def gives_masks(self) -> bool:
        return bool(self.module.roi_heads.has_mask())

    def load(self, state: dict[str, Tensor], where: str | Path = "") -> "RcnnDetector":
        """Take the weights of a network of the same architecture and classes."""
        fill(self.module, state, where)
        self._features_sha256 = ""
        return self

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each image, most confident first, boxes in its own pixels, Mask R-CNN's with masks (H, W)."""
        heads = self.module.eval().roi_heads
        heads.score_thresh, heads.detections_per_img = confidence, max_detections
        small = [shrunk(image, self.image_size) for image in images]
        found: list[list[Instance]] = [[] for _ in images]
        for numbers in alike(small, _AT_ONCE):
            with torch.inference_mode():
                answers = self.module(self._tensors([small[i] for i in numbers]))
            for i, answer in zip(numbers, answers, strict=True):
                found[i] = _instances(answer, images[i].shape, small[i].shape)
        return found

    def losses(self, samples: Sequence[Sample], square: bool = False, batch: int | None = None) -> dict[str, float]:
        """Mean losses over labelled images, as in training: ``box_loss`` and ``class_loss`` of what is found,
        ``object_loss`` and ``proposal_loss`` of the network that proposes, and Mask R-CNN's ``mask_loss``.

        Where a label has no mask there is no ``mask_loss``.
        """
        masks = self.gives_masks and have_masks(samples)
        images = LabelledImages.resized(samples, self.image_size, square, masks)
        losses, _, _ = evaluated(self.module, images, batch or self.at_once, with_progress)
        return {k: v for k, v in losses.items() if masks or k != "mask_loss"}

    def features(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """The last map P2 of the feature pyramid, averaged over the image: (N, 256), of the light ones
        (N, 128) (Eversberg, section 3.4.2)."""
        self.module.eval()
        small = [shrunk(image, self.image_size) for image in images]
        found = np.zeros((len(images), self.module.backbone.out_channels), np.float32)
        for numbers in alike(small, _AT_ONCE):
            with torch.inference_mode():
                sized, _ = self.module.transform(self._tensors([small[i] for i in numbers]))
                found[numbers] = self.module.backbone(sized.tensors)["0"].mean(dim=(2, 3)).cpu().numpy()
        return found

    def evidence(self, images: Sequence[Rgb], floor: float = FLOOR, at_most: int = AT_MOST) -> list[Evidence]:
        """What the network makes of each image; the features of a part are those from which its head scored it."""
        self.module.eval()
        small = [shrunk(image, self.image_size) for image in images]
        found: dict[int, Evidence] = {}
        for numbers in alike(small, _AT_ONCE):
            with torch.inference_mode():
                tensors = self._tensors([small[i] for i in numbers])
                parts = _parts(self.module, tensors, floor, at_most)
            for i, (boxes, scores, features, pooled) in zip(numbers, parts, strict=True):
                native = boxes * ([images[i].shape[1] / small[i].shape[1], images[i].shape[0] / small[i].shape[0]] * 2)
                found[i] = Evidence(native, scores.argmax(axis=1), scores, features, pooled)
        return [found[i] for i in range(len(images))]

    @property
    def features_sha256(self) -> str:
        if not self._features_sha256:
            self._features_sha256 = state_sha256(self.module.backbone.state_dict())
        return self._features_sha256

    def _tensors(self, images: Sequence[Rgb]) -> list[Tensor]:
        return as_images([torch.from_numpy(i).to(device_of_module(self.module)) for i in images])


def new_detector(classes: Sequence[str], options: RcnnOptions) -> tuple[RcnnDetector, str]:
    """An untrained detector, and a sentence on where its weights come from.

    Raises:
        CadsightError: when the weights that the options name cannot be had or fit in nothing.
    """
    torch.manual_seed(options.seed)
    architecture = ARCHITECTURES[options.family]
    detector = RcnnDetector(architecture, classes, options.image_size, device_of(options.device))
    origin = start(architecture, options.weights)
    if origin is None:
        return detector, f"{architecture} from scratch (random weights, seed {options.seed})"
    where, state = origin
    own = detector.module.state_dict()
    if not all(name in state for name in own if name.startswith("backbone.body.") and not name.endswith(_COUNTER)):
        raise CadsightError(f"{where} lack the backbone of {architecture}, expected its own or that backbone's alone")
    counters = [name for name in own if name.endswith(_COUNTER)]
    taken = fill_matching(detector.module, state) - sum(name in state for name in counters)
    if "roi_heads.box_predictor.cls_score.weight" in state and not any(name.endswith(_COUNTER) for name in state):
        _without_epsilon(detector.module)
    return detector, f"{architecture} from {where} ({taken} of {len(own) - len(counters)} tensors)"


def evaluated(
    module: Any, labelled: LabelledImages, at_once: int = _AT_ONCE, progress: Progress = no_progress
) -> tuple[dict[str, float], list[Boxes], list[Boxes]]:
    """Mean losses an image, what is found there down to a confidence of 0.001, and what is there, both in the
    images' own pixels.

    The backbone runs once for both.
    """
    module.eval()
    heads = module.roi_heads
    heads.score_thresh, heads.detections_per_img = 0.001, MAX_DETECTIONS
    found, truth = ([NO_BOXES] * len(labelled) for _ in range(2))
    sums: dict[str, float] = {}
    # Which proposals count is random; the same ones each time, so that figures can be compared.
    device = device_of_module(module)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode():
        torch.manual_seed(0)
        together = list(alike_shapes(labelled.shapes, at_once))
        for numbers in progress(together, len(together), "losses"):
            chosen = [labelled[i] for i in numbers]
            images, targets = on_device(as_batch(chosen), device)
            sized, targets, maps = _seen(module, as_images(images), targets)
            for part in (module.rpn, heads):
                part.train()
            for name, value in _losses(module, sized, targets, maps).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(numbers)
            module.eval()
            proposals, _ = module.rpn(sized, maps)
            answers, _ = heads(maps, proposals, sized.image_sizes)
            for i, one, answer in zip(numbers, chosen, answers, strict=True):
                boxes, labels, scores = (answer[k].cpu().double().numpy() for k in ("boxes", "labels", "scores"))
                found[i] = Boxes(boxes, labels.astype(int) - 1, scores)
                truth[i] = Boxes(one.boxes, one.classes.astype(np.int64))
    return {k: v / max(len(labelled), 1) for k, v in sums.items()}, found, truth


def losses_of(module: Any, batch: Batch) -> dict[str, Tensor]:
    """The losses of a batch by our names, to be added up and descended."""
    images, targets = batch
    with autocast(images[0].device):
        losses = _losses(module, *_seen(module, as_images(images), targets))
    return {name: value.float() for name, value in losses.items()}


def as_batch(labelled: Sequence[Labelled]) -> Batch:
    """Images (H, W, 3) uint8 and torchvision's targets; boxes without an inside are left out."""
    images = [torch.from_numpy(p.image) for p in labelled]
    return images, [_target(p) for p in labelled]


def as_images(images: Sequence[Tensor]) -> list[Tensor]:
    """Images (H, W, 3) uint8 as the network wants them: (3, H, W), 0 to 1."""
    return [image.permute(2, 0, 1).float() / 255 for image in images]


def _target(one: Labelled) -> dict[str, Tensor]:
    keep = np.min(one.boxes[:, 2:] - one.boxes[:, :2], axis=1, initial=np.inf) > 0
    target = {
        "boxes": torch.from_numpy(one.boxes[keep]).float(),
        "labels": torch.from_numpy(one.classes[keep]).long() + 1,
    }
    if one.masks is not None:
        target["masks"] = torch.from_numpy(one.masks[keep]).to(torch.uint8)
    return target


def _seen(module: Any, images: list[Tensor], targets: list[dict[str, Tensor]]) -> tuple[Any, Any, dict[str, Tensor]]:
    """The batch, its targets and its feature maps."""
    sized, targets = module.transform(images, targets)
    return sized, targets, module.backbone(sized.tensors.contiguous(memory_format=torch.channels_last))


def _losses(module: Any, sized: Any, targets: Any, maps: dict[str, Tensor]) -> dict[str, Tensor]:
    heads = module.roi_heads
    proposals, first = module.rpn(sized, maps, targets)
    if heads.has_mask() and any("masks" not in t for t in targets):
        targets = [{**t, "masks": _boxes_filled(t["boxes"], sized.tensors.shape[2:])} for t in targets]
    _, second = heads(maps, proposals, sized.image_sizes, targets)
    return {_LOSSES[name]: value for name, value in {**first, **second}.items()}


def _parts(
    module: Any, images: list[Tensor], floor: float, at_most: int
) -> list[tuple[Array, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    """Of each image the boxes (K, 4) that its heads keep, the scores (K, C) of their proposals, their features, and
    those of the image."""
    heads = module.roi_heads
    sized, _ = module.transform(images)
    maps = module.backbone(sized.tensors.contiguous(memory_format=torch.channels_last))
    proposals, _ = module.rpn(sized, maps)
    seen = heads.box_head(heads.box_roi_pool(maps, proposals, sized.image_sizes))
    logits, moves = heads.box_predictor(seen)
    scores, boxes = logits.softmax(dim=-1)[:, 1:], heads.box_coder.decode(moves, proposals)[:, 1:]
    counts = [len(p) for p in proposals]
    pooled = maps["0"].mean(dim=(2, 3)).cpu().numpy()
    found = []
    of_each = zip(*(t.split(counts) for t in (scores, boxes, seen)), images, sized.image_sizes, pooled, strict=True)
    for score, box, feature, image, shape, of_image in of_each:
        proposal, label = torch.nonzero(score > floor, as_tuple=True)
        corners = clip_boxes_to_image(box[proposal, label], shape)
        kept = batched_nms(corners, score[proposal, label], label, heads.nms_thresh)
        # A proposal that two classes keep is one part.
        kept = kept[_first_of_each(proposal[kept])][:at_most]
        scale = [image.shape[2] / shape[1], image.shape[1] / shape[0]] * 2
        rows = proposal[kept]
        found.append(
            (
                corners[kept].double().cpu().numpy() * scale,
                score[rows].cpu().numpy(),
                feature[rows].cpu().numpy(),
                of_image,
            )
        )
    return found


def _first_of_each(values: Tensor) -> Tensor:
    """Where each value comes first, in order."""
    _, first = np.unique(values.cpu().numpy(), return_index=True)
    return torch.from_numpy(np.sort(first)).to(values.device)


def _boxes_filled(boxes: Tensor, shape: Sequence[int]) -> Tensor:
    masks = torch.zeros((len(boxes), *shape), dtype=torch.uint8, device=boxes.device)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y0:y1, x0:x1] = 1
    return masks


def _instances(answer: dict[str, Tensor], native: Sequence[int], small: Sequence[int]) -> list[Instance]:
    size = ImageSize(native[1], native[0])
    scale = np.array([native[1] / small[1], native[0] / small[0]] * 2)
    boxes, labels, scores = (answer[k].cpu().double().numpy() for k in ("boxes", "labels", "scores"))
    masks = [None] * len(boxes)
    if "masks" in answer:
        likely = answer["masks"][:, 0].cpu().numpy()
        masks = [cv2.resize(m, (size.width, size.height), interpolation=cv2.INTER_LINEAR) >= 0.5 for m in likely]
    return [
        Instance(int(label) - 1, Box(*map(float, box)).clipped(size), mask, score=float(score), source="model")
        for box, label, score, mask in zip(boxes * scale, labels, scores, masks, strict=True)
    ]


def _without_epsilon(module: nn.Module) -> None:
    """Make normalisations compute as torchvision's detectors were trained: with nothing added to the variance."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None:
            layer.running_var -= layer.eps
