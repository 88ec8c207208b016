"""Trainings by ultralytics and torchvision themselves, with the settings of ours: what ours is measured against.

Nothing here makes a model of anybody's; it runs in a process of its own, with a settings folder of its own.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.sample import Sample
from cadsight_learning.detection.families import family_for
from cadsight_learning.detection.rcnn.options import ARCHITECTURES, RcnnOptions
from cadsight_learning.detection.ultralytics.names import architecture_of
from cadsight_learning.detection.ultralytics.options import RtDetrOptions, YoloOptions


def train_by_ultralytics(data: Path, folder: Path, options: YoloOptions) -> list[float]:
    """Seconds of each epoch of ultralytics' own trainer on a YOLO data set, validation and saving included."""
    os.environ.update(YOLO_CONFIG_DIR=str(folder), YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
    import torch
    import ultralytics.utils.torch_utils
    from cadsight_learning.runtime.devices import device_of
    from ultralytics import RTDETR, YOLO

    # It would leave one of the machine's threads unused.
    ultralytics.utils.torch_utils.NUM_THREADS = torch.get_num_threads()
    ended: list[float] = []
    rtdetr = isinstance(options, RtDetrOptions)
    library: Any = RTDETR if rtdetr else YOLO
    network = library(f"{architecture_of(options.family, options.size)}.yaml")
    network.add_callback("on_train_start", lambda trainer: ended.append(time.monotonic()))
    network.add_callback("on_fit_epoch_end", lambda trainer: ended.append(time.monotonic()))
    network.train(
        data=str(data),
        epochs=options.epochs,
        imgsz=options.image_size,
        batch=options.batch,
        nbs=options.batch,
        optimizer={"adamw": "AdamW", "sgd": "SGD"}[options.optimizer],
        lr0=options.learning_rate,
        momentum=0.9,
        weight_decay=options.weight_decay,
        cos_lr=True,
        mosaic=options.mosaic,
        freeze=options.freeze or None,
        seed=options.seed,
        device="cpu" if options.device == "cpu" else None,
        # It has bfloat16 on GPUs only, and we have none for RT-DETR.
        amp="bf16" if device_of(options.device).type == "cuda" and not rtdetr else False,
        cache="ram",
        workers=0,
        max_det=10,
        plots=False,
        pretrained=False,
        verbose=False,
        project=str(folder),
    )
    # Its last call is of the final validation of the best epoch.
    return _differences(ended[: options.epochs + 1])


def train_by_torchvision(
    train: Sequence[Sample], valid: Sequence[Sample], classes: int, folder: Path, options: RcnnOptions
) -> list[float]:
    """Seconds of each epoch of torchvision's detectors in a plain loop, validation and saving included."""
    import torch
    import torchvision
    from cadsight_learning.data.labelled_images import labelled, resized
    from cadsight_learning.detection.rcnn.detector import as_batch
    from cadsight_learning.metrics.average_precision import average_precision
    from cadsight_learning.metrics.boxes import Boxes
    from cadsight_learning.runtime.devices import device_of, on_device
    from cadsight_learning.runtime.precision import autocast
    from cadsight_learning.training.trainer import OPTIMIZERS
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    torch.manual_seed(options.seed)
    device = device_of(options.device)
    masks = family_for(options).gives_masks
    network = torchvision.models.get_model(
        ARCHITECTURES[options.family],
        weights=None,
        weights_backbone=None,
        num_classes=classes + 1,
        min_size=options.image_size,
        max_size=options.image_size,
        # As ours is evaluated.
        box_score_thresh=0.001,
        box_detections_per_img=10,
    ).to(device)
    optimizer = OPTIMIZERS[options.optimizer](
        network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    changed = v2.Compose([
        v2.RandomHorizontalFlip(),
        v2.RandomAffine(0, translate=(0.12, 0.12), scale=(0.7, 1.35), fill=114),
        v2.ColorJitter(0.35, 0.3, 0.5, 0.015),
        v2.SanitizeBoundingBoxes(),
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
        v2.ToPureTensor(),
    ])  # fmt: skip

    def read(samples: Sequence[Sample]) -> list[tuple[Any, dict[str, Any]]]:
        images, targets = as_batch([resized(labelled(s, False, masks), options.image_size) for s in samples])
        pairs = []
        for image, target in zip(images, targets, strict=True):
            canvas: Any = image.shape[:2]
            boxes = tv_tensors.BoundingBoxes(target["boxes"], format="XYXY", canvas_size=canvas)
            more = {"masks": tv_tensors.Mask(target["masks"])} if masks else {}
            pairs.append((tv_tensors.Image(image.permute(2, 0, 1)), {**target, "boxes": boxes, **more}))
        return pairs

    learned, valid_images = read(train), read(valid)
    truth = [Boxes(t["boxes"].double().numpy(), t["labels"].numpy() - 1) for _, t in valid_images]
    ended = [time.monotonic()]
    for _ in range(options.epochs):
        network.train()
        order = torch.randperm(len(learned)).tolist()
        for start in range(0, len(order), options.batch):
            augmented = [changed(*learned[i]) for i in order[start : start + options.batch]]
            images, targets = on_device(
                [[image for image, _ in augmented], [target for _, target in augmented]], device
            )
            with autocast(device):
                loss = sum(network(images, targets).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        found = []
        with torch.inference_mode():
            for start in range(0, len(valid_images), options.batch):
                images = [image.to(device).float() / 255 for image, _ in valid_images[start : start + options.batch]]
                for answer in network(images):
                    boxes, labels, scores = (answer[k].cpu().double().numpy() for k in ("boxes", "labels", "scores"))
                    found.append(Boxes(boxes, labels.astype(int) - 1, scores))
        average_precision(truth, found, classes)
        torch.save({"model": network.state_dict(), "optimizer": optimizer.state_dict()}, folder / "checkpoint.pt")
        ended.append(time.monotonic())
    return _differences(ended)


def _differences(moments: Sequence[float]) -> list[float]:
    return [float(d) for d in np.diff(moments)]
