"""How well masks fit: COCO's average precision with the overlap of masks in place of boxes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import has_shape, instance_mask, is_crowd
from faster_coco_eval import COCO, COCOeval_faster
from faster_coco_eval import mask as coco_mask

from cadsight_learning.data.labelled_images import have_masks
from cadsight_learning.metrics.results import MaskMetrics


def mask_figures(
    samples: Sequence[Sample], found: Sequence[Sequence[Instance]], classes: int, max_detections: int
) -> MaskMetrics | None:
    """Average precision of the masks found in each sample; None where a label has no mask.

    Raises:
        CadsightError: for a mask that is not of its image's size.
    """
    if not have_masks(samples) or not any(s.instances for s in samples):
        return None
    ground: list[dict[str, Any]] = []
    for number, sample in enumerate(samples, 1):
        for instance in sample.instances:
            crowd = int(is_crowd(instance))
            if crowd and not has_shape(instance):
                continue
            code = _code(instance, sample)
            entry = {"id": len(ground) + 1, "image_id": number, "category_id": instance.class_id + 1, "iscrowd": crowd}
            ground.append({**entry, "segmentation": code, "area": float(coco_mask.area(code))})
    rows = [
        {"image_id": n, "category_id": i.class_id + 1, "segmentation": _code(i, sample), "score": i.score}
        for n, (sample, instances) in enumerate(zip(samples, found, strict=True), 1)
        for i in instances
    ]
    if not rows:
        return MaskMetrics(0.0, 0.0)
    images = [{"id": n, "height": s.size.height, "width": s.size.width} for n, s in enumerate(samples, 1)]
    names = [{"id": c + 1, "name": str(c)} for c in range(classes)]
    truth = COCO({"images": images, "categories": names, "annotations": ground})
    run = COCOeval_faster(truth, truth.loadRes(rows), "segm")
    run.params.maxDets = [1, 5, max_detections]
    run.evaluate()
    run.accumulate()
    # (IoU, recall, class, area, detections): every area, all detections; -1 where a class has no truth.
    precision = np.asarray(run.eval["precision"])[:, :, :, 0, -1]
    there = precision[:, :, (precision > -1).any(axis=(0, 1))]
    return MaskMetrics(float(there[0].mean()), float(there.mean()))


def _code(instance: Instance, sample: Sample) -> dict[str, Any]:
    mask = instance_mask(instance, sample.size)
    expected = (sample.size.height, sample.size.width)
    if mask is None or mask.shape != expected:
        came = "missing" if mask is None else f"{mask.shape[1]} x {mask.shape[0]} pixels"
        raise CadsightError(f"a mask of {sample.name} is {came}, expected {expected[1]} x {expected[0]} pixels")
    code: dict[str, Any] = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return code
